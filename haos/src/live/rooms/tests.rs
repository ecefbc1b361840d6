mod cost;
mod places;
mod previews;
mod races;
mod simulated;
mod values;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use haos_matrix::MatrixProtocol;
use haos_queue::{Outbox, OutboxOptions, TokioHost};
use haos_store_api::backend::{ChangeHub, touched};
use haos_store_api::{
    Changes, Commit, EventId, EventType, Json, Membership, MemoryStore, Message, Pending, Position, Relation,
    RelationKind, Result, Revision, Room, RoomId, Scope, StateEntry, StateKey, StorageAdapter, TxnId, Unread,
    UserId, WriteBatch, forward_store,
};
use tokio::sync::watch;

use super::{RoomFilter, RoomItem, RoomList};
use crate::base::{Base, Typing};
use crate::live::Diffs;

/// A chat over a store in memory.
struct World {
    base: Base,
    me: watch::Sender<Option<UserId>>,
    typing: watch::Sender<Typing>,
}

impl World {
    fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }

    fn over(store: Arc<dyn StorageAdapter>) -> Self {
        let (me, typing) = (watch::Sender::new(Some(user("@me"))), watch::Sender::new(Typing::default()));
        let protocol = Arc::new(MatrixProtocol);
        let outbox =
            Outbox::new(store.clone(), Arc::new(TokioHost), protocol.clone(), OutboxOptions::default());
        let base = Base {
            store,
            protocol,
            outbox: outbox.unwrap(),
            backend: watch::Sender::new(None).subscribe(),
            me: me.subscribe(),
            typing: typing.subscribe(),
        };
        Self { base, me, typing }
    }

    fn list(&self, filter: RoomFilter) -> RoomList {
        RoomList::new(self.base.clone(), filter)
    }

    async fn apply(&self, fill: impl FnOnce(&mut WriteBatch)) {
        let mut batch = WriteBatch::relaxed();
        fill(&mut batch);
        self.base.store.apply(batch).await.unwrap();
    }

    /// Returns the rooms that a fresh list shows, by id.
    async fn ids(&self, filter: RoomFilter) -> Vec<String> {
        self.list(filter).now().await.unwrap().iter().map(|room| room.id.to_string()).collect()
    }

    /// Returns a room as a fresh list shows it.
    async fn item(&self, room: &str) -> RoomItem {
        let rooms = self.list(RoomFilter::all()).now().await.unwrap();
        (**rooms.iter().find(|item| item.id.as_str() == room).unwrap()).clone()
    }

    /// Returns the text of a room's latest message in a fresh list; empty without one.
    async fn text(&self, room: &str) -> String {
        self.item(room).await.latest.map(|latest| latest.text).unwrap_or_default()
    }
}

/// A subscriber's mirror of a list.
struct Mirror {
    items: Vec<Arc<RoomItem>>,
    diffs: Diffs<Arc<RoomItem>>,
}

impl Mirror {
    async fn of(list: &RoomList) -> Self {
        let (items, diffs) = list.subscribe().await.unwrap();
        Self { items, diffs }
    }

    /// Takes the steps that are there.
    fn catch_up(&mut self) -> usize {
        let mut taken = 0;
        while let Some(steps) = tokio::task::unconstrained(self.diffs.next()).now_or_never() {
            for step in steps.unwrap().unwrap() {
                step.apply(&mut self.items).unwrap();
            }
            taken += 1;
        }
        taken
    }

    /// Takes what is told, until it shows what the store has.
    async fn reach(&mut self, now: &[Arc<RoomItem>]) {
        while self.items != now {
            let told = tokio::time::timeout(std::time::Duration::from_secs(60), self.diffs.next()).await;
            for step in told.expect("the steps end early").unwrap().unwrap() {
                step.apply(&mut self.items).unwrap();
            }
        }
    }
}

/// A store whose feed forgets soon.
#[derive(Debug)]
struct Forgetful {
    store: Arc<dyn StorageAdapter>,
    hub: ChangeHub,
}

impl Forgetful {
    fn new(store: Arc<dyn StorageAdapter>, kept: usize) -> Self {
        Self { store, hub: ChangeHub::new(kept, Revision::ZERO) }
    }
}

#[async_trait]
impl StorageAdapter for Forgetful {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let touched = touched(&batch);
        let commit = self.store.apply(batch).await?;
        if commit.changed {
            self.hub.publish(commit.revision, touched);
        }
        Ok(commit)
    }

    fn changes(&self) -> Changes {
        self.hub.subscribe()
    }

    forward_store! { self => self.store; except apply, changes }
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(in crate::live) fn room_id(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

fn event_id(id: &str) -> EventId {
    EventId::new(id).unwrap()
}

fn kind(kind: &str) -> EventType {
    EventType::new(kind).unwrap()
}

pub(in crate::live) fn room(id: &str, last_activity_ms: i64) -> Room {
    Room { last_activity_ms, ..Room::new(room_id(id), Membership::Join) }
}

fn named(id: &str, last_activity_ms: i64, name: &str) -> Room {
    Room { name: Some(name.to_owned()), ..room(id, last_activity_ms) }
}

fn unread(room: Room, notifications: u64, highlights: u64) -> Room {
    Room { unread: Unread { notifications, highlights }, ..room }
}

/// Makes a message; its place is also its time and its id.
fn message(room: &str, at: u64, sender: &str, of: &str, content: &str) -> Message {
    Message {
        room: room_id(room),
        id: event_id(&format!("${at}")),
        position: Position::new(at).unwrap(),
        sender: user(sender),
        timestamp_ms: i64::try_from(at).unwrap(),
        kind: kind(of),
        state_key: None,
        content: Json::new(content).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(in crate::live) fn text(room: &str, at: u64, sender: &str, body: &str) -> Message {
    message(room, at, sender, "m.room.message", &format!(r#"{{"msgtype":"m.text","body":"{body}"}}"#))
}

pub(in crate::live) fn about(relation: RelationKind, target: &str, message: Message) -> Message {
    Message { relation: Some(Relation { kind: relation, target: event_id(target), key: None }), ..message }
}

fn edit(room: &str, at: u64, sender: &str, target: &str, body: &str) -> Message {
    let content = format!(r#"{{"body":"* {body}","m.new_content":{{"msgtype":"m.text","body":"{body}"}}}}"#);
    about(RelationKind::Edit, target, message(room, at, sender, "m.room.message", &content))
}

fn pending(room: &str, txn_id: &str, of: &str, content: &str) -> Pending {
    Pending::new(TxnId::new(txn_id).unwrap(), room_id(room), kind(of), Json::new(content).unwrap(), 77)
}

fn written(room: &str, txn_id: &str, body: &str) -> Pending {
    pending(room, txn_id, "m.room.message", &format!(r#"{{"msgtype":"m.text","body":"{body}"}}"#))
}

fn state(scope: Scope, of: &str, key: &str, value: &str) -> StateEntry {
    let (key, value) = (StateKey::new(key).unwrap(), Json::new(value).unwrap());
    StateEntry { scope, kind: kind(of), key, event_id: None, value }
}

fn account(of: &str, key: &str, value: &str) -> StateEntry {
    state(Scope::Account, of, key, value)
}

fn in_room(room: &str, of: &str, key: &str, value: &str) -> StateEntry {
    state(Scope::Room(room_id(room)), of, key, value)
}

fn member(room: &str, id: &str, name: &str) -> StateEntry {
    let content = format!(r#"{{"membership":"join","displayname":"{name}","avatar_url":"mxc://x/{name}"}}"#);
    in_room(room, "m.room.member", id, &format!(r#"{{"content":{content}}}"#))
}

fn favourite(room: &str, order: &str) -> StateEntry {
    account("haos.tags", room, &format!(r#"{{"tags":{{"m.favourite":{order}}}}}"#))
}
