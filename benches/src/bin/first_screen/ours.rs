//! The Rust side: each call in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use haos::{Chat, Connection, Opening, RoomFilter, RoomId, Secret, TimelineItemKind};
use haos_benches::account::{count, run, session};
use haos_contest::{Filled, Lock, Screen, ScreenRoom, cpu_us, memory};
use haos_store_api::RoomQuery;

/// Events that a call for history asks for.
const PAGE: usize = 500;
/// How long a sync may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The calls of such a process.
#[derive(clap::Subcommand)]
pub(crate) enum Child {
    /// Syncs once with a server, and pages each room back to its beginning
    Fill { lock: String, folder: PathBuf, server: String },
    /// Opens what is in the folder, lists the rooms, and shows this number of newest items of one
    Show { lock: String, folder: PathBuf, room: String, want: usize },
}

/// Has a store filled.
pub(crate) fn fill(lock: Lock, folder: &Path, server: &str) -> Filled {
    run(program().args(["fill", lock.name()]).arg(folder).arg(server))
}

/// Has it shown.
pub(crate) fn show(lock: Lock, folder: &Path, room: &str, want: usize) -> Screen {
    run(program().args(["show", lock.name()]).arg(folder).arg(room).arg(want.to_string()))
}

fn program() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

impl Child {
    /// Does it, and says what came of it.
    pub(crate) fn run(self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let said = runtime.unwrap().block_on(async {
            match self {
                Self::Fill { lock, folder, server } => {
                    serde_json::to_string(&filled(&lock, &folder, &server).await)
                }
                Self::Show { lock, folder, room, want } => {
                    serde_json::to_string(&shown(&lock, &folder, &room, want).await)
                }
            }
        });
        println!("{}", said.unwrap());
    }
}

fn opening(lock: &str, folder: &Path) -> Opening {
    let opening = Chat::open(&format!("sqlite:{}", folder.join("chat.db").display()));
    match Lock::named(lock).unwrap() {
        Lock::Open => opening,
        Lock::Key => opening.secret(Secret::key(Lock::KEY)),
        Lock::Passphrase => opening.secret(Secret::passphrase(Lock::WORDS)),
    }
}

async fn filled(lock: &str, folder: &Path, server: &str) -> Filled {
    let chat = opening(lock, folder).offline().await.unwrap();
    session(server).save(&**chat.store()).await.unwrap();
    chat.close().await.unwrap();
    let chat = opening(lock, folder).await.unwrap();
    let mut connection = chat.connection();
    let live = async { while connection.next().await.unwrap().unwrap().connection != Connection::Live {} };
    tokio::time::timeout(PATIENCE, live).await.unwrap();
    let rooms = chat.store().rooms(RoomQuery::default()).await.unwrap();
    for room in &rooms {
        let timeline = chat.room(&room.id).timeline(1).await.unwrap();
        loop {
            let reach = timeline.older(PAGE).await.unwrap();
            assert_eq!(reach.stopped, None, "{}", room.id);
            if reach.is_end {
                break;
            }
        }
    }
    let events = count(&**chat.store()).await as usize;
    chat.close().await.unwrap();
    Filled { events, rooms: rooms.len() }
}

async fn shown(lock: &str, folder: &Path, room: &str, want: usize) -> Screen {
    let room = RoomId::new(room).unwrap();
    let (began, clock) = (cpu_us(), Instant::now());
    let chat = opening(lock, folder).offline().await.unwrap();
    let opened = clock.elapsed();
    let rooms = chat.rooms(RoomFilter::joined()).now().await.unwrap();
    let listed = clock.elapsed();
    let items = chat.room(&room).timeline(want).await.unwrap().items().await.unwrap();
    let (read, cpu_us, peak_bytes) = (clock.elapsed(), cpu_us() - began, memory("VmHWM"));

    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let rooms = rooms.iter().map(|room| ScreenRoom {
        id: room.id.to_string(),
        name: room.name.clone(),
        sender: room.latest.as_ref().map(|latest| latest.sender.id.to_string()),
    });
    let events = items.iter().filter_map(|item| match &item.kind {
        TimelineItemKind::Event(event) => Some(event),
        _ => None,
    });
    let screen = Screen {
        open_us: us(opened),
        rooms_us: us(listed - opened),
        items_us: us(read - listed),
        cpu_us,
        peak_bytes,
        rooms: rooms.collect(),
        named: events.clone().filter(|event| event.post.sender.name.is_some()).count(),
        events: events.map(|event| event.event_id.to_string()).collect(),
    };
    chat.close().await.unwrap();
    screen
}
