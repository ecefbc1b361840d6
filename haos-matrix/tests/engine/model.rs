//! A homeserver that speaks JSON and knows the true order of events.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

pub(crate) const ME: &str = "@me:sim";

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) stream: u64,
    pub(crate) json: Value,
}

#[derive(Default, Clone)]
pub(crate) struct Room {
    pub(crate) events: Vec<Kept>,
    /// The own membership, and since when.
    pub(crate) own: Vec<(u64, &'static str)>,
    /// Its history is not shown.
    pub(crate) forbidden: bool,
    /// Nobody may write in it.
    pub(crate) muted: bool,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) rooms: BTreeMap<String, Room>,
    pub(crate) stream: u64,
    /// Tokens of another age are not known any more.
    pub(crate) age: u64,
    pub(crate) filters: u64,
}

impl Room {
    pub(crate) fn own_at(&self, stream: u64) -> &'static str {
        self.own.iter().rev().find(|(since, _)| *since <= stream).map_or("none", |(_, own)| own)
    }

    fn is_state(event: &Value) -> bool {
        event.get("state_key").is_some()
    }

    /// The state before an index, the last of each key; members only of `shown`.
    fn state(&self, before: usize, since: u64, shown: &BTreeSet<String>) -> Vec<Value> {
        let mut state = BTreeMap::new();
        for kept in self.events[..before].iter().filter(|kept| kept.stream > since) {
            let (kind, key) = (kept.json["type"].as_str().unwrap(), kept.json["state_key"].as_str());
            let Some(key) = key else { continue };
            if kind != "m.room.member" || key == ME || shown.contains(key) {
                state.insert((kind, key), kept.json.clone());
            }
        }
        state.into_values().collect()
    }

    fn page_end(&self, stream: u64) -> usize {
        match self.own_at(stream) {
            "join" => self.events.len(),
            _ => {
                let left = self.own.last().map_or(0, |(since, _)| *since);
                self.events.iter().filter(|kept| kept.stream <= left).count()
            }
        }
    }
}

impl Model {
    pub(crate) fn create(&mut self, room: &str) {
        self.rooms.insert(room.to_owned(), Room::default());
        self.state(room, "@bob:sim", "m.room.create", "", json!({ "room_version": "12" }));
        self.state(room, "@bob:sim", "m.room.name", "", json!({ "name": room }));
        self.member(room, "@bob:sim", "join");
    }

    pub(crate) fn join(&mut self, room: &str) {
        self.own(room, "join");
    }

    /// The own membership changes.
    pub(crate) fn own(&mut self, room: &str, membership: &'static str) {
        self.member(room, ME, membership);
        let stream = self.stream;
        self.rooms.get_mut(room).unwrap().own.push((stream, membership));
    }

    pub(crate) fn member(&mut self, room: &str, user: &str, membership: &str) {
        self.state(room, user, "m.room.member", user, json!({ "membership": membership }));
    }

    pub(crate) fn state(&mut self, room: &str, sender: &str, kind: &str, key: &str, content: Value) {
        let event = json!({ "type": kind, "sender": sender, "state_key": key, "content": content });
        self.keep(room, event);
    }

    pub(crate) fn messages(&mut self, room: &str, count: usize) {
        for _ in 0..count {
            let body = format!("text {}", self.stream);
            let event =
                json!({ "type": "m.room.message", "sender": "@bob:sim", "content": { "body": body } });
            self.keep(room, event);
        }
    }

    /// The own message of a transaction arrives.
    pub(crate) fn echo(&mut self, room: &str, txn: &str) {
        let unsigned = json!({ "transaction_id": txn });
        let content = json!({ "body": "mine" });
        let event =
            json!({ "type": "m.room.message", "sender": ME, "content": content, "unsigned": unsigned });
        self.keep(room, event);
    }

    fn keep(&mut self, room: &str, mut event: Value) {
        self.stream += 1;
        event["event_id"] = json!(format!("${}", self.stream));
        event["origin_server_ts"] = json!(1_700_000_000_000_u64 + self.stream);
        self.rooms.get_mut(room).unwrap().events.push(Kept { stream: self.stream, json: event });
    }

    pub(crate) fn token(&self) -> String {
        format!("s{}_{}", self.age, self.stream)
    }

    /// The stream's place that a token stands for; none: unusable.
    pub(crate) fn place(&self, token: &str) -> Option<u64> {
        token.strip_prefix(&format!("s{}_", self.age))?.parse().ok()
    }

    fn index(&self, token: &str) -> Option<usize> {
        token.strip_prefix(&format!("t{}_", self.age))?.parse().ok()
    }

    pub(crate) fn has_news(&self, since: u64) -> bool {
        self.stream > since
    }

    pub(crate) fn sync(&self, since: Option<u64>, limit: usize) -> Value {
        let (mut join, mut invite, mut leave) = (json!({}), json!({}), json!({}));
        for (id, room) in &self.rooms {
            let now = room.own_at(self.stream);
            let before = since.map_or("none", |since| room.own_at(since));
            let moved = room.own.last().is_some_and(|(at, _)| since.is_none_or(|since| *at > since));
            match now {
                "join" => {
                    // Whoever has just joined is shown the room as if for the first time.
                    let since = since.filter(|_| before == "join" && !(moved && now != before)).unwrap_or(0);
                    if let Some(section) = self.section(room, since, room.events.len(), limit) {
                        join[id] = section;
                    }
                }
                "invite" if moved => {
                    let name = json!({ "type": "m.room.name", "state_key": "", "sender": "@bob:sim", "content": { "name": id } });
                    invite[id] = json!({ "invite_state": { "events": [name] } });
                }
                "leave" | "ban" if moved && since.is_some() => {
                    let end = room.page_end(self.stream);
                    let section = self.section(room, since.unwrap_or(0), end, limit);
                    leave[id] = section.unwrap_or_else(|| json!({}));
                }
                _ => {}
            }
        }
        json!({ "next_batch": self.token(), "rooms": { "join": join, "invite": invite, "leave": leave } })
    }

    fn section(&self, room: &Room, since: u64, end: usize, limit: usize) -> Option<Value> {
        let news = room.events[..end].iter().filter(|kept| kept.stream > since).count();
        if news == 0 {
            return None;
        }
        let first = end - news.min(limit);
        let timeline: Vec<_> = room.events[first..end].iter().map(|kept| kept.json.clone()).collect();
        let senders = timeline.iter().map(|event| event["sender"].as_str().unwrap().to_owned()).collect();
        Some(json!({
            "state": { "events": room.state(first, since, &senders) },
            "timeline": { "events": timeline, "limited": news > limit, "prev_batch": format!("t{}_{first}", self.age) },
        }))
    }

    /// A page of older events; none: the token is unusable.
    pub(crate) fn page(&self, room: &str, from: Option<&str>, limit: usize) -> Option<Value> {
        let room = &self.rooms[room];
        let end = match from {
            Some(token) => self.index(token)?.min(room.events.len()),
            None => room.page_end(self.stream),
        };
        let first = end.saturating_sub(limit);
        let chunk: Vec<_> = room.events[first..end].iter().rev().map(|kept| kept.json.clone()).collect();
        // As real servers do, it may say only with an empty page that history has ended.
        let more = first > 0 || (end > 0 && limit.is_multiple_of(2));
        Some(match more {
            true => json!({ "chunk": chunk, "end": format!("t{}_{first}", self.age) }),
            false => json!({ "chunk": chunk }),
        })
    }

    pub(crate) fn context(&self, room: &str, event: &str, limit: usize) -> Option<Value> {
        let events = &self.rooms[room].events;
        let at = events.iter().position(|kept| kept.json["event_id"] == event)?;
        let first = at.saturating_sub(limit / 2);
        let before: Vec<_> = events[first..at].iter().rev().map(|kept| kept.json.clone()).collect();
        let start = format!("t{}_{first}", self.age);
        Some(json!({ "start": start, "event": events[at].json, "events_before": before }))
    }

    pub(crate) fn members(&self, room: &str, at: Option<u64>) -> Value {
        let at = at.unwrap_or(self.stream);
        let mut members = BTreeMap::new();
        for kept in self.rooms[room].events.iter().filter(|kept| kept.stream <= at) {
            if kept.json["type"] == "m.room.member" && Room::is_state(&kept.json) {
                members.insert(kept.json["state_key"].to_string(), kept.json.clone());
            }
        }
        json!({ "chunk": members.into_values().collect::<Vec<_>>() })
    }

    /// A list of rooms, latest activity first, up to `end`.
    pub(crate) fn sliding(&self, end: usize) -> Value {
        let mut joined: Vec<_> =
            self.rooms.iter().filter(|(_, room)| room.own_at(self.stream) == "join").collect();
        joined.sort_by_key(|(_, room)| std::cmp::Reverse(room.events.last().map(|kept| kept.stream)));
        let mut rooms = json!({});
        for (id, room) in joined.iter().take(end) {
            let last = room.events.len() - 1;
            rooms[*id] = json!({
                "initial": true,
                "required_state": room.state(room.events.len(), 0, &BTreeSet::new()),
                "timeline": [room.events[last].json],
                "limited": last > 0,
                "prev_batch": format!("t{}_{last}", self.age),
            });
        }
        json!({ "pos": end.to_string(), "lists": { "rooms": { "count": joined.len() } }, "rooms": rooms })
    }
}
