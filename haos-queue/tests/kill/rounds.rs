//! Start, kill, start again; then the books are compared.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use haos_sim::{Chance, LoopbackFaults, LoopbackServer};
use haos_store_api::*;

use crate::check::{Book, compare};
use crate::child::{CHILD, Plan, encrypted, open, rooms, session};

/// How often the sender is killed: `HAOS_KILLS=50 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";
/// A child that says nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(120);

/// Of 1000 requests. A 429 silences the account for a second: few are enough.
const FAULTS: LoopbackFaults = LoopbackFaults {
    lost: 40,
    answer_lost: 60,
    proxy: 20,
    limited: 2,
    slow: 100,
    slow_ms: 60,
    retry_after_ms: 20,
    seed: 11,
};

/// A child, and what it says.
struct Running(Child, Receiver<String>);

fn start(plan: &Plan) -> Running {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::child", "--nocapture"])
        .env(CHILD, serde_json::to_string(plan).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (tell, told) = channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if let Some(line) = line.strip_suffix(" .") {
                let _ = tell.send(line.to_owned());
            }
        }
    });
    Running(child, told)
}

impl Running {
    /// Kills it a while after it has begun; gives what it said.
    fn kill_after(mut self, delay: Duration) -> Vec<String> {
        assert_eq!(self.1.recv_timeout(HANGS).as_deref(), Ok("ready"));
        std::thread::sleep(delay);
        assert_eq!(self.0.try_wait().unwrap(), None, "it ended by itself: {:?}", self.1.iter().last());
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        self.1.into_iter().collect()
    }

    /// Lets it end by itself.
    fn finish(mut self) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(line) = self.1.recv_timeout(HANGS) {
            said.push(line);
            if said.last().is_some_and(|line| line == "drained") {
                assert!(self.0.wait().unwrap().success());
                return said;
            }
        }
        let _ = self.0.kill();
        panic!("it does not drain; last words: {:?}", said.last());
    }
}

#[tokio::test]
async fn every_acknowledged_message_arrives_exactly_once_over_sqlite() {
    killed_at_any_moment(false).await;
}

#[tokio::test]
async fn every_acknowledged_message_arrives_exactly_once_over_sled() {
    killed_at_any_moment(true).await;
}

async fn killed_at_any_moment(sled: bool) {
    let folder = tempfile::tempdir().unwrap();
    let server = LoopbackServer::start(session(), &rooms(), FAULTS).unwrap();
    for room in encrypted() {
        server.model().encrypt(&room, 0).unwrap();
    }
    let kills: u64 = std::env::var(KILLS).map_or(12, |n| n.parse().unwrap());
    let mut chance = Chance::new(if sled { 2 } else { 1 });
    let mut book = Book::default();
    let plan =
        |seed, drain| Plan { address: server.address(), folder: folder.path().to_owned(), sled, seed, drain };
    let mut found = BTreeMap::new();
    for _ in 0..kills {
        let delay = Duration::from_millis(chance.below(400));
        let said = start(&plan(chance.bits(), false)).kill_after(delay);
        book.note(&said);
        let unsent = said.iter().filter(|line| line.starts_with("found")).count();
        *found.entry(unsent > 0).or_insert(0) += 1;
    }
    book.note(&start(&plan(0, true)).finish());
    let store = open(folder.path(), sled).await;
    let model = server.model().clone();
    compare(&book, &model, &store).await;
    println!(
        "{kills} kills: {} taken, {} events, {} media, rows were left in {} starts",
        book.taken.len(),
        model.rooms.values().map(|room| room.events.len()).sum::<usize>(),
        model.media.values().flatten().count(),
        found.get(&true).unwrap_or(&0),
    );
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    store.close().await.unwrap();
}
