//! What happens while a timeline is read, and what a sync leaves out: what its reader wrote stays on the screen.

use std::sync::Mutex;

use async_trait::async_trait;
use haos_matrix::MatrixProtocol;
use haos_queue::{Protocol as _, SyncDelta, apply_sync};
use haos_store_api::{
    Commit, MemoryStore, Message, Pending, PendingState, Result, WriteBatch, forward_store,
};
use serde_json::json;

use super::law::{ADA, ME, Shown, reaction, text};
use super::world::me;
use super::*;

/// A store in which something is committed before one of the next calls.
#[derive(Debug, Default)]
struct Between {
    store: MemoryStore,
    /// The number of calls before it, and what it is.
    next: Mutex<Option<(usize, News)>>,
}

/// What the server says.
#[derive(Debug)]
enum News {
    Sync(SyncDelta),
    /// The outcome of a send.
    Answer(WriteBatch),
}

impl Between {
    async fn enter(&self, _: &'static str) -> Result<()> {
        let due = {
            let mut next = self.next.lock().unwrap();
            match &mut *next {
                Some((0, _)) => next.take(),
                Some((calls, _)) => {
                    *calls -= 1;
                    None
                }
                None => None,
            }
        };
        match due {
            Some((_, News::Sync(delta))) => {
                apply_sync(&self.store, &delta, Some(&me()), &MatrixProtocol).await.map(drop)
            }
            Some((_, News::Answer(batch))) => self.store.apply(batch).await.map(drop),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl StorageAdapter for Between {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        self.store.apply(batch).await
    }

    forward_store! { self => self.store; before enter; except apply }
}

/// Writes one thing about what is on the screen, and tells how the line that shows it begins.
async fn write(shown: &Shown, what: &str) -> &'static str {
    let (mine, hers) = (shown.item(1).await, shown.item(2).await);
    match what {
        "message" => {
            shown.send("new").await;
            "new"
        }
        "edit" => {
            shown.timeline.edit(&mine, "better").await.unwrap();
            "better edited"
        }
        "reaction" => {
            shown.timeline.react(&hers, "👍").await.unwrap();
            "hers 👍1!"
        }
        _ => {
            shown.timeline.redact(&mine, None).await.unwrap();
            "(removed)"
        }
    }
}

#[tokio::test]
async fn what_was_written_shows_while_its_echo_comes() {
    for what in ["message", "edit", "reaction", "redaction"] {
        let mut calls = 0;
        loop {
            let store = Arc::new(Between::default());
            let mut shown = Shown::over(store.clone()).await;
            shown.sync(&[(ME, text("mine")), (ADA, text("hers"))]).await;
            let line = write(&shown, what).await;
            let count = |posts: Vec<String>| posts.iter().filter(|post| post.starts_with(line)).count();
            assert_eq!(count(shown.posts().await), 1, "{what}");
            // Something else has the timeline read again, and the echo comes in the middle of it.
            shown.sync(&[(ADA, text("later")), (ADA, reaction("$e1", "🎉"))]).await;
            let row = shown.row(0).await;
            shown.world.take(&row);
            let echo = shown.world.answer(false, json!([]));
            *store.next.lock().unwrap() = Some((calls, News::Sync(echo)));
            let posts = shown.posts().await;
            assert_eq!(count(posts.clone()), 1, "{what}, before call {calls}: {posts:?}");
            if store.next.lock().unwrap().take().is_some() {
                break;
            }
            let posts = shown.posts().await;
            assert_eq!(count(posts.clone()), 1, "{what}, after call {calls}: {posts:?}");
            assert!(shown.world.rows().await.is_empty(), "{what}: the echo has come");
            calls += 1;
        }
        assert!(calls > 2, "{what}: the echo came at {calls} places");
    }
}

/// The row of a receipt goes in one commit with the marker's move.
#[tokio::test]
async fn what_was_read_stays_read_while_the_answer_comes() {
    let mut calls = 0;
    loop {
        let store = Arc::new(Between::default());
        let mut shown = Shown::over(store.clone()).await;
        shown.world.read_upto = "$e1".to_owned();
        shown.sync(&[(ADA, text("one")), (ADA, text("two")), (ADA, text("three"))]).await;
        let event = haos_store_api::EventId::new("$e2").unwrap();
        let draft = compose::read(&shown.world.room, &event, false).unwrap();
        shown.world.base.outbox.enqueue(draft).await.unwrap();
        assert_eq!(shown.posts().await, ["one", "two", "unread", "three"]);
        // Something else has the outbox read again, and the answer comes in the middle of it.
        shown.send("mine").await;
        let row = shown.row(0).await;
        let mut batch = WriteBatch::relaxed();
        batch.remove_pending(row.txn_id.clone()).put_state(MatrixProtocol.read_marker(&row).unwrap());
        *store.next.lock().unwrap() = Some((calls, News::Answer(batch)));
        let expected = ["one", "two", "unread", "three", "mine [Waiting]"];
        assert_eq!(shown.posts().await, expected, "before call {calls}");
        if store.next.lock().unwrap().take().is_some() {
            break;
        }
        assert_eq!(shown.posts().await, expected, "after call {calls}");
        calls += 1;
    }
    assert!(calls > 1, "the answer came at {calls} places");
}

/// The items of one message, wherever it is.
fn of_txn<'a>(items: &'a [Arc<TimelineItem>], row: &Pending) -> Vec<&'a TimelineItem> {
    items.iter().map(|item| &**item).filter(|item| *item.id == *format!("txn-{}", row.txn_id)).collect()
}

#[tokio::test]
async fn what_was_sent_shows_though_the_next_sync_leaves_it_out() {
    for is_confirmed in [false, true] {
        let mut shown = Shown::new().await;
        shown.sync(&[(ADA, text("before"))]).await;
        shown.send("mine").await;
        let row = shown.row(0).await;
        // The server takes it, and others say so much that the sync leaves it out.
        let event_id = shown.world.take(&row);
        let sent = Pending { state: PendingState::Sent, event_id: Some(event_id.clone()), ..row.clone() };
        shown.put(sent.clone()).await;
        if is_confirmed {
            let mut batch = WriteBatch::relaxed();
            batch.remove_pending(row.txn_id.clone()).put_message(confirmed(&shown, &sent).await);
            shown.world.store.apply(batch).await.unwrap();
        }
        for nr in 0..9 {
            shown.world.say(text(&nr.to_string()), ADA);
        }
        let (mut mirror, mut seen) = (Screen::of(&shown.timeline).await, Vec::new());
        let mut look = async |shown: &Shown, step: &str| {
            let now = shown.timeline.items().await.unwrap().to_vec();
            mirror.catch_up(&now).await;
            let items = of_txn(&mirror.shown, &row);
            assert_eq!(items.len(), 1, "{step}, {is_confirmed}");
            seen.push(matches!(items[0].kind, TimelineItemKind::Event(_)));
        };
        look(&shown, "sent").await;
        shown.world.sync(true, json!([])).await;
        assert_eq!(shown.world.store.gaps(&shown.world.room).await.unwrap().len(), 1, "it left some out");
        look(&shown, "limited").await;
        let mut chance = Chance::new(1);
        while !shown.world.store.gaps(&shown.world.room).await.unwrap().is_empty() {
            shown.world.fill(&mut chance).await;
            look(&shown, "filling").await;
        }
        assert_eq!((seen.first(), seen.last()), (Some(&is_confirmed), Some(&true)));
        let posts = shown.posts().await;
        assert_eq!(posts[..3], ["before", "mine", "0"], "it is in its place");
        let stored = shown.world.store.message(&shown.world.room, &event_id).await.unwrap().unwrap();
        assert!(!stored.provisional && shown.world.rows().await.is_empty());
    }
}

/// The message of a row, as the driver stores it once the server showed that it has it.
async fn confirmed(shown: &Shown, row: &Pending) -> Message {
    let slice = shown.world.store.timeline(&shown.world.room, haos_store_api::Page::newest(1)).await.unwrap();
    let last = slice.items[0].position();
    Message {
        room: row.room.clone(),
        id: row.event_id.clone().unwrap(),
        position: last.newer(1).unwrap(),
        sender: me(),
        timestamp_ms: row.created_ms,
        kind: row.kind.clone(),
        state_key: None,
        content: row.content.clone(),
        relation: None,
        txn_id: Some(row.txn_id.clone()),
        redacted_by: None,
        provisional: true,
        extra: None,
    }
}
