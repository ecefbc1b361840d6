//! What is shown of what is stored, case by case.

use haos_queue::{UPLOAD, local_event_id};
use haos_store_api::{
    EventId, EventType, Json, MemoryStore, ParkReason, Pending, PendingState, Scope, StateEntry, StateKey,
    UserId, WriteBatch,
};
use serde_json::{Value, json};

use super::*;

pub(super) const ADA: &str = "@ada:x";
pub(super) const ME: &str = "@me:x";

/// A world with a timeline on it.
pub(super) struct Shown {
    pub(super) world: World,
    pub(super) timeline: Timeline,
}

impl Shown {
    pub(super) async fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new())).await
    }

    pub(super) async fn over(store: Arc<dyn StorageAdapter>) -> Self {
        let world = World::new(store).await;
        let timeline = Timeline::open(world.base.clone(), world.room.clone(), 50);
        Self { world, timeline }
    }

    pub(super) async fn sync(&mut self, events: &[(&str, Value)]) {
        for (sender, event) in events {
            self.world.say(event.clone(), sender);
        }
        self.world.sync(false, json!([])).await;
    }

    /// The items in words, without the first, which is the room's creation.
    pub(super) async fn words(&self) -> Vec<String> {
        let items = self.timeline.items().await.unwrap();
        items.iter().map(|item| words(item)).filter(|words| !words.contains("created the room")).collect()
    }

    /// The messages alone.
    pub(super) async fn posts(&self) -> Vec<String> {
        let mut words = self.words().await;
        words.retain(|words| !words.starts_with("day"));
        words
    }

    pub(super) async fn item(&self, nr: usize) -> Arc<TimelineItem> {
        let items = self.timeline.items().await.unwrap();
        items.iter().filter(|item| item.post().is_some()).nth(nr).unwrap().clone()
    }

    pub(super) async fn send(&self, text: &str) -> haos_store_api::TxnId {
        let draft = compose::text(&self.world.room, text).unwrap();
        self.world.base.outbox.enqueue(draft).await.unwrap().txn_id
    }

    pub(super) async fn put(&self, row: Pending) {
        let mut batch = WriteBatch::strict();
        batch.put_pending(row);
        self.world.store.apply(batch).await.unwrap();
    }

    pub(super) async fn row(&self, nr: usize) -> Pending {
        self.world.rows().await[nr].clone()
    }
}

fn words(item: &TimelineItem) -> String {
    let post = |post: &Post| {
        let mut words = match post.is_redacted {
            true => "(removed)".to_owned(),
            false => post.content.plain(),
        };
        if words.is_empty() {
            words = post.kind.to_string();
        }
        if let Some(quote) = &post.reply {
            let name = quote.sender.as_ref().and_then(|sender| sender.name.clone());
            let name = name.unwrap_or_default();
            words.push_str(&format!(" <{name}: {}>", quote.text.as_deref().unwrap_or("?")));
        }
        if let Some(edited) = &post.edited {
            words.push_str(" edited");
            words.extend(edited.sending.map(|status| format!("({status:?})")));
        }
        for reaction in &post.reactions {
            words.push_str(&format!(" {}{}", reaction.key, reaction.count));
            words.push_str(if reaction.is_own { "!" } else { "" });
            words.extend(reaction.sending.map(|status| format!("({status:?})")));
        }
        words
    };
    match &item.kind {
        TimelineItemKind::Event(event) => {
            let readers: Vec<&str> = event.receipts.iter().map(|receipt| receipt.user.id.as_str()).collect();
            let read =
                if readers.is_empty() { String::new() } else { format!(" read by {}", readers.join(" ")) };
            format!("{}{read}", post(&event.post))
        }
        TimelineItemKind::Local(local) => format!("{} [{:?}]", post(&local.post), local.status),
        TimelineItemKind::Day { date, .. } => format!("day {date}"),
        TimelineItemKind::Gap => "gap".to_owned(),
        TimelineItemKind::ReadMarker => "unread".to_owned(),
    }
}

pub(super) fn text(body: &str) -> Value {
    json!({ "type": "m.room.message", "content": { "msgtype": "m.text", "body": body } })
}

fn related(body: &str, relates: Value) -> Value {
    json!({ "type": "m.room.message", "content": {
        "msgtype": "m.text", "body": "* x", "m.new_content": { "msgtype": "m.text", "body": body },
        "m.relates_to": relates } })
}

fn edit(target: &str, body: &str) -> Value {
    related(body, json!({ "rel_type": "m.replace", "event_id": target }))
}

pub(super) fn reply(target: &str, body: &str) -> Value {
    json!({ "type": "m.room.message", "content": { "msgtype": "m.text", "body": body,
        "m.relates_to": { "m.in_reply_to": { "event_id": target } } } })
}

pub(super) fn reaction(target: &str, key: &str) -> Value {
    json!({ "type": "m.reaction", "content": {
        "m.relates_to": { "rel_type": "m.annotation", "event_id": target, "key": key } } })
}

#[tokio::test]
async fn a_message_keeps_its_id_from_the_writing_to_the_echo() {
    let mut shown = Shown::new().await;
    let txn_id = shown.send("hello").await;
    let id = shown.item(1).await.id.clone();
    assert_eq!(*id, *format!("txn-{txn_id}"));
    let row = shown.row(0).await;
    let states = [
        (Pending { state: PendingState::Queued, ..row.clone() }, "hello [Waiting]"),
        (Pending { state: PendingState::Sending, ..row.clone() }, "hello [Sending]"),
        (Pending { attempts: 3, ..row.clone() }, "hello [StillTrying]"),
        (Pending { attempts: 5, ..row.clone() }, "hello [Delayed]"),
        (Pending { state: PendingState::Blocked, ..row.clone() }, "hello [Waiting]"),
        (
            Pending { state: PendingState::Parked(ParkReason::Forbidden), ..row.clone() },
            "hello [Parked(Forbidden)]",
        ),
        (
            Pending { state: PendingState::Sent, event_id: EventId::new("$e1").ok(), ..row.clone() },
            "hello [Sent]",
        ),
    ];
    for (row, expected) in states {
        shown.put(row).await;
        assert_eq!(shown.posts().await, [expected]);
        assert_eq!(shown.item(1).await.id, id, "{expected}");
    }
    shown.world.echo(row).await;
    assert_eq!(shown.posts().await, ["hello"]);
    assert_eq!(shown.item(1).await.id, id);
}

#[tokio::test]
async fn a_row_whose_echo_came_while_it_was_read_is_shown_once() {
    let mut shown = Shown::new().await;
    shown.send("hello").await;
    let row = shown.row(0).await;
    let mut stored = {
        shown.timeline.items().await.unwrap();
        shown.timeline.list.reader(|reader| reader.stored.clone()).await
    };
    shown.world.echo(row).await;
    shown.timeline.items().await.unwrap();
    stored.items = shown.timeline.list.reader(|reader| reader.stored.items.clone()).await;
    let items = stored.shown();
    let posts: Vec<String> =
        items.iter().filter(|item| item.post().is_some()).map(|item| words(item)).collect();
    assert_eq!(posts[1..], ["hello"]);
}

#[tokio::test]
async fn quotes_say_what_the_quoted_message_says_now() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("one")), (ME, reply("$e1", "answer"))]).await;
    assert_eq!(shown.posts().await, ["one", "answer <: one>"]);
    shown.sync(&[(ADA, edit("$e1", "two"))]).await;
    assert_eq!(shown.posts().await, ["two edited", "answer <: two>"]);
    // Out of sight, it is read for the quote alone.
    shown.timeline.to_live(1).await;
    assert_eq!(shown.posts().await, ["answer <: two>"]);
    shown.sync(&[(ADA, edit("$e1", "three"))]).await;
    assert_eq!(shown.posts().await, ["answer <: three>"]);
    shown
        .sync(&[(
            ADA,
            json!({ "type": "m.room.redaction", "redacts": "$e1", "content": { "redacts": "$e1" } }),
        )])
        .await;
    assert_eq!(shown.posts().await, ["answer <: ?>"]);
    shown.sync(&[(ADA, reply("$unknown", "to what?"))]).await;
    shown.timeline.to_live(1).await;
    assert_eq!(shown.posts().await, ["to what? <: ?>"]);
}

#[tokio::test]
async fn a_quote_names_its_sender_as_they_are_now_wherever_the_window_begins() {
    let named = |name: &str| {
        let content = json!({ "membership": "join", "displayname": name });
        json!({ "type": "m.room.member", "state_key": ADA, "content": content })
    };
    let mut shown = Shown::new().await;
    shown
        .sync(&[(ADA, named("Ada")), (ADA, text("one")), (ADA, named("Lady")), (ME, reply("$e2", "answer"))])
        .await;
    let posts = shown.posts().await;
    assert_eq!(posts.last().map(String::as_str), Some("answer <Lady: one>"));
    shown.timeline.to_live(1).await;
    assert_eq!(shown.posts().await, ["answer <Lady: one>"]);
}

#[tokio::test]
async fn what_is_unsent_shows_at_once_where_it_will_be() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ME, text("mine")), (ADA, text("hers")), (ADA, reaction("$e2", "👍"))]).await;
    let (mine, hers) = (shown.item(1).await, shown.item(2).await);
    shown.timeline.edit(&mine, "better").await.unwrap();
    assert!(matches!(shown.timeline.edit(&hers, "better").await, Err(crate::Error::NotPossible(_))));
    shown.timeline.react(&hers, "👍").await.unwrap();
    shown.timeline.react(&hers, "🎉").await.unwrap();
    let posts = shown.posts().await;
    assert_eq!(posts, ["better edited(Waiting)", "hers 👍2!(Waiting) 🎉1!(Waiting)"]);
    shown.timeline.react(&*shown.item(2).await, "🎉").await.unwrap();
    assert_eq!(shown.posts().await, posts, "a reaction counts once");
    shown.timeline.unreact(&*shown.item(2).await, "🎉").await.unwrap();
    assert_eq!(shown.posts().await[1], "hers 👍2!(Waiting)");
    shown.timeline.redact(&*shown.item(2).await, None).await.unwrap();
    assert_eq!(shown.posts().await[1], "(removed)");
    shown.timeline.cancel(&*shown.item(2).await).await.unwrap();
    assert_eq!(shown.posts().await[1], "hers 👍1", "nothing of it was sent");
    shown.timeline.cancel(&*shown.item(1).await).await.unwrap();
    assert_eq!(shown.posts().await[0], "mine");
}

#[tokio::test]
async fn a_sent_reaction_is_taken_back() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("hers")), (ME, reaction("$e1", "👍")), (ADA, reaction("$e1", "👍"))]).await;
    assert_eq!(shown.posts().await, ["hers 👍2!"]);
    shown.timeline.unreact(&*shown.item(1).await, "👍").await.unwrap();
    assert_eq!(shown.posts().await, ["hers 👍1"], "its redaction is unsent");
    let row = shown.row(0).await;
    shown.world.echo(row).await;
    assert_eq!(shown.posts().await, ["hers 👍1"]);
}

#[tokio::test]
async fn the_read_marker_stands_before_the_first_unread_message_of_others() {
    let mut shown = Shown::new().await;
    shown.world.read_upto = "$e2".to_owned();
    shown
        .sync(&[(ADA, text("one")), (ADA, reaction("$e1", "👍")), (ME, text("mine")), (ADA, text("two"))])
        .await;
    let posts = shown.posts().await;
    assert_eq!(posts, ["one 👍1", "mine", "unread", "two"], "a reaction was read last");
    let read = compose::read(&shown.world.room, &EventId::new("$e4").unwrap(), false).unwrap();
    shown.world.base.outbox.enqueue(read).await.unwrap();
    assert_eq!(shown.posts().await, ["one 👍1", "mine", "two"], "told to nobody yet");
}

#[tokio::test]
async fn readers_stand_at_the_latest_message_that_they_read() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("one")), (ADA, reaction("$e1", "👍")), (ADA, text("two"))]).await;
    let receipt = |event: &str, user: &str, ts: u64| json!({ "type": "m.receipt", "content": { event: { "m.read": { user: { "ts": ts } } } } });
    let receipts = json!([receipt("$e2", "@bob:x", 2), receipt("$e3", "@eve:x", 1), receipt("$e3", ME, 3)]);
    shown.world.sync(false, receipts).await;
    assert_eq!(shown.posts().await[..1], ["one 👍1 read by @bob:x"]);
    assert_eq!(shown.posts().await.last().unwrap(), "two read by @eve:x", "one is not named to oneself");
}

#[tokio::test]
async fn days_begin_where_the_reader_is() {
    let mut shown = Shown::new().await;
    // 11,000 s after each other, from 2026-11-18 11:06:40 UTC on.
    shown
        .sync(&[(ADA, text("a")), (ADA, text("b")), (ADA, text("c")), (ADA, text("d")), (ADA, text("e"))])
        .await;
    shown.timeline.to_live(5).await;
    let (utc, india) =
        (["day 2026-11-18", "a", "b", "c", "d"], ["day 2026-11-18", "a", "b", "day 2026-11-19", "c"]);
    assert_eq!(shown.words().await[..5], utc);
    shown.timeline.set_utc_offset(5 * 60 + 30).await;
    assert_eq!(shown.words().await[..5], india);
}

#[tokio::test]
async fn a_message_with_a_file_tells_how_its_upload_goes() {
    let shown = Shown::new().await;
    shown.send("with a file").await;
    let message = shown.row(0).await;
    let upload = Pending {
        txn_id: haos_store_api::TxnId::new("up").unwrap(),
        seq: 0,
        kind: EventType::new(UPLOAD).unwrap(),
        error: Some("too large".to_owned()),
        state: PendingState::Parked(ParkReason::TooLarge),
        ..message.clone()
    };
    shown.put(upload).await;
    let parent = haos_store_api::TxnId::new("up").ok();
    shown.put(Pending { state: PendingState::Blocked, parent, ..message }).await;
    assert_eq!(shown.posts().await, ["with a file [Parked(TooLarge)]"]);
    let item = shown.item(1).await;
    let TimelineItemKind::Local(local) = &item.kind else { panic!("it is unsent") };
    assert_eq!(local.error.as_deref(), Some("too large"));
    shown.timeline.retry(&item).await.unwrap();
    assert_eq!(shown.posts().await, ["with a file [Waiting]"]);
}

#[tokio::test]
async fn an_answer_to_an_unsent_message_quotes_it() {
    let shown = Shown::new().await;
    let txn_id = shown.send("first").await;
    let about = haos_queue::About::Unsent(txn_id.clone());
    let draft = compose::reply(&shown.world.room, &about, None, "second").unwrap();
    shown.world.base.outbox.enqueue(draft).await.unwrap();
    let draft = compose::reaction(&shown.world.room, &about, "👍").unwrap();
    shown.world.base.outbox.enqueue(draft).await.unwrap();
    assert_eq!(shown.posts().await, ["first 👍1!(Waiting) [Waiting]", "second <: first> [Waiting]"]);
    let first = shown.row(0).await;
    assert_eq!(local_event_id(&txn_id).unwrap().as_str(), format!("~{txn_id}"));
    let event_id = EventId::new("$e1").ok();
    shown.put(Pending { state: PendingState::Sent, event_id, ..first }).await;
    assert_eq!(shown.posts().await, ["first 👍1!(Waiting) [Sent]", "second <: first> [Waiting]"]);
}

#[tokio::test]
async fn a_window_grows_both_ways_and_follows_the_live_end_alone() {
    let mut shown = Shown::new().await;
    let many: Vec<(&str, Value)> = (1..=30).map(|nr| (ADA, text(&format!("{nr}")))).collect();
    shown.sync(&many).await;
    shown.timeline.to_live(3).await;
    assert_eq!(shown.posts().await, ["28", "29", "30"]);
    assert_eq!(shown.timeline.older(2).await.unwrap(), super::super::Reach { is_end: false, stopped: None });
    assert_eq!(shown.posts().await, ["26", "27", "28", "29", "30"]);
    shown.timeline.around(&EventId::new("$e10").unwrap(), 4).await.unwrap();
    assert_eq!(shown.posts().await, ["8", "9", "10", "11", "12"]);
    assert!(!shown.timeline.is_live().await);
    shown.send("unsent").await;
    shown.sync(&[(ADA, text("31"))]).await;
    assert_eq!(shown.posts().await, ["8", "9", "10", "11", "12"], "it is not at the live end");
    assert!(!shown.timeline.newer(3).await.unwrap().is_end);
    assert_eq!(shown.posts().await.last().unwrap(), "15");
    assert!(shown.timeline.newer(50).await.unwrap().is_end);
    assert_eq!(shown.posts().await.last().unwrap(), "unsent [Waiting]");
    assert!(shown.timeline.older(50).await.unwrap().is_end);
    assert_eq!(shown.posts().await[0], "1");
    let unknown = shown.timeline.around(&EventId::new("$nowhere").unwrap(), 4).await;
    assert!(matches!(unknown, Err(crate::Error::NotFound { .. })));
}

#[tokio::test]
async fn account_data_leaves_a_timeline_as_it_was_read_and_another_user_does_not() {
    let mut shown = Shown::new().await;
    shown.sync(&[(ADA, text("hers")), (ADA, reaction("$e1", "👍"))]).await;
    let (before, mut diffs) = shown.timeline.subscribe().await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new("m.direct").unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::empty(),
    });
    let now = shown.timeline.items().await.unwrap();
    shown.world.store.apply(batch).await.unwrap();
    assert!(Arc::ptr_eq(&now, &shown.timeline.items().await.unwrap()), "nothing was read");
    shown.world.me.send_replace(UserId::new(ADA).ok());
    let mut mirror = before;
    for step in diffs.next().await.unwrap().unwrap() {
        step.apply(&mut mirror).unwrap();
    }
    assert_eq!(mirror, shown.timeline.items().await.unwrap().to_vec());
    assert_eq!(shown.posts().await, ["hers 👍1!"]);
    assert!(shown.item(1).await.post().unwrap().is_own);
}

#[tokio::test]
async fn an_edit_leaves_alone_what_a_message_answers_and_whom_it_called() {
    let mut shown = Shown::new().await;
    let ada = UserId::new(ADA).unwrap();
    let called = json!({ "type": "m.room.message", "content": { "msgtype": "m.text", "body": "Ada!",
        "m.mentions": { "user_ids": [ADA] } } });
    shown.sync(&[(ADA, text("one")), (ME, called)]).await;
    let text = crate::content::Text::new("Ada, all!").mention(&ada).mention_room();
    shown.timeline.edit(&*shown.item(2).await, text).await.unwrap();
    let content: Value = shown.row(0).await.content.parse().unwrap();
    assert_eq!(content["m.mentions"], json!({ "room": true }));
    assert_eq!(content["m.new_content"]["m.mentions"], json!({ "user_ids": [ADA], "room": true }));
    let about = haos_queue::About::Event(EventId::new("$e1").unwrap());
    let draft = compose::reply(&shown.world.room, &about, Some(&ada), "answer").unwrap();
    shown.world.base.outbox.enqueue(draft).await.unwrap();
    let content: Value = shown.row(1).await.content.parse().unwrap();
    assert_eq!(content["m.mentions"], json!({ "user_ids": [ADA] }));
    shown.timeline.edit(&*shown.item(3).await, "better").await.unwrap();
    assert_eq!(shown.posts().await[2], "better <: one> [Waiting]");
}
