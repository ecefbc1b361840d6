//! Reads stored events once their keys are there.

use std::collections::HashMap;

use haos_queue::{Event, Retries};
use haos_store_api::{
    EventId, EventType, Message, MessageQuery, RoomId, Scope, StateEntry, StateKey, StateQuery, WriteBatch,
    state_kind,
};
use matrix_sdk_common::ruma::RoomId as RumaRoomId;

use super::Encryption;
use super::inbox::Sessions;
use super::machine::Turn;
use super::names::names;
use super::open::{Opened, Unread, Waits, index, is_sealed, with_reason};
use super::trouble::Result;
use super::words::{AWAITED, session_key, waiting};
use crate::parse::known_kind;

/// Events that are read in one commit.
const AT_ONCE: usize = 100;

impl Encryption {
    /// Looks once more at what an answer stored unread: its key may have come in between.
    pub(crate) async fn look_again(&self, waits: Waits) {
        if let Err(error) = self.heal(waits.0).await {
            tracing::debug!(%error, "messages wait to be read");
        }
    }

    /// Reads what waits for these sessions, as far as it can be read now.
    pub(super) async fn heal(&self, sessions: Sessions) -> Result<()> {
        for (room, sessions) in sessions {
            for session in sessions {
                self.heal_session(&room, &session).await?;
            }
        }
        Ok(())
    }

    async fn heal_session(&self, room: &RoomId, session: &str) -> Result<()> {
        let store = &*self.inner.store;
        let scope = Scope::Room(room.clone());
        let entries = store.state(StateQuery::kind(scope.clone(), waiting(session)?)).await?;
        if entries.is_empty() {
            return Ok(());
        }
        let mut is_awaited = false;
        for part in entries.chunks(AT_ONCE) {
            is_awaited |= self.heal_part(room, part).await?;
        }
        if !is_awaited {
            let mut batch = WriteBatch::relaxed();
            batch.remove_state(scope, known_kind(AWAITED), session_key(session));
            store.apply(batch).await?;
        }
        Ok(())
    }

    /// True if some wait on.
    async fn heal_part(&self, room: &RoomId, part: &[StateEntry]) -> Result<bool> {
        let store = &*self.inner.store;
        let mut retries = Retries::default();
        loop {
            let Some(stored) = store.room(room).await? else { return Ok(false) };
            let mut batch = WriteBatch::relaxed();
            // Neither a removal nor a redaction is overtaken.
            batch.expect_room(room, Some(stored.revision));
            let events: Vec<EventId> =
                part.iter().filter_map(|entry| EventId::new(entry.key.as_str()).ok()).collect();
            let query = MessageQuery::Ids { room: room.clone(), events };
            let messages = store.messages(query).await?;
            let mut messages: HashMap<String, Message> =
                messages.into_iter().map(|message| (message.id.to_string(), message)).collect();
            let (mut is_awaited, mut taken) = (false, HashMap::new());
            let turn = self.turn().await?;
            for entry in part {
                let message = messages.remove(entry.key.as_str());
                if !self.heal_one(&turn, message, &mut batch, &mut taken).await? {
                    let (scope, kind, key) = (entry.scope.clone(), entry.kind.clone(), entry.key.clone());
                    batch.remove_state(scope, kind, key);
                } else {
                    is_awaited = true;
                }
            }
            turn.done();
            if batch.ops().is_empty() || retries.committed(store.apply(batch).await)?.is_some() {
                return Ok(is_awaited);
            }
        }
    }

    /// True if it waits on.
    async fn heal_one(
        &self,
        turn: &Turn<'_>,
        message: Option<Message>,
        batch: &mut WriteBatch,
        taken: &mut HashMap<StateKey, EventId>,
    ) -> Result<bool> {
        let Some(message) = message else { return Ok(false) };
        let (room, position, is_provisional) = (message.room.clone(), message.position, message.provisional);
        let event = Event::from(message);
        if !is_sealed(&event) {
            return Ok(false);
        }
        let (after, waits) = match self.open(turn, &room, &event, taken).await? {
            Opened::Read(read, place) => {
                batch.put_state(index(&room, &place, &event.id)?);
                for named in names(&room, &read)? {
                    batch.put_state(named);
                }
                taken.insert(place, event.id.clone());
                (read, false)
            }
            Opened::Waits(_, unread) => (unread_as(&event, &unread), true),
            Opened::Never(unread) => (unread_as(&event, &unread), false),
        };
        if after != event {
            let message = after.into_message(room, position);
            batch.put_message(Message { provisional: is_provisional, ..message });
        }
        Ok(waits)
    }

    /// Adds the sessions that rows wait for, and whose keys are here.
    pub(super) async fn add_awaited(&self, turn: &Turn<'_>, sessions: &mut Sessions) -> Result<()> {
        let store = &*self.inner.store;
        let kind = EventType::new(state_kind::ENCRYPTED)?;
        for room in store.state(StateQuery::kind(Scope::Account, kind)).await? {
            let Ok(room) = RoomId::new(room.key.as_str()) else { continue };
            let Ok(ruma_room) = RumaRoomId::parse(room.as_str()) else { continue };
            let query = StateQuery::kind(Scope::Room(room.clone()), known_kind(AWAITED));
            for entry in store.state(query).await? {
                let Ok(session) = entry.value.parse::<String>() else { continue };
                if turn.machine.store().get_inbound_group_session(&ruma_room, &session).await?.is_some() {
                    sessions.entry(room.clone()).or_default().insert(session);
                }
            }
        }
        Ok(())
    }
}

/// An event with why it cannot be read.
fn unread_as(event: &Event, unread: &Unread) -> Event {
    Event { extra: with_reason(event.extra.as_ref(), unread), ..event.clone() }
}
