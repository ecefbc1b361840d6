//! matrix-sdk-sqlite as a contender: `haos-rivals sdk|sdk-key FOLDER ROOMS`, then orders on the standard input.
//!
//! It keeps messages in its event cache, in chunks; here each holds 50, what a page shows, so that a page is a chunk
//! and a chunk a page. Room rows, sync token and what is to be sent are in its state store, files in its media store:
//! three databases, as its client has them.

use std::collections::HashMap;
use std::path::Path;

use haos_contest::{Contender, Made, room_id, serve};
use matrix_sdk_base::deserialized_responses::TimelineEvent;
use matrix_sdk_base::event_cache::store::EventCacheStore;
use matrix_sdk_base::linked_chunk::{
    ChunkContent, ChunkIdentifier, LinkedChunkId, Position, RawChunk, Update,
};
use matrix_sdk_base::media::store::{IgnoreMediaRetentionPolicy, MediaStore};
use matrix_sdk_base::media::{MediaFormat, MediaRequestParameters};
use matrix_sdk_base::store::{
    QueuedRequestKind, RoomLoadSettings, SerializableEventContent, StateChanges, StateStore,
};
use matrix_sdk_base::{RoomInfo, RoomState};
use matrix_sdk_sqlite::{SqliteEventCacheStore, SqliteMediaStore, SqliteStateStore};
use ruma::events::room::MediaSource;
use ruma::serde::Raw;
use ruma::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedTransactionId, TransactionId,
};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

/// Messages in a chunk.
const CHUNK: u64 = 50;

type Updates = Vec<Update<TimelineEvent, matrix_sdk_base::event_cache::Gap>>;

/// The stores.
struct Sdk<const SEALED: bool> {
    runtime: Runtime,
    cache: SqliteEventCacheStore,
    state: SqliteStateStore,
    media: SqliteMediaStore,
}

/// Updates by room, and what a sync changes besides.
struct Batch {
    rooms: Vec<(usize, Updates)>,
    changes: Option<StateChanges>,
}

fn room(n: usize) -> OwnedRoomId {
    room_id(n).try_into().unwrap()
}

fn file(n: usize) -> MediaRequestParameters {
    let source = MediaSource::Plain(format!("mxc://example.org/{n}").into());
    MediaRequestParameters { source, format: MediaFormat::File }
}

fn event(made: &Made, room: &OwnedRoomId) -> TimelineEvent {
    let content: serde_json::Value = serde_json::from_str(&made.content).unwrap();
    let event = json!({
        "type": "m.room.message", "event_id": made.id, "sender": made.sender, "room_id": room,
        "origin_server_ts": made.timestamp_ms, "content": content,
    });
    TimelineEvent::from_plaintext(Raw::new(&event).unwrap().cast_unchecked())
}

impl<const SEALED: bool> Sdk<SEALED> {
    fn run<T, E: std::fmt::Debug>(&self, call: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(call).unwrap()
    }

    /// The chunks of messages, begun as they are needed.
    fn updates(&self, messages: &[Made]) -> Vec<(usize, Updates)> {
        let mut rooms: HashMap<usize, Vec<&Made>> = HashMap::new();
        for made in messages {
            rooms.entry(made.room).or_default().push(made);
        }
        let mut all: Vec<_> = rooms.into_iter().map(|(n, made)| (n, self.room_updates(n, &made))).collect();
        all.sort_by_key(|(n, _)| *n);
        all
    }

    fn room_updates(&self, n: usize, messages: &[&Made]) -> Updates {
        let (mut updates, room) = (Updates::new(), room(n));
        for run in messages.chunk_by(|a, b| a.position / CHUNK == b.position / CHUNK) {
            let (chunk, index) = (run[0].position / CHUNK, run[0].position % CHUNK);
            let new = ChunkIdentifier::new(chunk);
            if index == 0 {
                let previous = chunk.checked_sub(1).map(ChunkIdentifier::new);
                updates.push(Update::NewItemsChunk { previous, new, next: None });
            }
            let items = run.iter().map(|made| event(made, &room)).collect();
            updates.push(Update::PushItems { at: Position::new(new, index as usize), items });
        }
        updates
    }
}

fn events(chunk: Option<RawChunk<TimelineEvent, matrix_sdk_base::event_cache::Gap>>) -> usize {
    match chunk.map(|chunk| chunk.content) {
        Some(ChunkContent::Items(items)) => items.len(),
        _ => 0,
    }
}

impl<const SEALED: bool> Contender for Sdk<SEALED> {
    type Batch = Batch;

    fn open(folder: &Path) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let key = SEALED.then_some(&[7_u8; 32]);
        let cache = runtime.block_on(SqliteEventCacheStore::open_with_key(folder, key)).unwrap();
        let state = runtime.block_on(SqliteStateStore::open_with_key(folder, key)).unwrap();
        let media = runtime.block_on(SqliteMediaStore::open_with_key(folder, key)).unwrap();
        Self { runtime, cache, state, media }
    }

    fn put_rooms(&self, rooms: usize) {
        let mut changes = StateChanges::default();
        for n in 0..rooms {
            changes.add_room(RoomInfo::new(&room(n), RoomState::Joined));
        }
        self.run(self.state.save_changes(&changes));
    }

    fn batch(&self, messages: Vec<Made>, token: Option<String>, _strict: bool) -> Batch {
        let changes = token.map(|token| {
            let mut changes = StateChanges::new(token);
            if let Some(last) = messages.last() {
                changes.add_room(RoomInfo::new(&room(last.room), RoomState::Joined));
            }
            changes
        });
        Batch { rooms: self.updates(&messages), changes }
    }

    fn commit(&self, batch: Batch) {
        for (n, updates) in batch.rooms {
            self.run(self.cache.handle_linked_chunk_updates(LinkedChunkId::Room(&room(n)), updates));
        }
        if let Some(changes) = &batch.changes {
            self.run(self.state.save_changes(changes));
        }
    }

    /// The last chunk, and the one before it where that is not full.
    fn newest(&self, n: usize, limit: usize) -> usize {
        let (room, mut found) = (room(n), 0);
        let mut chunk = self.run(self.cache.load_last_chunk(LinkedChunkId::Room(&room))).0;
        while let Some(read) = chunk {
            let identifier = read.identifier;
            found += events(Some(read));
            if found >= limit {
                return limit;
            }
            chunk = self.run(self.cache.load_previous_chunk(LinkedChunkId::Room(&room), identifier));
        }
        found
    }

    fn older(&self, n: usize, before: u64, _limit: usize) -> Option<usize> {
        let chunk = ChunkIdentifier::new(before / CHUNK);
        let room = room(n);
        Some(events(self.run(self.cache.load_previous_chunk(LinkedChunkId::Room(&room), chunk))))
    }

    /// It has no way from an event to its chunk: its client asks the server.
    fn around(&self, _n: usize, _id: &str, _each_side: usize) -> Option<usize> {
        None
    }

    fn get(&self, n: usize, id: &str) -> bool {
        let (room, id): (_, &EventId) = (room(n), id.try_into().unwrap());
        self.run(self.cache.find_event(&room, id)).is_some()
    }

    fn related(&self, n: usize, id: &str) -> Option<usize> {
        let (room, id): (_, OwnedEventId) = (room(n), id.try_into().unwrap());
        Some(self.run(self.cache.find_event_relations(&room, &id, None)).len())
    }

    /// It has all of them, in no order: its client sorts.
    fn rooms(&self, limit: usize) -> Option<usize> {
        let mut rooms = self.run(self.state.get_room_infos(&RoomLoadSettings::All));
        rooms.truncate(limit);
        Some(rooms.len())
    }

    fn send(&self, made: &Made) -> Option<()> {
        let room = room(made.room);
        let txn: OwnedTransactionId = TransactionId::new();
        let raw = Raw::from_json_string(made.content.clone()).unwrap();
        let content = SerializableEventContent::from_raw(raw, "m.room.message".to_owned());
        let request = QueuedRequestKind::Event { content };
        let now = MilliSecondsSinceUnixEpoch::now();
        self.run(self.state.save_send_queue_request(&room, txn.clone(), now, request, 0));
        self.run(self.state.remove_send_queue_request(&room, &txn)).then_some(())
    }

    fn put_media(&self, n: usize, bytes: Vec<u8>) -> Option<()> {
        // Its policy leaves out what is larger than 20 MiB.
        let policy = IgnoreMediaRetentionPolicy::Yes;
        self.run(self.media.add_media_content(&file(n), bytes, policy));
        Some(())
    }

    /// It reads whole files only.
    fn media(&self, n: usize, from: u64, bytes: u64) -> Option<usize> {
        let content = self.run(self.media.get_media_content(&file(n)))?;
        Some(content[from as usize..(from + bytes) as usize].len())
    }

    fn close(self) {
        self.run(self.cache.close());
        self.run(self.state.close());
        self.run(self.media.close());
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().expect("usage: haos-rivals sdk|sdk-key FOLDER ROOMS");
    let (name, folder) = (next(), next());
    let rooms = next().parse().expect("ROOMS is a number");
    match name.as_str() {
        "sdk" => serve::<Sdk<false>>(Path::new(&folder), rooms),
        "sdk-key" => serve::<Sdk<true>>(Path::new(&folder), rooms),
        other => panic!("no contender is called {other}"),
    }
}
