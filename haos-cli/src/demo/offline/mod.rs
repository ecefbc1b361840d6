//! The second act: written offline, killed, reopened, sent through a network that fails, compared.

mod book;
mod check;
mod part;
mod process;
mod script;

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Instant;

use haos_queue::UPLOAD;
use haos_queue::sim::{LoopbackFaults, LoopbackServer};
use haos_store_api::{PendingQuery, TxnId};
use serde::Serialize;

use super::story::Story;
use super::verify;
use crate::error::{Error, Result};
use crate::text::plural;
use book::Book;
use part::{Said, open};
use process::Process;
use script::{rooms, session};

pub(crate) use part::run as run_part;

/// Requests of 1000 that each fault hits.
const FAULTS: LoopbackFaults = LoopbackFaults {
    lost: 110,
    answer_lost: 130,
    proxy: 110,
    limited: 100,
    slow: 200,
    slow_ms: 60,
    retry_after_ms: 50,
    seed: 5,
};
/// What others write in each room while we are away: more than a sync shows.
const OTHERS: usize = 15;
/// How often the sender is killed.
const KILLS: usize = 3;

/// The figures of this act.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    written: u64,
    offline_attempts: u64,
    kills: u64,
    delivered: u64,
    media_bytes: u64,
    requests: u64,
    lost: u64,
    answers_lost: u64,
    proxy_errors: u64,
    rate_limited: u64,
    slow: u64,
    seconds: f64,
}

impl Figures {
    /// The line of the totals.
    pub(super) fn total(&self) -> String {
        let failed = self.lost + self.answers_lost + self.proxy_errors + self.rate_limited;
        format!(
            "{} written offline and delivered once, in order: {} kills survived, {failed} of {} requests in \
             vain, {:.1} s",
            plural(self.delivered, "message"),
            self.kills,
            self.requests,
            self.seconds
        )
    }
}

pub(super) async fn run(folder: &Path, story: &mut Story<'_>) -> Result<()> {
    let begun = Instant::now();
    story.say(format_args!("\n7. Offline: writing while nothing is reachable"))?;
    let book = write(folder, story)?;
    story.say(format_args!("\n8. Reopened: what the outbox holds"))?;
    reopened(folder, &book, story).await?;
    story.say(format_args!("\n9. Back online, through a network that fails"))?;
    let server = server()?;
    send(folder, &book, &server, story).await?;
    story.say(format_args!("\n10. Compared with the server, message by message"))?;
    check::run(folder, &book, &server, story).await?;
    story.figures.outbox.seconds = begun.elapsed().as_secs_f64();
    Ok(())
}

/// A process writes all of the script, and is killed when all of it is acknowledged.
fn write(folder: &Path, story: &mut Story<'_>) -> Result<Book> {
    let mut book = Book::default();
    let mut process = Process::start("write", folder, nowhere()?)?;
    let attempts = loop {
        match process.listen()? {
            Some(Said::Written { attempts }) => break attempts,
            Some(said) => book.note(said)?,
            None => return Err(Error::Failed("the process that writes ended early".to_owned())),
        }
    };
    let pid = process.kill_when(|| true)?.ok_or_else(no_kill)?;
    if !book.is_complete() {
        return Err(Error::Failed("WRONG: not everything that was written is acknowledged".to_owned()));
    }
    let figures = &mut story.figures.outbox;
    (figures.written, figures.offline_attempts) = (script::SCRIPT.len() as u64, attempts);
    figures.kills += 1;
    story.say(format_args!(
        "   {} acknowledged in {}: texts, answers, a reaction, an edit, a file; one text reworded, one taken back",
        plural(script::SCRIPT.len() as u64, "thing"),
        plural(rooms()?.len() as u64, "room")
    ))?;
    story.say(format_args!("   {} to send failed; killed process {pid}", plural(attempts, "attempt")))?;
    Ok(book)
}

fn no_kill() -> Error {
    Error::Failed("no kill hit a process in the middle: run the demo again".to_owned())
}

/// An address where nothing listens any more.
fn nowhere() -> Result<SocketAddr> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    address.map_err(|e| Error::Failed(format!("the system gives no port of the loopback: {e}")))
}

/// Every acknowledged row is there.
async fn reopened(folder: &Path, book: &Book, story: &mut Story<'_>) -> Result<()> {
    let store = open(folder).await?;
    let rows = store.pending(PendingQuery::default()).await?;
    let sound = verify::sound(&*store).await?;
    store.close().await?;
    let held: HashSet<&TxnId> = rows.iter().map(|row| &row.txn_id).collect();
    for (at, taken) in book.expected() {
        if !held.contains(&taken.txn) {
            let name = script::SCRIPT[at].1.name();
            return Err(Error::Failed(format!("WRONG: {name} was acknowledged and is not in the outbox")));
        }
    }
    let uploads = rows.iter().filter(|row| row.kind.as_str() == UPLOAD).count();
    if rows.len() - uploads != book.expected().count() {
        return Err(Error::Failed("WRONG: the outbox holds what nobody wrote".to_owned()));
    }
    for room in rooms()? {
        let rows: Vec<_> = rows.iter().filter(|row| row.room == room).collect();
        let blocked: Vec<String> = rows.iter().filter_map(|row| book.blocked(row)).collect();
        let waiting = rows.len() - blocked.len();
        story.say(format_args!("   {room}: {waiting} wait; blocked: {}", listed(&blocked)))?;
    }
    story.say(format_args!(
        "   nothing lost: {} with {}, {} sound",
        plural((rows.len() - uploads) as u64, "message"),
        plural(uploads as u64, "upload"),
        plural(sound, "row")
    ))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn server() -> Result<LoopbackServer> {
    let server = LoopbackServer::start(session()?, &rooms()?, FAULTS);
    server.map_err(|e| Error::Failed(format!("the demo's server cannot listen on the loopback: {e}")))
}

/// A process sends, is killed in the middle, again and again, and runs to its end.
async fn send(folder: &Path, book: &Book, server: &LoopbackServer, story: &mut Story<'_>) -> Result<()> {
    let all = book.expected().count();
    for kill in 1..=KILLS {
        others(server)?;
        let enough = all * kill / (KILLS + 1);
        let sending = Process::start("send", folder, server.address())?;
        // On a machine that stalls, the last one may be through before it is killed.
        let Some(pid) = sending.kill_when(|| check::own(&server.model()).count() >= enough)? else { break };
        story.figures.outbox.kills += 1;
        let store = open(folder).await?;
        let left = store.pending(PendingQuery::default()).await?.len() as u64;
        store.close().await?;
        let there = check::own(&server.model()).count();
        story.say(format_args!(
            "   killed process {pid}: {there} of {all} messages on the server, {} left in the outbox",
            plural(left, "row")
        ))?;
    }
    // That of the process that wrote, and two of those that send.
    if story.figures.outbox.kills < 3 {
        return Err(no_kill());
    }
    others(server)?;
    let begun = Instant::now();
    Process::start("send", folder, server.address())?.finish()?;
    let fired = server.fired();
    let figures = &mut story.figures.outbox;
    figures.requests = fired.requests;
    (figures.lost, figures.answers_lost, figures.proxy_errors) = (fired.lost, fired.answer_lost, fired.proxy);
    (figures.rate_limited, figures.slow) = (fired.limited, fired.slow);
    story.say(format_args!(
        "   run again: the outbox is empty after {:.1} s",
        begun.elapsed().as_secs_f64()
    ))?;
    story.say(format_args!(
        "   {}, {} of them in vain: {} lost, {} with the answer lost, {} a proxy's 502, {} a 429; {} slow",
        plural(fired.requests, "request"),
        fired.failed(),
        fired.lost,
        fired.answer_lost,
        fired.proxy,
        fired.limited,
        fired.slow
    ))
}

/// Others write meanwhile, so that the syncs leave holes.
fn others(server: &LoopbackServer) -> Result<()> {
    let mut model = server.model();
    for room in rooms()? {
        for _ in 0..OTHERS {
            model.other(&room, 0)?;
        }
    }
    Ok(())
}
