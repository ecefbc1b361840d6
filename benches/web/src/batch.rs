use haos_store_api::{
    EventId, EventType, Json, Membership, Message, Position, Room, RoomId, UserId, WriteBatch,
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

    /// One more message; the content is JSON text.
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
    ) -> Result<(), JsValue> {
        let position = Position::FIRST.newer(position.into()).ok_or_else(|| js("no such position"))?;
        self.0.put_message(Message {
            room: RoomId::new(room).map_err(js)?,
            id: EventId::new(id).map_err(js)?,
            position,
            sender: UserId::new(sender).map_err(js)?,
            timestamp_ms: timestamp_ms as i64,
            kind: EventType::new(kind).map_err(js)?,
            state_key: None,
            content: Json::new(content).map_err(js)?,
            relation: None,
            txn_id: None,
            redacted_by: None,
            provisional: false,
            extra: None,
        });
        Ok(())
    }
}
