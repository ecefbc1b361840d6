use haos_store_api::{EventId, EventType, Json, Pending, Result};

use super::server::REDACTION;
use haos_queue::Protocol;

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

    fn outlives_parent(&self, row: &Pending) -> bool {
        row.content.text("answers").is_some()
    }
}
