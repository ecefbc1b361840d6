use haos_store_api::{
    EventId, EventType, Json, Membership, Message, Position, Redact, Relation, RelationKind, Room, RoomId,
    UserId, WriteBatch,
};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::js;

/// Messages to be committed at once, made ready before the clock runs.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Batch(pub(crate) WriteBatch);

#[wasm_bindgen]
impl Batch {
    /// An empty one.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more room: messages need one.
    ///
    /// # Errors
    /// The id is not valid.
    pub fn room(&mut self, id: &str) -> Result<(), JsValue> {
        self.0.put_room(Room::new(RoomId::new(id).map_err(js)?, Membership::Join));
        Ok(())
    }

    /// One more message; the content is JSON text. With a message that it edits, it is an edit.
    ///
    /// # Errors
    /// Something of it is not valid.
    #[expect(clippy::too_many_arguments, reason = "a message has as many fields")]
    pub fn put(
        &mut self,
        room: &str,
        id: &str,
        position: u32,
        sender: &str,
        timestamp_ms: f64,
        kind: &str,
        content: String,
        edits: Option<String>,
    ) -> Result<(), JsValue> {
        let position = Position::FIRST.newer(position.into()).ok_or_else(|| js("no such position"))?;
        let edit = |target: String| {
            Ok::<_, JsValue>(Relation {
                kind: RelationKind::Edit,
                target: EventId::new(target).map_err(js)?,
                key: None,
            })
        };
        self.0.put_message(Message {
            room: RoomId::new(room).map_err(js)?,
            id: EventId::new(id).map_err(js)?,
            position,
            sender: UserId::new(sender).map_err(js)?,
            timestamp_ms: timestamp_ms as i64,
            kind: EventType::new(kind).map_err(js)?,
            state_key: None,
            content: Json::new(content).map_err(js)?,
            relation: edits.map(edit).transpose()?,
            txn_id: None,
            redacted_by: None,
            provisional: false,
            extra: None,
        });
        Ok(())
    }

    /// Empties a message.
    ///
    /// # Errors
    /// An id is not valid.
    pub fn redact(&mut self, room: &str, target: &str, by: &str) -> Result<(), JsValue> {
        self.0.redact(Redact {
            room: RoomId::new(room).map_err(js)?,
            target: EventId::new(target).map_err(js)?,
            by: EventId::new(by).map_err(js)?,
            content: Json::new("{}").map_err(js)?,
        });
        Ok(())
    }
}
