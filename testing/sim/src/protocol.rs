use haos_store_api::{EventId, EventType, Json, Pending, Result, Scope, StateEntry, StateKey};

use super::server::{ENCRYPTION, REDACTION};
use haos_queue::{Protocol, RECEIPT};

const UPTO: &str = "upto";

/// A protocol as small as the model's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimProtocol;

impl Protocol for SimProtocol {
    fn edit(
        &self,
        target: &EventId,
        kind: &EventType,
        content: &Json,
        _: Option<&Json>,
    ) -> Result<(EventType, Json)> {
        #[derive(serde::Serialize)]
        struct Edit<'a> {
            edits: &'a EventId,
            new: &'a Json,
        }
        Ok((kind.clone(), Json::of(&Edit { edits: target, new: content })?))
    }

    fn redaction(&self) -> Result<(EventType, Json)> {
        Ok((EventType::new(REDACTION)?, Json::empty()))
    }

    fn encryption(&self) -> Option<&'static str> {
        Some(ENCRYPTION)
    }

    fn seals(&self, kind: &EventType) -> bool {
        !matches!(kind.as_str(), REDACTION | "m.reaction")
    }

    fn outlives_parent(&self, row: &Pending) -> bool {
        row.content.text("answers").is_some()
    }

    /// A receipt may name what was read `upto`, and so does the entry of that kind.
    fn read_marker(&self, row: &Pending) -> Option<StateEntry> {
        row.content.text(UPTO).filter(|_| row.kind.as_str() == RECEIPT)?;
        Some(StateEntry {
            scope: Scope::Room(row.room.clone()),
            kind: EventType::new(UPTO).ok()?,
            key: StateKey::new("").ok()?,
            event_id: None,
            value: row.content.clone(),
        })
    }

    fn read_upto(&self, entry: &StateEntry) -> Option<EventId> {
        EventId::new(entry.value.text(UPTO).filter(|_| entry.kind.as_str() == UPTO)?).ok()
    }
}
