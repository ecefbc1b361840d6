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

/// Every codec whose rows are bound to their place.
fn binding() -> Vec<Codec> {
    let mut codecs = vec![Codec::plain()];
    #[cfg(feature = "seal")]
    codecs.push(Codec::sealed(Keyring::create(&Secret::key([1; 32]), KdfParams::default()).unwrap()));
    codecs
}

#[test]
fn every_flipped_bit_is_noticed() {
    for codec in binding() {
        let message = message();
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let good = row.payload.as_bytes();
        let read = |bytes: &[u8]| codec.message(&message.room, &row.key, columns(&message), bytes);
        assert_eq!(read(good).unwrap(), message);
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.to_vec();
                bad[at] ^= 1 << bit;
                assert!(read(&bad).is_err(), "byte {at} bit {bit}");
            }
        }
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err());
        }
    }
}

/// Every column and every id that a payload is bound to, each changed alone.
#[test]
fn a_row_in_another_place_is_noticed() {
    for codec in binding() {
        let message = message();
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let read = |key: &Key, columns| codec.message(&message.room, key, columns, row.payload.as_bytes());
        let here = columns(&message);
        assert_eq!(read(&row.key, here).unwrap(), message);
        let other_event = codec.event_key(&message.room, &EventId::new("$other").unwrap());
        let other_room = codec.event_key(&RoomId::new("!other").unwrap(), &message.id);
        for key in [other_event, other_room] {
            assert_eq!(read(&key, here).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        for columns in [
            MessageColumns { position: Position::FIRST.newer(1).unwrap(), ..here },
            MessageColumns { timestamp_ms: here.timestamp_ms + 1, ..here },
            MessageColumns { written: Revision(WRITTEN.0 + 1), ..here },
        ] {
            assert_eq!(read(&row.key, columns).unwrap_err().kind(), ErrorKind::Corrupt);
        }
        let elsewhere = codec.state(&row.key, WRITTEN, row.payload.as_bytes());
        assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::Corrupt, "another collection");
    }
}

#[test]
fn chunks_have_their_place() {
    for codec in binding() {
        let rows = [[0; 9], [1; 9]].map(|bytes| codec.chunk_row(5, bytes[0].into(), &bytes).unwrap());
        assert_eq!(codec.chunk(5, 1, rows[1].payload.as_bytes()).unwrap(), [1; 9]);
        for (blob, index, row) in [(5, 0, &rows[1]), (5, 1, &rows[0]), (6, 0, &rows[0])] {
            assert!(codec.chunk(blob, index, row.payload.as_bytes()).is_err());
        }
    }
}

#[test]
fn a_moved_row_is_good_in_its_new_place_alone() {
    for codec in binding() {
        let message = message();
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let (from, to) = (columns(&message), Position::FIRST.newer(9).unwrap());
        let moved = codec.moved_message(&row.key, from, to, row.payload.as_bytes()).unwrap().unwrap();
        let read = |columns| codec.message(&message.room, &row.key, columns, moved.as_bytes());
        assert_eq!(read(MessageColumns { position: to, ..from }).unwrap().position, to);
        assert!(read(from).is_err());
    }
}

/// 31 bytes a row: version, key id, nonce and tag.
#[cfg(feature = "seal")]
#[test]
fn sealing_adds_31_bytes() {
    let [plain, sealed] = [0, 1].map(|n| binding()[n].clone());
    let bytes = |codec: &Codec| codec.message_row(&message(), WRITTEN).unwrap().payload.as_bytes().len();
    assert_eq!(bytes(&sealed), bytes(&plain) - 5 + 31);
    let chunk = sealed.chunk_row(1, 0, &[7; CHUNK_BYTES]).unwrap();
    assert_eq!(chunk.payload.as_bytes().len(), CHUNK_BYTES + 31);
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
