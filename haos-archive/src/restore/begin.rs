//! The first records, held until it is known whose they are.

use haos_store_api::{Json, Result, Room, Scope, StateEntry, StorageAdapter, UserId, state_kind};

use super::{Restore, invalid};
use crate::Record;

/// The most bytes held, about.
const MOST_BYTES: usize = 32 << 20;
/// The bytes of a row besides its texts, about.
const ROW_BYTES: usize = 256;

/// Rooms and the account's state, before the own user is known.
#[derive(Debug, Default)]
pub(super) struct Held {
    records: Vec<Record>,
    bytes: usize,
    owner: Option<UserId>,
}

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    /// Holds a record; gives it back if it is time to write.
    pub(super) fn hold(&mut self, record: Record) -> Result<Option<Record>> {
        let Some(held) = &mut self.held else { return Ok(Some(record)) };
        let is_early = match &record {
            Record::Rooms(_) => true,
            Record::State(entries) => entries.iter().all(|entry| entry.scope == Scope::Account),
            _ => false,
        };
        if !is_early || held.owner.is_some() {
            return Ok(Some(record));
        }
        held.bytes += weight(&record);
        if let Record::State(entries) = &record {
            held.owner = entries.iter().find_map(own_user);
        }
        if held.bytes > MOST_BYTES && held.owner.is_none() {
            return Err(invalid(
                "there are too many rooms to be kept in memory until the account's state comes: name the user with \
                 `RestoreOptions::owner`",
            ));
        }
        held.records.push(record);
        Ok(None)
    }

    /// Writes what was held, if it is of the own user.
    pub(super) async fn release(&mut self) -> Result<()> {
        let Some(held) = self.held.take() else { return Ok(()) };
        if let Some(owner) = &held.owner {
            self.check_owner(owner)?;
            self.own.get_or_insert_with(|| owner.clone());
        }
        for record in held.records {
            self.write(record).await?;
        }
        Ok(())
    }
}

fn own_user(entry: &StateEntry) -> Option<UserId> {
    let is_own = entry.kind.as_str() == state_kind::OWN_USER && entry.key.as_str().is_empty();
    is_own.then(|| entry.value.parse().ok()).flatten()
}

fn weight(record: &Record) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let room = |room: &Room| {
        let spaces: usize = room.spaces.iter().map(|space| space.as_str().len() + 16).sum();
        ROW_BYTES + text(&room.name) + text(&room.topic) + text(&room.avatar) + spaces
    };
    let value = |value: &Json| ROW_BYTES + value.as_str().len();
    match record {
        Record::Rooms(rooms) => rooms.iter().map(room).sum(),
        Record::State(entries) => entries.iter().map(|entry| value(&entry.value)).sum(),
        _ => 0,
    }
}
