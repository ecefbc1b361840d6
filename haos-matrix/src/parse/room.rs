use haos_queue::RoomDelta;
use haos_store_api::backend::law::sort_by;
use haos_store_api::{EventId, EventType, Membership, RoomId, Scope, StateEntry, StateKey, Unread, UserId};
use serde_json::value::RawValue;

use super::account_data::{account_data, is_own, listed};
use super::budget::Budget;
use super::event::{RawEvent, timestamp};
use super::members::{Members, is_token, json, list, text};
use super::number::count;
use super::receipt::receipts;
use super::rest::state_value;
use super::unreadable::known_kind;
use crate::Account;

/// The members for a room's current state, which comes after its timeline (MSC4222, `use_state_after`).
const STATE_AFTER: [&str; 2] = ["state_after", "org.matrix.msc4222.state_after"];
/// State before the timeline, stripped state included.
const STATE_BEFORE: [&str; 3] = ["state", "invite_state", "knock_state"];
/// Account data of a room shares its scope with the state events: these types are never state.
const NEVER_STATE: [&str; 5] = ["m.fully_read", "m.marked_unread", "m.receipt", "m.tag", "m.typing"];

/// The most users of a room who are told to be typing.
const MOST_TYPING: usize = 64;

/// Reads one room of a response.
pub(crate) fn room(
    id: RoomId,
    membership: Membership,
    body: &RawValue,
    of: (&Account, &Budget),
) -> RoomDelta {
    let mut reader = RoomReader::new(id, membership, of);
    reader.read(body);
    reader.finish()
}

/// Reads all that a response says of one room, whatever its order: a room that was left and is asked into again
/// stands under `leave` and under `invite`. The later step of leave, knock, invite, join is what holds; of two
/// mentions of the same step, the one with the later events.
pub(crate) fn mentions(
    id: &RoomId,
    mut mentions: Vec<(Membership, &RawValue)>,
    of: (&Account, &Budget),
) -> Vec<RoomDelta> {
    let step = |membership: &Membership| match membership {
        Membership::Join => 3,
        Membership::Invite => 2,
        Membership::Knock => 1,
        _ => 0,
    };
    if mentions.len() > 1 {
        let key = |membership: &Membership, body: &RawValue| (step(membership), latest(body));
        let mut keyed: Vec<_> = mentions
            .into_iter()
            .map(|(membership, body)| (key(&membership, body), membership, body))
            .collect();
        sort_by(&mut keyed, |a, b| a.0.cmp(&b.0).then_with(|| a.2.get().cmp(b.2.get())));
        mentions = keyed.into_iter().map(|(_, membership, body)| (membership, body)).collect();
    }
    let mut deltas: Vec<RoomDelta> = Vec::new();
    let mut reader: Option<RoomReader<'_>> = None;
    for (membership, body) in mentions {
        // Between two timelines there may be a hole.
        let reads_on = reader.as_ref().is_some_and(|reader| reader.delta.timeline.is_empty());
        if !reads_on && !events_of(body).is_empty() || reader.is_none() {
            let next = RoomReader::new(id.clone(), membership, of);
            deltas.extend(reader.replace(next).map(RoomReader::finish));
        }
        if let Some(reader) = &mut reader {
            reader.delta.membership = membership;
            reader.read(body);
        }
    }
    deltas.extend(reader.map(RoomReader::finish));
    deltas
}

fn events_of(room: &RawValue) -> Vec<&RawValue> {
    Members::of(room).and_then(|room| room.object("timeline")?.list("events")).unwrap_or_default()
}

/// The time of the latest event of a timeline.
fn latest(room: &RawValue) -> Option<i64> {
    let times = events_of(room).into_iter().filter_map(|event| Some(timestamp(&Members::of(event)?).0));
    times.max()
}

struct RoomReader<'c> {
    scope: Scope,
    delta: RoomDelta,
    /// The own membership and its time, as the latest member event has it.
    own: Option<Membership>,
    own_ms: Option<i64>,
    account: &'c Account,
    budget: &'c Budget,
}

impl<'c> RoomReader<'c> {
    fn new(id: RoomId, membership: Membership, (account, budget): (&'c Account, &'c Budget)) -> Self {
        Self {
            scope: Scope::Room(id.clone()),
            delta: RoomDelta::new(id, membership),
            own: None,
            own_ms: None,
            account,
            budget,
        }
    }

    fn read(&mut self, body: &RawValue) {
        match Members::of(body) {
            Some(members) => self.sections(&members),
            None => self.delta.state.extend(self.budget.unreadable_member(&self.scope, "room", body)),
        }
    }

    fn sections(&mut self, body: &Members<'_>) {
        let after = STATE_AFTER.iter().any(|name| body.get(name).is_some());
        for name in STATE_BEFORE {
            let stripped = name != "state";
            self.each(body, name, |reader, raw| reader.state(raw, stripped));
        }
        if let Some(timeline) = body.object("timeline") {
            self.delta.limited |= timeline.get("limited").is_some_and(|raw| raw.get() == "true");
            let prev = timeline.text("prev_batch").filter(|prev| is_token(prev));
            self.delta.prev = prev.map(Into::into).or(self.delta.prev.take());
        }
        self.each(body, "timeline", |reader, raw| reader.timeline(raw, !after));
        for name in STATE_AFTER {
            self.each(body, name, |reader, raw| reader.state(raw, false));
        }
        self.each(body, "account_data", |reader, raw| {
            let entry = account_data(&reader.scope, raw, reader.budget);
            reader.delta.state.extend(entry.as_ref().and_then(listed));
            reader.delta.state.extend(entry);
        });
        self.each(body, "ephemeral", Self::ephemeral);
        self.counts(body);
    }

    /// Hands over each event of a section; a section of another shape is set aside.
    fn each(&mut self, body: &Members<'_>, name: &str, mut read: impl FnMut(&mut Self, &RawValue)) {
        let Some(raw) = body.get(name) else { return };
        match events(raw) {
            Some(events) => events.into_iter().for_each(|event| read(self, event)),
            None => self.delta.state.extend(self.budget.unreadable_member(&self.scope, name, raw)),
        }
    }

    fn timeline(&mut self, raw: &RawValue, current: bool) {
        if !self.budget.admits_event(raw) {
            return;
        }
        let Ok(event) = RawEvent::read(raw) else {
            return self.unreadable(raw);
        };
        if let Some(key) = event.state_key.clone().filter(|_| current && !is_taken(&event.kind)) {
            self.current(event.kind.clone(), key, Some(event.id.clone()), &event.members);
        }
        self.delta.timeline.push(event.event());
    }

    fn unreadable(&mut self, raw: &RawValue) {
        self.delta.state.extend(self.budget.unreadable_event(&self.scope, raw));
    }

    fn state(&mut self, raw: &RawValue, stripped: bool) {
        if !self.budget.admits_event(raw) {
            return;
        }
        if stripped {
            if let Some((kind, key, id, members)) = stripped_state(raw) {
                return self.current(kind, key, id, &members);
            }
        } else if let Ok(RawEvent { id, kind, state_key: Some(key), members, .. }) = RawEvent::read(raw)
            && !is_taken(&kind)
        {
            return self.current(kind, key, Some(id), &members);
        }
        self.unreadable(raw);
    }

    /// Takes a state event for the room's current state.
    fn current(&mut self, kind: EventType, key: StateKey, id: Option<EventId>, event: &Members<'_>) {
        let content = event.object("content");
        if kind.as_str() == "m.room.member" && self.account.is(key.as_str()) {
            self.own = content.as_ref().and_then(|content| membership(&content.text("membership")?));
            self.own_ms = event.get("origin_server_ts").is_some().then(|| timestamp(event).0);
        }
        let value = state_value(event);
        self.delta.state.push(StateEntry { scope: self.scope.clone(), kind, key, event_id: id, value });
    }

    /// Receipts are kept. Typing is told, and not kept: like whatever else is ephemeral, it is over before it could be
    /// read again.
    fn ephemeral(&mut self, raw: &RawValue) {
        let members = Members::of(raw);
        let kind = members.as_ref().and_then(|members| members.text("type"));
        let complete = match (kind.as_deref(), &members) {
            (Some("m.receipt"), Some(members)) => {
                let content = members.get("content");
                let (entries, complete) =
                    content.map_or((Vec::new(), false), |raw| receipts(&self.scope, raw, self.budget));
                self.delta.state.extend(entries);
                complete
            }
            (Some("m.typing"), Some(members)) => {
                if let Some(users) = members.object("content").and_then(|content| content.list("user_ids")) {
                    self.delta.typing = Some(self.typing(users));
                }
                true
            }
            (kind, _) => kind.is_some(),
        };
        if !complete {
            self.unreadable(raw);
        }
    }

    /// Those of a list whose ids are valid, the first of them.
    fn typing(&self, users: Vec<&RawValue>) -> Vec<UserId> {
        let users = users.into_iter().take(MOST_TYPING);
        users.filter_map(|user| UserId::new(text(user)?).ok()).collect()
    }

    /// Unread counts, and the members of the summary: a server leaves out those that did not change, so
    /// each has an entry of its own.
    fn counts(&mut self, body: &Members<'_>) {
        if let Some(unread) = body.object("unread_notifications") {
            let number = |name| unread.get(name).and_then(count);
            let (notifications, highlights) = (number("notification_count"), number("highlight_count"));
            if notifications.is_some() || highlights.is_some() {
                self.delta.unread = Some(Unread {
                    notifications: notifications.unwrap_or_default(),
                    highlights: highlights.unwrap_or_default(),
                });
            }
        }
        let summary = body.object("summary");
        if let Some(raw) = body.get("summary").filter(|_| summary.is_none()) {
            self.delta.state.extend(self.budget.unreadable_member(&self.scope, "summary", raw));
        }
        for member in summary.iter().flat_map(|summary| summary.iter()) {
            if !self.budget.admits_event(member.value) {
                continue;
            }
            let key = member.name.as_deref().and_then(|name| StateKey::new(name).ok());
            self.delta.state.extend(match key {
                Some(key) => Some(StateEntry {
                    scope: self.scope.clone(),
                    kind: known_kind("haos.summary"),
                    key,
                    event_id: None,
                    value: json(member.value),
                }),
                None => self.budget.unreadable_member(&self.scope, member.name(), member.value),
            });
        }
    }

    fn finish(mut self) -> RoomDelta {
        if self.delta.membership == Membership::Leave && self.own == Some(Membership::Ban) {
            self.delta.membership = Membership::Ban;
        }
        self.delta.since_ms = self.own_ms.filter(|_| self.own == Some(self.delta.membership));
        self.delta
    }
}

/// The events of a section, if it has its shape; none where there is no list.
pub(crate) fn events(section: &RawValue) -> Option<Vec<&RawValue>> {
    match Members::of(section)?.get("events") {
        None => Some(Vec::new()),
        Some(raw) => list(raw),
    }
}

/// Stripped state: a type, a key and a content; an event id comes with MSC4311 only.
fn stripped_state(raw: &RawValue) -> Option<(EventType, StateKey, Option<EventId>, Members<'_>)> {
    let members = Members::of(raw)?;
    let kind = EventType::new(members.text("type")?).ok().filter(|kind| !is_taken(kind))?;
    let key = StateKey::new(members.text("state_key")?).ok()?;
    let id = members.text("event_id").and_then(|id| EventId::new(id).ok());
    Some((kind, key, id, members))
}

/// Types that would replace what is not room state.
fn is_taken(kind: &EventType) -> bool {
    is_own(kind.as_str()) || NEVER_STATE.contains(&kind.as_str())
}

pub(crate) fn membership(text: &str) -> Option<Membership> {
    Some(match text {
        "join" => Membership::Join,
        "invite" => Membership::Invite,
        "knock" => Membership::Knock,
        "leave" => Membership::Leave,
        "ban" => Membership::Ban,
        _ => return None,
    })
}
