//! Matrix-like messages, the same in every run.

use haos_store_api::{EventId, EventType, Json, Message, Position, RoomId, UserId};

/// The shape of a data set.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Messages in all.
    pub messages: usize,
    /// Rooms they are spread over, in turns.
    pub rooms: usize,
}

/// The id of room `n`.
pub fn room_id(n: usize) -> RoomId {
    RoomId::new(format!("!{:043x}:example.org", n * 7919)).expect("a room id is valid")
}

/// Message `n` of the data set: 300 to 600 bytes.
pub fn message(n: usize, scale: Scale) -> Message {
    let valid = "ids of the data set are valid";
    let noise = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let words = "lorem ipsum dolor sit amet ".repeat(6 + (noise >> 40) as usize % 12);
    Message {
        room: room_id(n % scale.rooms),
        id: EventId::new(format!("${noise:016x}{n:027}")).expect(valid),
        position: Position::FIRST.newer((n / scale.rooms) as u64).expect(valid),
        sender: UserId::new(format!("@user{}:example.org", noise % 97)).expect(valid),
        timestamp_ms: 1_795_000_000_000 + n as i64 * 250,
        kind: EventType::new("m.room.message").expect(valid),
        state_key: None,
        content: Json::new(format!(r#"{{"msgtype":"m.text","body":"{words}{n}"}}"#)).expect(valid),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}
