//! Any text as a cursor: it is valid or refused, and a cursor survives as text.

use haos_store_api::{Cursor, EventId, EventType, Json, Message, Position, RoomId, UserId};

/// The first ten bytes are two positions, the rest is a cursor's text and an event's id.
pub fn run(data: &[u8]) {
    let Some((numbers, rest)) = data.split_at_checked(10) else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (one, other) = (position(&numbers[..5]), position(&numbers[5..]));
    if let Ok(cursor) = text.parse::<Cursor>() {
        survives(&cursor, one);
    }
    survives(&Cursor::at_position(one), other);
    if let Ok(event) = EventId::new(text) {
        let cursor = Cursor::of(&message(event, one));
        assert_eq!(cursor.resolve(None), one);
        assert_eq!(cursor.resolve(Some(other)), other, "a cursor at its message stays at its message");
        survives(&cursor, other);
    }
}

fn survives(cursor: &Cursor, now: Position) {
    let text = cursor.to_string();
    let read = text.parse::<Cursor>().expect("the text of a cursor");
    assert_eq!(read, *cursor, "as {text:?}");
    assert_eq!(read.to_string(), text);
    assert_eq!(read.resolve(Some(now)), cursor.resolve(Some(now)));
    assert_eq!(read.anchor(), cursor.anchor());
}

/// Reads 40 bits: every position and nothing else.
fn position(bytes: &[u8]) -> Position {
    let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    Position::new(number).expect("40 bits")
}

fn message(id: EventId, position: Position) -> Message {
    Message {
        room: RoomId::new("!lobby").expect("a room id"),
        id,
        position,
        sender: UserId::new("@ada:example.org").expect("a user id"),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").expect("an event type"),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}
