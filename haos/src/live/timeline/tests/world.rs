//! A room on a homeserver, the store of one of its members, and the chance that moves both.

use std::sync::Arc;

use haos_matrix::{Account, MatrixProtocol, parse_messages, parse_sync};
use haos_queue::{Outbox, OutboxOptions, SyncDelta, TokioHost, apply_page, apply_sync};
use haos_store_api::{
    Direction, EventId, ParkReason, Pending, PendingState, Prune, RoomId, StorageAdapter, UserId, WriteBatch,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::base::Base;

/// Numbers that follow from a seed (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    pub(super) fn one<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.below(list.len());
        list.get(at)
    }
}

const PEOPLE: [&str; 3] = ["@me:x", "@ada:x", "@bob:x"];

/// A room on the server and in a store.
pub(super) struct World {
    pub(super) store: Arc<dyn StorageAdapter>,
    pub(super) base: Base,
    pub(super) me: watch::Sender<Option<UserId>>,
    pub(super) room: RoomId,
    /// The room's events on the server, oldest first.
    log: Vec<Value>,
    /// The number of them that a sync has told or left out.
    told: usize,
    /// The own marker on the server.
    pub(super) read_upto: String,
    syncs: u64,
}

pub(super) fn me() -> UserId {
    UserId::new(PEOPLE[0]).unwrap()
}

impl World {
    pub(super) async fn new(store: Arc<dyn StorageAdapter>) -> Self {
        let host = Arc::new(TokioHost);
        let protocol = Arc::new(MatrixProtocol);
        let outbox =
            Outbox::new(store.clone(), host.clone(), protocol.clone(), OutboxOptions::default()).unwrap();
        let own = watch::Sender::new(Some(me()));
        let base = Base {
            store: store.clone(),
            protocol,
            outbox,
            backend: watch::Sender::new(None).subscribe(),
            me: own.subscribe(),
            typing: watch::Sender::default().subscribe(),
        };
        let room = RoomId::new("!r:x").unwrap();
        let mut world = Self {
            store,
            base,
            me: own,
            room,
            log: Vec::new(),
            told: 0,
            read_upto: "$none".to_owned(),
            syncs: 0,
        };
        let create = json!({ "type": "m.room.create", "state_key": "", "content": {} });
        world.say(create, PEOPLE[1]);
        world.sync(false, json!([])).await;
        world
    }

    /// The server takes an event.
    pub(super) fn say(&mut self, mut event: Value, sender: &str) {
        let nr = self.log.len();
        event["event_id"] = json!(format!("$e{nr}"));
        event["sender"] = json!(sender);
        // Some hours lie between two events.
        event["origin_server_ts"] = json!(1_795_000_000_000_u64 + nr as u64 * 11_000_000);
        self.log.push(event);
    }

    /// Some events happen on the server.
    pub(super) fn happen(&mut self, chance: &mut Chance) {
        for _ in 0..=chance.below(4) {
            let sender = PEOPLE[chance.below(3)];
            let target = format!("$e{}", chance.below(self.log.len().max(1)));
            let text = format!("text {}", chance.below(1000));
            let message = |content: Value| json!({ "type": "m.room.message", "content": content });
            let key = ["👍", "👎"][chance.below(2)];
            let said = json!({ "msgtype": "m.text", "body": text });
            let event = match chance.below(14) {
                0 | 1 => json!({ "type": "m.reaction", "content": { "m.relates_to": {
                    "rel_type": "m.annotation", "event_id": target, "key": key } } }),
                2 => message(json!({ "msgtype": "m.text", "body": "* x", "m.new_content": said,
                    "m.relates_to": { "rel_type": "m.replace", "event_id": target } })),
                3 => {
                    json!({ "type": "m.room.redaction", "redacts": target, "content": { "redacts": target } })
                }
                4 => message(json!({ "msgtype": "m.text", "body": text,
                    "m.relates_to": { "m.in_reply_to": { "event_id": target } } })),
                5 => message(json!({ "msgtype": "m.text", "body": text, "m.relates_to": {
                    "rel_type": "m.thread", "event_id": target, "is_falling_back": true,
                    "m.in_reply_to": { "event_id": target } } })),
                6 => {
                    let name = format!("{sender} {}", chance.below(3));
                    json!({ "type": "m.room.member", "state_key": sender,
                        "content": { "membership": "join", "displayname": name },
                        "unsigned": { "prev_content": { "membership": "join", "displayname": "before" } } })
                }
                _ => message(said),
            };
            self.say(event, sender);
        }
    }

    /// A sync tells what happened: all, or only the newest events.
    pub(super) async fn news(&mut self, chance: &mut Chance) {
        let limited = chance.below(4) == 0;
        let newest = format!("$e{}", self.log.len() - 1);
        self.read_upto = format!("$e{}", chance.below(self.log.len()));
        let (reader, ts) = (PEOPLE[1 + chance.below(2)], chance.below(100));
        let receipt =
            json!([{ "type": "m.receipt", "content": { newest: { "m.read": { reader: { "ts": ts } } } } }]);
        let ephemeral = if chance.below(3) == 0 { receipt } else { json!([]) };
        self.sync(limited, ephemeral).await;
    }

    pub(super) async fn sync(&mut self, limited: bool, ephemeral: Value) {
        let delta = self.answer(limited, ephemeral);
        apply_sync(&*self.store, &delta, Some(&me()), &MatrixProtocol).await.unwrap();
    }

    /// The server's answer to a sync: all that happened, or only the newer half.
    pub(super) fn answer(&mut self, limited: bool, ephemeral: Value) -> SyncDelta {
        let skipped = if limited { (self.log.len() - self.told) / 2 } else { 0 };
        let from = self.told + skipped;
        let account_data = json!([{ "type": "m.fully_read", "content": { "event_id": self.read_upto } }]);
        self.syncs += 1;
        let answer = json!({ "next_batch": format!("s{}", self.syncs), "rooms": { "join": { "!r:x": {
            "timeline": {
                "events": &self.log[from..], "limited": skipped > 0, "prev_batch": format!("t{from}"),
            },
            "ephemeral": { "events": ephemeral },
            "account_data": { "events": account_data },
        } } } });
        self.told = self.log.len();
        parse_sync(answer.to_string().as_bytes(), &Account::of(me())).unwrap()
    }

    /// Some events of a gap come in.
    pub(super) async fn fill(&mut self, chance: &mut Chance) {
        let gaps = self.store.gaps(&self.room).await.unwrap();
        let Some(gap) = chance.one(&gaps) else { return };
        let newest = self
            .store
            .timeline(
                &self.room,
                haos_store_api::Page::newer_than(haos_store_api::Cursor::at_position(gap.position), 1),
            )
            .await
            .unwrap();
        let behind = newest.messages().next().and_then(|message| message.id.as_str()[2..].parse().ok());
        let token = gap.token.as_ref().and_then(|token| token[1..].parse().ok());
        let Some(upto) = token.or(behind) else { return };
        let from = upto - chance.below(6).min(upto);
        let mut chunk = self.log[from..upto].to_vec();
        chunk.reverse();
        let mut answer = json!({ "start": format!("t{upto}"), "chunk": chunk });
        if from > 0 {
            answer["end"] = json!(format!("t{from}"));
        }
        let page = parse_messages(answer.to_string().as_bytes(), &self.room, Direction::Older).unwrap();
        apply_page(&*self.store, gap, &page, Some(&me()), &MatrixProtocol).await.unwrap();
    }

    /// Old messages are given up.
    pub(super) async fn prune(&self, chance: &mut Chance) {
        let mut batch = WriteBatch::relaxed();
        batch.prune(Prune {
            room: self.room.clone(),
            keep: 3 + chance.below(20) as u64,
            protect: Vec::new(),
        });
        self.store.apply(batch).await.unwrap();
    }

    pub(super) async fn rows(&self) -> Vec<Pending> {
        self.base.outbox.rows(Some(&self.room)).await.unwrap()
    }

    /// The sending of a row goes on: an attempt, a refusal, the server's word.
    pub(super) async fn send(&mut self, chance: &mut Chance) {
        let rows = self.rows().await;
        let Some(row) = chance.one(&rows) else { return };
        let mut batch = WriteBatch::strict();
        let next = match chance.below(4) {
            0 => Pending {
                state: PendingState::Parked(ParkReason::Forbidden),
                error: Some("no".into()),
                ..row.clone()
            },
            1 => Pending { attempts: row.attempts + 3, ..row.clone() },
            2 if row.state != PendingState::Sent => Pending { state: PendingState::Sending, ..row.clone() },
            _ => return self.echo(row.clone()).await,
        };
        batch.put_pending(next);
        self.store.apply(batch).await.unwrap();
    }

    /// The server takes the row of an event, and a sync brings it back; what waits for it knows its id.
    pub(super) async fn echo(&mut self, row: Pending) {
        let is_event = row.kind.as_str().starts_with("m.");
        if row.parent.is_some() || row.content.as_str().contains("\"~") || !is_event {
            let mut batch = WriteBatch::strict();
            if !is_event {
                batch.remove_pending(row.txn_id.clone());
            }
            self.store.apply(batch).await.unwrap();
            return;
        }
        self.take(&row);
        self.sync(false, json!([])).await;
    }

    /// The server takes the row of an event. Returns the event's id.
    pub(super) fn take(&mut self, row: &Pending) -> EventId {
        let content: Value = row.content.parse().unwrap();
        let mut event = json!({ "type": row.kind.as_str(), "content": content,
            "unsigned": { "transaction_id": row.txn_id.as_str() } });
        if let Some(target) = row.target.as_ref().filter(|_| row.kind.as_str() == "m.room.redaction") {
            event["redacts"] = json!(target.as_str());
        }
        self.say(event, PEOPLE[0]);
        EventId::new(format!("$e{}", self.log.len() - 1)).unwrap()
    }
}
