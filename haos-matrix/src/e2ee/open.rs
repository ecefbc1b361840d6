//! Reads encrypted events before they are stored.

use std::collections::{BTreeSet, HashMap};

use haos_queue::{BackfillPage, Event, SyncDelta};
use haos_store_api::{
    EventId, EventType, Json, MessageQuery, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter,
};
use matrix_sdk_common::deserialized_responses::UnableToDecryptReason;
use matrix_sdk_common::ruma::RoomId as RumaRoomId;
use matrix_sdk_common::ruma::serde::Raw;
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::vodozemac::megolm::MegolmMessage;
use matrix_sdk_crypto::{DecryptionSettings, RoomEventDecryptionResult, TrustRequirement};
use serde_json::{Map, Value, json};

use super::Encryption;
use super::inbox::Sessions;
use super::machine::Turn;
use super::names::names;
use super::trouble::Result;
use super::words::{AWAITED, ENCRYPTED, INDEX, ORIGINAL, UNREAD, index_key, of_room, session_key, waiting};
use crate::parse::known_kind;
use crate::parse::members::{Members, json};
use crate::parse::relation::relation;

/// The sessions that events of an answer wait for, by room.
#[derive(Debug, Default)]
#[must_use = "their keys may have come while the answer was stored"]
pub(crate) struct Waits(pub(super) Sessions);

/// What became of an encrypted event.
pub(super) enum Opened {
    /// It is what it says, at an index of a session that belongs to it alone.
    Read(Event, StateKey),
    /// Its key is not there.
    Waits(String, Unread),
    /// It will never be read.
    Never(Unread),
}

/// Why an event cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    reason: &'static str,
    code: Option<String>,
}

impl Unread {
    fn new(reason: &'static str) -> Self {
        Self { reason, code: None }
    }

    fn value(&self) -> Value {
        match &self.code {
            Some(code) => json!({ "reason": self.reason, "code": code }),
            None => json!({ "reason": self.reason }),
        }
    }
}

/// Whose messages are read: everybody's. Whether to trust a device is shown, and hides no message.
pub(super) fn trust() -> DecryptionSettings {
    DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted }
}

impl Encryption {
    /// Reads the encrypted events of a sync whose keys are here.
    pub(crate) async fn open_sync(&self, delta: &mut SyncDelta) -> haos_store_api::Result<Waits> {
        let mut waits = Waits::default();
        for room in &mut delta.rooms {
            let places = (&mut room.state, &mut delta.account);
            self.open_or_leave(&room.id, &mut room.timeline, places, &mut waits).await?;
        }
        Ok(waits)
    }

    /// The same for a page of history.
    pub(crate) async fn open_page(&self, page: &mut BackfillPage) -> haos_store_api::Result<Waits> {
        let mut waits = Waits::default();
        let (room, mut named) = (page.room.clone(), Vec::new());
        let places = (&mut page.state, &mut named);
        self.open_or_leave(&room, &mut page.events, places, &mut waits).await?;
        page.state.extend(named);
        Ok(waits)
    }

    /// Without a machine everything waits: what cannot be read is not lost. `places`: what is noted in the room's scope and in
    /// the account's.
    async fn open_or_leave(
        &self,
        room: &RoomId,
        events: &mut [Event],
        (state, account): (&mut Vec<StateEntry>, &mut Vec<StateEntry>),
        waits: &mut Waits,
    ) -> haos_store_api::Result<()> {
        let wanted = self.wanted(room, events).await?;
        if wanted.is_empty() {
            return Ok(());
        }
        let turn = match self.turn().await {
            Ok(turn) => Some(turn),
            Err(error) => {
                tracing::warn!(%error, "encrypted messages wait to be read");
                None
            }
        };
        let mut taken = HashMap::new();
        for event in events.iter_mut().filter(|event| wanted.contains(&event.id)) {
            let opened = match &turn {
                Some(turn) => self.open(turn, room, event, &taken).await,
                None => Ok(unopened(event)),
            };
            let opened = opened.unwrap_or_else(|error| {
                tracing::warn!(%error, "an encrypted message waits to be read");
                unopened(event)
            });
            match opened {
                Opened::Read(read, place) => {
                    state.push(index(room, &place, &event.id)?);
                    account.extend(names(room, &read)?);
                    taken.insert(place, event.id.clone());
                    *event = read;
                }
                Opened::Waits(session, unread) => {
                    state.extend(awaits(room, &session, &event.id)?);
                    event.extra = with_reason(event.extra.as_ref(), &unread);
                    waits.0.entry(room.clone()).or_default().insert(session);
                }
                Opened::Never(unread) => event.extra = with_reason(event.extra.as_ref(), &unread),
            }
        }
        if let Some(turn) = turn {
            turn.done();
        }
        Ok(())
    }

    /// The encrypted events whose content will be stored. Of one that is stored already, the stored row counts.
    async fn wanted(&self, room: &RoomId, events: &[Event]) -> haos_store_api::Result<BTreeSet<EventId>> {
        let mut wanted: BTreeSet<_> =
            events.iter().filter(|event| is_sealed(event)).map(|event| event.id.clone()).collect();
        if wanted.is_empty() {
            return Ok(wanted);
        }
        let ids = wanted.iter().cloned().collect();
        for held in self.inner.store.messages(MessageQuery::Ids { room: room.clone(), events: ids }).await? {
            if !held.provisional {
                wanted.remove(&held.id);
            }
        }
        Ok(wanted)
    }

    /// Reads one event. `taken`: what events of the same answer have, beside what is stored.
    pub(super) async fn open(
        &self,
        turn: &Turn<'_>,
        room: &RoomId,
        event: &Event,
        taken: &HashMap<StateKey, EventId>,
    ) -> Result<Opened> {
        let invalid = || Opened::Never(Unread::new("invalid"));
        let Some((session, index)) = session_of(&event.content) else { return Ok(invalid()) };
        let Ok(ruma_room) = RumaRoomId::parse(room.as_str()) else { return Ok(invalid()) };
        let Ok(raw) = raw(event) else { return Ok(invalid()) };
        let decrypted = match turn.machine.try_decrypt_room_event(&raw, &ruma_room, &trust()).await? {
            RoomEventDecryptionResult::Decrypted(decrypted) => decrypted,
            RoomEventDecryptionResult::UnableToDecrypt(info) => {
                return Ok(match unread(&info.reason) {
                    Some(unread) => Opened::Waits(session, unread),
                    None => invalid(),
                });
            }
        };
        let key = index_key(&session, index);
        if self.holder(room, &key, taken).await?.is_some_and(|holder| holder != event.id) {
            return Ok(Opened::Never(Unread::new("replayed")));
        }
        Ok(read(event, decrypted.event.json().get()).map_or_else(invalid, |read| Opened::Read(read, key)))
    }

    /// The event that an index of a session belongs to.
    async fn holder(
        &self,
        room: &RoomId,
        key: &StateKey,
        taken: &HashMap<StateKey, EventId>,
    ) -> haos_store_api::Result<Option<EventId>> {
        if let Some(holder) = taken.get(key) {
            return Ok(Some(holder.clone()));
        }
        let query = StateQuery::one(Scope::Room(room.clone()), known_kind(INDEX), key.clone());
        let stored = self.inner.store.state(query).await?.pop();
        Ok(stored.and_then(|entry| EventId::new(entry.value.parse::<String>().ok()?).ok()))
    }
}

/// Tells if an event is encrypted, and not emptied.
pub(super) fn is_sealed(event: &Event) -> bool {
    event.kind.as_str() == ENCRYPTED && event.state_key.is_none() && event.redacted_by.is_none()
}

/// What cannot be looked at now.
fn unopened(event: &Event) -> Opened {
    match session_of(&event.content) {
        Some((session, _)) => Opened::Waits(session, Unread::new("no_key")),
        None => Opened::Never(Unread::new("invalid")),
    }
}

/// The session of a ciphertext, and its index there; none if it is not one of Megolm.
fn session_of(content: &Json) -> Option<(String, u32)> {
    if content.text("algorithm")? != "m.megolm.v1.aes-sha2" {
        return None;
    }
    let message = MegolmMessage::from_base64(&content.text("ciphertext")?).ok()?;
    Some((content.text("session_id")?, message.message_index()))
}

/// The event as the machine takes it.
fn raw(event: &Event) -> serde_json::Result<Raw<EncryptedEvent>> {
    let whole = json!({
        "type": ENCRYPTED,
        "event_id": event.id.as_str(),
        "sender": event.sender.as_str(),
        "origin_server_ts": event.timestamp_ms.max(0),
        "content": serde_json::from_str::<Value>(event.content.as_str())?,
    });
    Raw::from_json_string(whole.to_string())
}

/// Why an event waits for its key; none if no key will help.
fn unread(reason: &UnableToDecryptReason) -> Option<Unread> {
    match reason {
        UnableToDecryptReason::MissingMegolmSession { withheld_code: Some(code) } => {
            Some(Unread { reason: "withheld", code: Some(code.as_str().to_owned()) })
        }
        UnableToDecryptReason::MissingMegolmSession { withheld_code: None }
        | UnableToDecryptReason::UnknownMegolmMessageIndex => Some(Unread::new("no_key")),
        _ => None,
    }
}

/// The event with what it says in place of its ciphertext. None if it says what no encrypted event may: what belongs to
/// the server, to this library, or is encrypted once more.
fn read(event: &Event, decrypted: &str) -> Option<Event> {
    let members = Members::of_text(decrypted)?;
    let same = |name: &str, wanted: &str| members.text(name).is_some_and(|found| found == wanted);
    if !same("event_id", event.id.as_str()) || !same("sender", event.sender.as_str()) {
        return None;
    }
    let kind = EventType::new(members.text("type")?).ok()?;
    let is_reserved = matches!(kind.as_str(), ENCRYPTED | "m.room.redaction" | "m.room.create")
        || kind.as_str().starts_with("haos.");
    if is_reserved || members.get("state_key").is_some() {
        return None;
    }
    let content = json(members.get("content")?);
    let relation = Members::of_text(content.as_str()).and_then(|content| relation(&kind, &content));
    let original = json!({ "content": serde_json::from_str::<Value>(event.content.as_str()).ok()? });
    let extra = marked(event.extra.as_ref(), ORIGINAL, original)?;
    let extra = marked(Some(&extra), UNREAD, Value::Null);
    Some(Event { kind, content, relation, extra, ..event.clone() })
}

/// The rest of an event with another value of a member; null takes it away.
fn marked(extra: Option<&Json>, name: &str, value: Value) -> Option<Json> {
    let mut members: Map<String, Value> = extra.and_then(|extra| extra.parse().ok()).unwrap_or_default();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.to_owned(), value)),
    }
    if members.is_empty() { None } else { Json::of(&members).ok() }
}

/// The rest of an event, with why it cannot be read.
pub(super) fn with_reason(extra: Option<&Json>, unread: &Unread) -> Option<Json> {
    marked(extra, UNREAD, unread.value())
}

/// The entry that keeps an index for its event.
pub(super) fn index(room: &RoomId, place: &StateKey, event: &EventId) -> haos_store_api::Result<StateEntry> {
    Ok(of_room(room, known_kind(INDEX), place.clone(), Json::of(event.as_str())?))
}

/// The entries by which an event is found once its key comes.
fn awaits(room: &RoomId, session: &str, event: &EventId) -> haos_store_api::Result<[StateEntry; 2]> {
    let key = StateKey::new(event.as_str())?;
    Ok([
        of_room(room, waiting(session)?, key, Json::empty()),
        of_room(room, known_kind(AWAITED), session_key(session), Json::of(session)?),
    ])
}
