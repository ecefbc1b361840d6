//! Clearing: what goes, what stays, and that it can be cut off anywhere.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use haos_queue::pressure::{Clear, Cleared, clear};
use haos_queue::{Event, PlainProtocol, RoomDelta, SyncDelta, apply_sync};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;

const MESSAGES: u64 = 1500;

/// Two rooms, a token, drafts, gates of the outbox, media of every sort and two unsent rows; row 1 is
/// about a message of room 1.
/// The account's state that outlives all but the clearing of everything, by kind.
const KEPT: [&str; 6] = [
    "haos.e2ee.own",
    "haos.e2ee.room_key/!r",
    state_kind::ENCRYPTED,
    "haos.outbox",
    state_kind::SESSION,
    state_kind::OWN_USER,
];

async fn fill(store: &Store) {
    put_rooms(store, 2).await;
    for of in 0..2 {
        let mut batch = WriteBatch::relaxed();
        for n in 0..MESSAGES {
            batch.put_message(message(of, n, 10));
        }
        store.apply(batch).await.unwrap();
    }
    let account = |name: &str| StateEntry {
        scope: Scope::Account,
        kind: kind(name),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::of("value").unwrap(),
    };
    let mut batch = enqueue(0, 70_000);
    batch
        .put_state(account(state_kind::SYNC_TOKEN))
        .put_state(account(state_kind::OWN_USER))
        .put_state(account("haos.outbox"))
        .put_state(account(state_kind::SESSION))
        .put_state(account("haos.e2ee.own"))
        .put_state(account("haos.e2ee.room_key/!r"))
        .put_state(account(state_kind::ENCRYPTED))
        .put_state(StateEntry { scope: Scope::Room(room(0)), ..account(state_kind::DRAFT) })
        .put_pending(Pending { room: room(1), target: Some(event(5)), ..pending(1) })
        .put_media(MediaInfo { pinned: true, ..media("mxc://pinned", 1) }, vec![1; 10])
        .put_media(MediaInfo { pinned: true, ..media("haos-local:staging", 1) }, vec![1; 10])
        .put_media(media("mxc://empty", i64::MAX), vec![]);
    for n in 0..3 {
        batch.put_media(media(&format!("mxc://{n}"), n), vec![1; 9 << 20]);
    }
    store.apply(batch).await.unwrap();
}

/// What the outbox cannot do without, by kind.
async fn items(store: &Store) -> Vec<String> {
    let items = store.media_index(MediaQuery::default()).await.unwrap();
    let mut uris: Vec<String> = items.iter().map(|item| item.key.uri.to_string()).collect();
    uris.sort();
    uris
}

async fn account(store: &Store) -> Vec<String> {
    let entries = store.state(StateQuery::all(Scope::Account)).await.unwrap();
    entries.iter().map(|entry| entry.kind.to_string()).collect()
}

async fn timeline(store: &Store, of: u64) -> (Vec<EventId>, usize) {
    let slice = store.timeline(&room(of), Page::oldest(usize::MAX)).await.unwrap();
    (slice.messages().map(|message| message.id.clone()).collect(), slice.gaps().count())
}

/// Checks the rows that only the last clearing loses.
async fn unsent_is_whole(store: &Store) {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.txn_id.as_str()).collect::<Vec<_>>(), ["t0", "t1"]);
    let staged = store.media(&media_key("haos-local:t0"), ByteRange::ALL).await.unwrap().unwrap();
    assert!(staged.bytes == vec![0; 70_000] && staged.info.pinned);
    assert!(items(store).await.contains(&"haos-local:staging".to_owned()), "its row is on its way");
}

async fn is_cleared(store: &Store, what: Clear) {
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    if what != Clear::EverythingAndUnsent {
        unsent_is_whole(store).await;
    }
    let staged = ["haos-local:staging", "haos-local:t0"];
    let draft = StateQuery::kind(Scope::Room(room(0)), kind(state_kind::DRAFT));
    let drafts = store.state(draft).await.unwrap().len();
    let rooms = store.rooms(RoomQuery::default()).await.unwrap().len();
    match what {
        Clear::Media => {
            assert_eq!(items(store).await, ["haos-local:staging", "haos-local:t0", "mxc://pinned"]);
            assert_eq!(account(store).await.len(), 7);
            assert_eq!((drafts, rooms, timeline(store, 0).await.0.len() as u64), (1, 2, MESSAGES));
        }
        Clear::Messages => {
            assert_eq!((drafts, rooms, items(store).await.len()), (1, 2, 7));
            assert_eq!(account(store).await, KEPT);
            assert_eq!(timeline(store, 0).await, (vec![], 0));
            assert_eq!(timeline(store, 1).await, (vec![event(5), event(MESSAGES - 1)], 2));
        }
        Clear::AllButOutbox => {
            assert_eq!((drafts, rooms), (0, 0));
            assert_eq!(items(store).await, staged);
            assert_eq!(account(store).await, KEPT);
        }
        _ => {
            let usage = store.usage().await.unwrap();
            assert!(usage.collections.iter().all(|(_, size)| size.rows == 0), "{usage:?}");
        }
    }
}

const ALL: [Clear; 4] = [Clear::Media, Clear::Messages, Clear::AllButOutbox, Clear::EverythingAndUnsent];

#[tokio::test]
async fn each_takes_what_its_name_says() {
    for what in ALL {
        let folder = tempfile::tempdir().unwrap();
        for store in stores(folder.path()).await {
            fill(&store).await;
            let done = clear(&*store, what).await.unwrap();
            is_cleared(&store, what).await;
            let (unsent, media, messages, rooms) = match what {
                Clear::Media => (0, 4, 0, 0),
                Clear::Messages => (0, 0, 2 * MESSAGES - 2, 0),
                Clear::AllButOutbox => (0, 5, 2 * MESSAGES, 2),
                _ => (2, 7, 2 * MESSAGES, 2),
            };
            assert_eq!(
                (done.unsent, done.media, done.messages, done.rooms),
                (unsent, media, messages, rooms)
            );
            assert_eq!(done.media_bytes > 0, media > 0);
            let again = clear(&*store, what).await.unwrap();
            assert_eq!(again, Cleared { freed_bytes: again.freed_bytes, ..Cleared::default() });
            store.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_cleared_comes_again_with_the_next_sync() {
    let event = |n: u64| Event {
        id: event(n),
        sender: UserId::new("@ada").unwrap(),
        timestamp_ms: 0,
        kind: kind("m.room.message"),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        extra: None,
    };
    let mut delta = RoomDelta::new(room(0), Membership::Join);
    delta.timeline = (0..20).map(event).collect();
    let delta = SyncDelta { next: Some("s1".to_owned()), rooms: vec![delta], ..SyncDelta::default() };
    for what in [Clear::Messages, Clear::AllButOutbox] {
        let folder = tempfile::tempdir().unwrap();
        for store in stores(folder.path()).await {
            let sync = || apply_sync(&*store, &delta, None, &PlainProtocol);
            sync().await.unwrap();
            let before = timeline(&store, 0).await;
            clear(&*store, what).await.unwrap();
            assert_eq!((store.sync_token().await.unwrap(), timeline(&store, 0).await.0.len()), (None, 0));
            sync().await.unwrap();
            assert_eq!(timeline(&store, 0).await, before);
            assert_eq!(store.sync_token().await.unwrap().as_deref(), Some("s1"));
            store.close().await.unwrap();
        }
    }
}

/// Polls a future `polls` times, and drops it then.
async fn cut_off<T>(future: impl Future<Output = T>, mut polls: u32) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn cut_off_anywhere_it_goes_on_when_asked_again() {
    for what in ALL {
        let mut polls = 0;
        loop {
            polls += 1 + polls / 4;
            let folder = tempfile::tempdir().unwrap();
            let options = SqliteOptions::new(folder.path().join("s.db"));
            let store: Store = Arc::new(SqliteStore::open(options).await.unwrap());
            fill(&store).await;
            let is_done = cut_off(clear(&*store, what), polls).await.is_some();
            if what != Clear::EverythingAndUnsent {
                unsent_is_whole(&store).await;
            }
            if store.sync_token().await.unwrap().is_some() {
                assert_eq!(
                    timeline(&store, 0).await.0.len() as u64,
                    MESSAGES,
                    "no token without its messages"
                );
            }
            let (left, gaps) = timeline(&store, 0).await;
            assert!(left.is_empty() || left.len() as u64 == MESSAGES || gaps > 0, "a hole without a gap");
            clear(&*store, what).await.unwrap();
            is_cleared(&store, what).await;
            store.close().await.unwrap();
            if is_done {
                assert!(polls > 3, "it was cut off before");
                break;
            }
        }
    }
}
