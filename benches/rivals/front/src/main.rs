//! matrix-sdk-ui as a contender, each call in a process of its own. What it says is a line of JSON.
//!
//! - `haos-rivals-front fill LOCK FOLDER SERVER USER TOKEN` syncs once with a server and pages each room back to its
//!   beginning: a `Filled`.
//! - `haos-rivals-front show LOCK FOLDER USER ROOM WANT` opens what is in the folder, without a network, lists the rooms
//!   and shows this number of newest items of one: a `Screen`.
//!
//! LOCK is plain, key or passphrase.
#![recursion_limit = "256"]

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use haos_contest::{Filled, Lock, Screen, ScreenRoom, cpu_us, memory};
use matrix_sdk::authentication::matrix::MatrixSession;
use matrix_sdk::config::SyncSettings;
use matrix_sdk::cross_process_lock::CrossProcessLockConfig;
use matrix_sdk::latest_events::LatestEventValue as StoredLatest;
use matrix_sdk::ruma::{OwnedRoomId, OwnedUserId};
use matrix_sdk::sliding_sync::VersionBuilder;
use matrix_sdk::{BaseRoom, Client, Room, SessionMeta, SessionTokens, SqliteStoreConfig};
use matrix_sdk_base::linked_chunk::{ChunkContent, LinkedChunkId};
use matrix_sdk_ui::RoomListService;
use matrix_sdk_ui::eyeball_im::{Vector, VectorDiff};
use matrix_sdk_ui::room_list_service::filters::new_filter_joined;
use matrix_sdk_ui::timeline::{LatestEventValue, Profile, RoomExt, TimelineDetails, TimelineItem};

/// Nobody listens there.
const NO_SERVER: &str = "http://127.0.0.1:9";
/// Events that a call for history asks for.
const PAGE: u16 = 100;
/// Rooms of a page of the list.
const ROOMS: usize = 50;
/// How long the latest messages may take that are found beside the sync.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client over the stores in a folder, as the user who logged in once.
async fn client(lock: Lock, folder: &Path, server: &str, user: &str, token: &str) -> Client {
    let config = SqliteStoreConfig::new(folder);
    let config = match lock {
        Lock::Open => config,
        Lock::Key => config.key(Some(&Lock::KEY)),
        Lock::Passphrase => config.passphrase(Some(Lock::WORDS)),
    };
    let client = Client::builder()
        .homeserver_url(server)
        .sliding_sync_version_builder(VersionBuilder::Native)
        // What it does for several processes costs it time.
        .cross_process_store_config(CrossProcessLockConfig::SingleProcess)
        .sqlite_store_with_config_and_cache_path(config, None::<&Path>)
        .build()
        .await
        .unwrap();
    let session = MatrixSession {
        meta: SessionMeta { user_id: OwnedUserId::try_from(user).unwrap(), device_id: "BENCH".into() },
        tokens: SessionTokens { access_token: token.to_owned(), refresh_token: None },
    };
    client.restore_session(session).await.unwrap();
    client
}

async fn fill(client: &Client) -> Filled {
    client.event_cache().subscribe().unwrap();
    client.sync_once(SyncSettings::default().timeout(Duration::ZERO)).await.unwrap();
    let rooms = client.joined_rooms();
    for room in &rooms {
        let (cache, _kept) = room.event_cache().await.unwrap();
        while !cache.pagination().run_backwards_once(PAGE).await.unwrap().reached_start {}
    }
    let clock = Instant::now();
    while rooms.iter().any(|room| matches!(stored_latest(room), StoredLatest::None)) {
        assert!(clock.elapsed() < PATIENCE, "rooms have no latest message");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut events = 0;
    for room in &rooms {
        events += count(client, room).await;
    }
    Filled { events, rooms: rooms.len() }
}

fn stored_latest(room: &Room) -> StoredLatest {
    BaseRoom::latest_event(room)
}

/// The events of a room's timeline, as its database has them.
async fn count(client: &Client, room: &Room) -> usize {
    let store = client.event_cache_store().lock().await.unwrap();
    let store = store.as_clean().expect("no other process has it");
    let chunks = store.load_all_chunks(LinkedChunkId::Room(room.room_id())).await.unwrap();
    let events = chunks.iter().map(|chunk| match &chunk.content {
        ChunkContent::Items(items) => items.len(),
        ChunkContent::Gap(_) => panic!("{} has a gap left", room.room_id()),
    });
    events.sum()
}

async fn show(lock: Lock, folder: &Path, user: &str, room: &str, want: usize) -> Screen {
    let room = OwnedRoomId::try_from(room).unwrap();
    let (began, clock) = (cpu_us(), Instant::now());
    let client = client(lock, folder, NO_SERVER, user, "none").await;
    let opened = clock.elapsed();

    let service = RoomListService::new(client.clone()).await.unwrap();
    let list = service.all_rooms().await.unwrap();
    let (entries, controller) = list.entries_with_dynamic_adapters(ROOMS);
    let mut entries = pin!(entries);
    controller.set_filter(Box::new(new_filter_joined()));
    let mut shown = Vector::new();
    for step in entries.next().await.unwrap() {
        step.apply(&mut shown);
    }
    let mut rooms = Vec::with_capacity(shown.len());
    for room in &shown {
        let name = room.cached_display_name().map(|name| name.to_string()).unwrap_or_default();
        rooms.push((room.room_id().to_owned(), name, room.latest_event().await));
    }
    let listed = clock.elapsed();

    let timeline = client.get_room(&room).unwrap().timeline().await.unwrap();
    let (mut items, steps) = timeline.subscribe().await;
    let mut steps = pin!(steps);
    while events(&items) < want {
        // It is told of what is loaded later, by a task.
        timeline.paginate_backwards((want - events(&items)) as u16).await.unwrap();
        apply(steps.next().await.unwrap(), &mut items);
        while let Some(Some(more)) = steps.next().now_or_never() {
            apply(more, &mut items);
        }
    }
    let (read, cpu_us, peak_bytes) = (clock.elapsed(), cpu_us() - began, memory("VmHWM"));

    let rooms = rooms.into_iter().map(|(id, name, latest)| {
        let sender = match latest {
            LatestEventValue::Remote { sender, .. } => Some(sender.to_string()),
            _ => None,
        };
        ScreenRoom { id: id.to_string(), name, sender }
    });
    let events = items.iter().filter_map(|item| item.as_event());
    let is_named = |profile: &TimelineDetails<Profile>| matches!(profile, TimelineDetails::Ready(profile) if profile.display_name.is_some());
    Screen {
        open_us: us(opened),
        rooms_us: us(listed - opened),
        items_us: us(read - listed),
        cpu_us,
        peak_bytes,
        rooms: rooms.collect(),
        named: events.clone().filter(|event| is_named(event.sender_profile())).count(),
        events: events.filter_map(|event| Some(event.event_id()?.to_string())).collect(),
    }
}

/// Items that are no day, no mark of what is unread and not the beginning of the room.
fn events(items: &Vector<Arc<TimelineItem>>) -> usize {
    items.iter().filter(|item| item.as_event().is_some()).count()
}

fn apply(steps: Vec<VectorDiff<Arc<TimelineItem>>>, items: &mut Vector<Arc<TimelineItem>>) {
    steps.into_iter().for_each(|step| step.apply(items));
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let lock = |name| Lock::named(name).expect("LOCK is plain, key or passphrase");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let said = match words[..] {
        ["fill", name, folder, server, user, token] => runtime.block_on(async {
            let client = client(lock(name), Path::new(folder), server, user, token).await;
            let filled = fill(&client).await;
            client.pause().await.unwrap();
            serde_json::to_string(&filled)
        }),
        ["show", name, folder, user, room, want] => {
            let want = want.parse().expect("WANT is a number");
            let screen = runtime.block_on(show(lock(name), Path::new(folder), user, room, want));
            serde_json::to_string(&screen)
        }
        _ => panic!(
            "usage: haos-rivals-front fill LOCK FOLDER SERVER USER TOKEN | show LOCK FOLDER USER ROOM WANT"
        ),
    };
    println!("{}", said.unwrap());
}
