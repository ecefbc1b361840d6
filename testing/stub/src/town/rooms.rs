//! Rooms, their members, and what is said there.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Happening, Held, Path, Town, refusal};
use crate::server::Answer;

/// Events of a room in a first sync.
const NEWEST: usize = 10;

impl Town {
    /// An encrypted room with these members; the first made it.
    pub fn encrypted_room(&self, id: &str, names: &[&str]) {
        let state = |kind: &str, content: Value| json!({ "sender": format!("@{}:x", names[0]), "type": kind, "state_key": "", "content": content });
        self.add(id, state("m.room.create", json!({ "room_version": "11" })), None);
        names.iter().for_each(|name| self.join(id, name));
        self.add(id, state("m.room.name", json!({ "name": id })), None);
        self.add(id, state("m.room.encryption", json!({ "algorithm": "m.megolm.v1.aes-sha2" })), None);
    }

    /// Somebody comes into a room.
    pub fn join(&self, room: &str, name: &str) {
        self.member(room, name, "join");
    }

    /// Somebody leaves it.
    pub fn leave(&self, room: &str, name: &str) {
        self.member(room, name, "leave");
    }

    fn member(&self, room: &str, name: &str, membership: &str) {
        let user = format!("@{name}:x");
        let content = json!({ "membership": membership });
        self.add(
            room,
            json!({ "sender": user, "type": "m.room.member", "state_key": user, "content": content }),
            None,
        );
    }

    /// An event comes into a room as somebody else's server would send it; its id.
    pub fn inject(&self, room: &str, sender: &str, kind: &str, content: Value) -> String {
        self.add(room, json!({ "sender": format!("@{sender}:x"), "type": kind, "content": content }), None)
    }

    /// The events of a room, as the server has them.
    pub fn events(&self, room: &str) -> Vec<Value> {
        self.held().of_room(room).map(|(_, event, _)| event.clone()).collect()
    }

    fn add(&self, room: &str, event: Value, token: Option<String>) -> String {
        self.held().add(room, event, token)
    }
}

impl Held {
    fn add(&mut self, room: &str, mut event: Value, token: Option<String>) -> String {
        let id = format!("$e{}", self.stream.len());
        event["event_id"] = json!(id);
        event["origin_server_ts"] = json!(1_700_000_000_000_u64 + self.stream.len() as u64);
        self.stream.push(Happening::Event { room: room.to_owned(), event, token });
        id
    }

    fn of_room(&self, id: &str) -> impl Iterator<Item = (usize, &Value, Option<&String>)> {
        self.stream.iter().enumerate().filter_map(move |(place, happening)| match happening {
            Happening::Event { room, event, token } if room == id => Some((place, event, token.as_ref())),
            _ => None,
        })
    }

    /// The latest member event of a user in a room, and its place.
    fn membership(&self, room: &str, user: &str) -> Option<(usize, &str)> {
        let mut of_user = self
            .of_room(room)
            .filter(|(_, event, _)| event["type"] == "m.room.member" && event["state_key"] == user);
        let (place, event, _) = of_user.by_ref().last()?;
        Some((place, event["content"]["membership"].as_str()?))
    }

    fn is_joined(&self, room: &str, user: &str) -> bool {
        self.membership(room, user).is_some_and(|(_, is)| is == "join")
    }

    fn rooms(&self) -> Vec<String> {
        let mut rooms: Vec<_> = self
            .stream
            .iter()
            .filter_map(|happening| match happening {
                Happening::Event { room, .. } => Some(room.clone()),
                _ => None,
            })
            .collect();
        rooms.sort();
        rooms.dedup();
        rooms
    }

    pub(super) fn share_a_room(&self, one: &str, other: &str) -> bool {
        self.rooms().iter().any(|room| self.is_joined(room, one) && self.is_joined(room, other))
    }

    /// The state of a room before a place, the last of each key.
    fn state(&self, room: &str, before: usize) -> Vec<Value> {
        let mut state = BTreeMap::new();
        for (_, event, _) in
            self.of_room(room).filter(|(place, event, _)| *place < before && event["state_key"].is_string())
        {
            state.insert((event["type"].to_string(), event["state_key"].to_string()), event.clone());
        }
        state.into_values().collect()
    }

    pub(super) fn send(&mut self, path: &Path<'_>, room: &str, kind: &str, content: Value) -> Value {
        let (user, _) = path.asker();
        let txn = path.parts.last().cloned().unwrap_or_default();
        let unsigned = json!({ "transaction_id": txn });
        let event = json!({ "sender": user, "type": kind, "content": content, "unsigned": unsigned });
        json!({ "event_id": self.add(room, event, Some(path.token.clone())) })
    }

    pub(super) fn sync(&self, asker: (String, String), since: Option<usize>) -> Value {
        let token = format!("{}|{}", asker.0, asker.1);
        let (mut join, mut leave) = (Map::new(), Map::new());
        for room in self.rooms() {
            let Some((moved, membership)) = self.membership(&room, &asker.0) else { continue };
            let is_new = since.is_none_or(|since| moved >= since);
            let end = if membership == "join" { usize::MAX } else { moved + 1 };
            let places: Vec<_> = self.of_room(&room).filter(|(place, ..)| *place < end).collect();
            // Whoever has just joined is shown the room as if for the first time.
            let is_first = is_new && membership == "join";
            let from = match since {
                Some(since) if !is_first => since,
                _ => places[places.len().saturating_sub(NEWEST)].0,
            };
            let timeline: Vec<_> = places.iter().filter(|(place, ..)| *place >= from).collect();
            if timeline.is_empty() || (membership != "join" && !is_new) {
                continue;
            }
            let state = if is_first { self.state(&room, from) } else { Vec::new() };
            let events: Vec<_> = timeline.iter().map(|(_, event, of)| shown(event, *of, &token)).collect();
            let is_limited = is_first && places.len() > timeline.len();
            let timeline =
                json!({ "events": events, "limited": is_limited, "prev_batch": format!("p{from}") });
            let section = json!({ "timeline": timeline, "state": { "events": state } });
            let of = if membership == "join" { &mut join } else { &mut leave };
            of.insert(room, section);
        }
        let mut answer = json!({
            "next_batch": format!("s{}", self.stream.len()),
            "rooms": { "join": join, "leave": leave },
        });
        self.sync_keys(&mut answer, &asker, since);
        answer
    }

    pub(super) fn messages(&self, room: &str, path: &Path<'_>) -> Value {
        let from = path.wanted("from").map_or(self.stream.len(), |token| token[1..].parse().unwrap());
        let limit = path.wanted("limit").map_or(10, |limit| limit.parse().unwrap());
        let before: Vec<_> = self.of_room(room).filter(|(place, ..)| *place < from).collect();
        let page = &before[before.len().saturating_sub(limit)..];
        let chunk: Vec<_> = page.iter().rev().map(|(_, event, of)| shown(event, *of, &path.token)).collect();
        let mut answer = json!({ "chunk": chunk, "start": format!("p{from}") });
        if page.len() < before.len() {
            answer["end"] = json!(format!("p{}", page[0].0));
        }
        answer
    }

    pub(super) fn context(&self, room: &str, id: &str, path: &Path<'_>) -> Value {
        let (at, event, of) = self.of_room(room).find(|(_, event, _)| event["event_id"] == id).unwrap();
        let before: Vec<_> = self.of_room(room).filter(|(place, ..)| *place < at).collect();
        let limit = path.wanted("limit").map_or(10, |limit| limit.parse().unwrap());
        let page = &before[before.len().saturating_sub(limit)..];
        let events: Vec<_> = page.iter().rev().map(|(_, event, of)| shown(event, *of, &path.token)).collect();
        let start = page.first().map_or(0, |(place, ..)| *place);
        json!({ "event": shown(event, of, &path.token), "events_before": events, "start": format!("p{start}") })
    }

    /// The content of a room's state without a key.
    pub(super) fn content(&self, room: &str, kind: &str) -> Answer {
        let state = self.state(room, usize::MAX);
        match state.iter().find(|event| event["type"] == kind && event["state_key"] == "") {
            Some(event) => (200, event["content"].to_string().into_bytes()),
            None => refusal(404, "M_NOT_FOUND"),
        }
    }

    pub(super) fn members(&self, room: &str) -> Value {
        let members: Vec<_> = self
            .state(room, usize::MAX)
            .into_iter()
            .filter(|event| event["type"] == "m.room.member")
            .collect();
        json!({ "chunk": members })
    }

    pub(super) fn event(&self, room: &str, id: &str) -> Answer {
        match self.of_room(room).find(|(_, event, _)| event["event_id"] == id) {
            Some((_, event, _)) => (200, event.to_string().into_bytes()),
            None => refusal(404, "M_NOT_FOUND"),
        }
    }

    pub(super) fn keep_media(&mut self, bytes: Vec<u8>) -> Value {
        self.media.push(bytes);
        json!({ "content_uri": format!("mxc://x/{}", self.media.len() - 1) })
    }

    pub(super) fn media(&self, id: &str) -> Answer {
        let bytes = id.parse::<usize>().ok().and_then(|id| self.media.get(id));
        bytes.map_or_else(|| refusal(404, "M_NOT_FOUND"), |bytes| (200, bytes.clone()))
    }
}

/// An event as somebody is shown it: its transaction is known to the device that sent it.
fn shown(event: &Value, of: Option<&String>, token: &str) -> Value {
    let mut event = event.clone();
    if of.is_none_or(|of| of != token)
        && let Some(unsigned) = event.get_mut("unsigned")
    {
        *unsigned = json!({});
    }
    event
}
