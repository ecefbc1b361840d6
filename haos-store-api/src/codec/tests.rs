use super::*;
use crate::*;

fn message() -> Message {
    let room = RoomId::new("!r").unwrap();
    Message {
        room,
        id: EventId::new("$e").unwrap(),
        position: Position::FIRST,
        sender: UserId::new("@a").unwrap(),
        timestamp_ms: 5,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::new(r#"{"body":"hé","n":1.0}"#).unwrap(),
        relation: Some(Relation {
            kind: RelationKind::Other("x".to_owned()),
            target: EventId::new("$t").unwrap(),
            key: None,
        }),
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

const WRITTEN: Revision = Revision(7);

fn columns(message: &Message) -> MessageColumns {
    MessageColumns { position: message.position, timestamp_ms: message.timestamp_ms, written: WRITTEN }
}

#[test]
fn both_forms_round_trip() {
    let message = message();
    for form in [Form::Text, Form::Binary] {
        let codec = Codec::plain().in_form(form);
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let back = codec.message(&message.room, &row.key, columns(&message), row.payload.as_bytes());
        assert_eq!(back.unwrap(), message);
    }
}

#[test]
fn a_json_null_is_not_nothing() {
    for form in [Form::Text, Form::Binary] {
        let codec = Codec::plain().in_form(form);
        for extra in [None, Some(Json::new("null").unwrap())] {
            let message = Message { extra, ..message() };
            let row = codec.message_row(&message, WRITTEN).unwrap();
            let back = codec.message(&message.room, &row.key, columns(&message), row.payload.as_bytes());
            assert_eq!(back.unwrap(), message, "{form:?}");
        }
    }
}

#[test]
fn text_is_lean_json() {
    let codec = Codec::plain().in_form(Form::Text);
    let row = codec.message_row(&message(), WRITTEN).unwrap();
    assert_eq!(
        row.payload.as_text().unwrap(),
        r#"{"event_id":"$e","sender":"@a","type":"m.room.message","content":{"body":"hé","n":1.0},"relation":{"kind":{"other":"x"},"target":"$t","key":null}}"#
    );
}

#[test]
fn every_flipped_bit_of_a_binary_row_is_noticed() {
    let codec = Codec::plain();
    let message = message();
    let row = codec.message_row(&message, WRITTEN).unwrap();
    let good = row.payload.as_bytes();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.to_vec();
            bad[at] ^= 1 << bit;
            let read = codec.message(&message.room, &row.key, columns(&message), &bad);
            assert!(read.is_err(), "byte {at} bit {bit}");
        }
    }
    for cut in 0..good.len() {
        assert!(codec.message(&message.room, &row.key, columns(&message), &good[..cut]).is_err());
    }
}

#[test]
fn a_row_under_another_key_is_noticed() {
    let codec = Codec::plain();
    let message = message();
    let row = codec.message_row(&message, WRITTEN).unwrap();
    let other = codec.event_key(&message.room, &EventId::new("$other").unwrap());
    let read = codec.message(&message.room, &other, columns(&message), row.payload.as_bytes());
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_newer_row_is_refused_as_newer() {
    let codec = Codec::plain();
    let message = message();
    let row = codec.message_row(&message, WRITTEN).unwrap();
    let mut bytes = row.payload.as_bytes().to_vec();
    bytes[0] = 9;
    let read = codec.message(&message.room, &row.key, columns(&message), &bytes);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::NewerSchema);
}
