use super::*;
use crate::*;

mod damage;
mod stored;

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

fn columns(message: &Message, row: &MessageRow) -> MessageColumns {
    MessageColumns {
        position: message.position,
        timestamp_ms: message.timestamp_ms,
        written: WRITTEN,
        links: row.links(),
    }
}

fn read(codec: &Codec, message: &Message, row: &MessageRow) -> Result<Message> {
    codec.message(codec.room_ref(&message.room), &row.key, columns(message, row), row.payload.as_bytes())
}

#[test]
fn both_forms_round_trip() {
    let message = message();
    for form in [Form::Text, Form::Binary] {
        let codec = Codec::plain().in_form(form);
        let row = codec.message_row(&message, WRITTEN).unwrap();
        assert_eq!(read(&codec, &message, &row).unwrap(), message);
    }
}

#[test]
fn a_json_null_is_not_nothing() {
    for form in [Form::Text, Form::Binary] {
        let codec = Codec::plain().in_form(form);
        for extra in [None, Some(Json::new("null").unwrap())] {
            let message = Message { extra, ..message() };
            let row = codec.message_row(&message, WRITTEN).unwrap();
            assert_eq!(read(&codec, &message, &row).unwrap(), message, "{form:?}");
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

/// Makes every codec whose rows are bound to their place.
fn binding() -> Vec<Codec> {
    let mut codecs = vec![Codec::plain()];
    codecs.push(Codec::sealed(Keyring::create(&Secret::key([1; 32]), KdfParams::default()).unwrap()));
    codecs
}

/// Every column and every id in a message's binding, each changed alone.
#[test]
fn a_message_in_another_place_is_noticed() {
    for codec in binding() {
        let message = Message { txn_id: Some(TxnId::new("t").unwrap()), ..message() };
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let (home, here) = (codec.room_ref(&message.room), columns(&message, &row));
        let read = |room, key: &Key, columns| codec.message(room, key, columns, row.payload.as_bytes());
        assert_eq!(read(home, &row.key, here).unwrap(), message);
        let other = RoomId::new("!other").unwrap();
        let corrupt = |read: Result<Message>| assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
        corrupt(read(codec.room_ref(&other), &row.key, here));
        let other_event = codec.event_key(&message.room, &EventId::new("$other").unwrap());
        let other_room = codec.event_key(&other, &message.id);
        for key in [other_event, other_room] {
            corrupt(read(home, &key, here));
        }
        let links = here.links;
        for columns in [
            MessageColumns { position: Position::FIRST.newer(1).unwrap(), ..here },
            MessageColumns { timestamp_ms: here.timestamp_ms + 1, ..here },
            MessageColumns { written: Revision(WRITTEN.0 + 1), ..here },
            MessageColumns { links: Links { sender: links.sender + 1, ..links }, ..here },
            MessageColumns { links: Links { target: None, ..links }, ..here },
            MessageColumns { links: Links { target: Some(0), ..links }, ..here },
            MessageColumns { links: Links { target: links.txn, txn: links.target, ..links }, ..here },
            MessageColumns { links: Links { txn: None, ..links }, ..here },
        ] {
            corrupt(read(home, &row.key, columns));
        }
        let elsewhere = StateColumns { scope: home.key, kind: 0, key: row.key, written: WRITTEN };
        let elsewhere = codec.state(elsewhere, row.payload.as_bytes());
        assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::Corrupt, "another collection");
    }
}

/// An absent link differs from one whose key begins with zeros.
#[test]
fn no_link_is_no_link_to_zero() {
    let none = Links::default();
    assert_ne!(none.columns(), Links { target: Some(0), ..none }.columns());
    assert_ne!(none.columns(), Links { txn: Some(0), ..none }.columns());
}

#[test]
fn a_state_entry_of_another_scope_or_kind_is_noticed() {
    let id = |text: &str| EventType::new(text).unwrap();
    let scope = |text: &str| Scope::Room(RoomId::new(text).unwrap());
    let entry = StateEntry {
        scope: scope("!r"),
        kind: id("m.room.member"),
        key: StateKey::new("@a").unwrap(),
        event_id: None,
        value: Json::empty(),
    };
    for codec in binding() {
        let row = codec.state_row(&entry, WRITTEN).unwrap();
        let here = StateColumns { scope: row.scope, kind: row.kind.short(), key: row.key, written: WRITTEN };
        let read = |columns| codec.state(columns, row.payload.as_bytes());
        assert_eq!(read(here).unwrap(), entry);
        for columns in [
            StateColumns { scope: codec.scope_key(&scope("!other")), ..here },
            StateColumns { kind: codec.kind_key(&entry.scope, &id("m.other")).short(), ..here },
            StateColumns {
                key: codec.state_key(&entry.scope, &entry.kind, &StateKey::new("").unwrap()),
                ..here
            },
            StateColumns { written: Revision(0), ..here },
        ] {
            assert_eq!(read(columns).unwrap_err().kind(), ErrorKind::Corrupt, "{columns:?}");
        }
    }
}

/// Every codec, with the room's column and without it.
#[test]
fn an_outbox_row_of_another_room_is_noticed() {
    let id = |text: &str| RoomId::new(text).unwrap();
    let kind = EventType::new("m.room.message").unwrap();
    let pending = Pending::new(TxnId::new("t").unwrap(), id("!r"), kind, Json::empty(), 0);
    for codec in binding().into_iter().chain([Codec::plain().in_form(Form::Text)]) {
        let row = codec.pending_row(&pending).unwrap();
        let Pending { seq, not_before_ms, revision, .. } = pending;
        let read = |room: Option<Key>, key: &Key| {
            let room = room.map(|key| key.short());
            let columns = PendingColumns { seq, room, not_before_ms, revision };
            codec.pending(key, columns, row.payload.as_bytes())
        };
        assert_eq!(read(Some(row.room), &row.key).unwrap(), pending);
        assert_eq!(read(None, &row.key).unwrap(), pending);
        let wrong_room = read(Some(codec.room_key(&id("!other"))), &row.key);
        let wrong_txn = read(Some(row.room), &codec.txn_key(&TxnId::new("u").unwrap()));
        for wrong in [wrong_room, wrong_txn] {
            assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}

/// A text row is not bound, and tells its ids.
#[test]
fn text_under_anothers_key_is_noticed() {
    let codec = Codec::plain().in_form(Form::Text);
    let (message, other) = (message(), RoomId::new("!other").unwrap());
    let row = codec.message_row(&message, WRITTEN).unwrap();
    let text = row.payload.as_bytes();
    let elsewhere = [
        codec.message(codec.room_ref(&other), &row.key, columns(&message, &row), text),
        codec.message(codec.room_ref(&message.room), &codec.room_key(&other), columns(&message, &row), text),
    ];
    for read in elsewhere {
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    let gap = Gap { room: message.room.clone(), position: Position::FIRST, token: None, revision: WRITTEN };
    let row = codec.gap_row(&gap).unwrap();
    let read = |room| codec.gap(codec.room_ref(room), gap.position, WRITTEN, row.payload.as_bytes());
    assert_eq!(read(&gap.room).unwrap(), gap);
    assert_eq!(read(&other).unwrap_err().kind(), ErrorKind::Corrupt);
    let mut room = Room::new(message.room.clone(), Membership::Join);
    room.revision = WRITTEN;
    let row = codec.room_row(&room).unwrap();
    let read = |key: &Key| codec.room(key, 0, WRITTEN, row.payload.as_bytes());
    assert_eq!(read(&row.key).unwrap(), room);
    assert_eq!(read(&codec.room_key(&other)).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn text_of_media_and_state_under_anothers_key_is_noticed() {
    let codec = Codec::plain().in_form(Form::Text);
    let key = |format: &str| MediaKey {
        uri: MediaUri::new("mxc://h/m").unwrap(),
        format: MediaFormat::new(format).unwrap(),
    };
    let info = MediaInfo {
        key: key(""),
        size: 1,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: 2,
        fetched_at_ms: 3,
        pinned: false,
    };
    let row = codec.media_row(&info, 4, WRITTEN).unwrap();
    let columns = MediaColumns { blob: 4, size: 1, last_access_ms: 2, pinned: false, written: WRITTEN };
    let read = |key: &Key| codec.media_info(key, columns, row.payload.as_bytes());
    assert_eq!(read(&row.key).unwrap(), info);
    assert_eq!(read(&codec.media_key(&key("f"))).unwrap_err().kind(), ErrorKind::Corrupt);
    let (scope, kind) = (Scope::Account, EventType::new("m.x").unwrap());
    let key = |text: &str| StateKey::new(text).unwrap();
    let entry = StateEntry { scope, kind, key: key(""), event_id: None, value: Json::empty() };
    let row = codec.state_row(&entry, WRITTEN).unwrap();
    let here = StateColumns { scope: row.scope, kind: row.kind.short(), key: row.key, written: WRITTEN };
    let read = |columns| codec.state(columns, row.payload.as_bytes());
    assert_eq!(read(here).unwrap(), entry);
    let other = codec.state_key(&entry.scope, &entry.kind, &key("other"));
    assert_eq!(read(StateColumns { key: other, ..here }).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// Text tells no place, so a message that moves takes its payload along.
#[test]
fn text_is_moved_as_it_is() {
    let codec = Codec::plain().in_form(Form::Text);
    let message = message();
    let row = codec.message_row(&message, WRITTEN).unwrap();
    let (from, to) = (columns(&message, &row), Position::FIRST.newer(9).unwrap());
    let room = codec.room_ref(&message.room);
    let moved = codec.moved_message(&room.key, &row.key, from, to, row.payload.as_bytes());
    assert_eq!(moved.unwrap(), None);
}

#[test]
fn every_form_but_plain_text_binds() {
    let forms = [Form::Text, Form::Binary];
    assert_eq!(forms.map(|form| Codec::plain().in_form(form).binds()), [false, true]);
    for codec in binding() {
        let is_sealed = codec.is_sealed();
        assert_eq!(forms.map(|form| codec.clone().in_form(form).binds()), [is_sealed, true]);
    }
}

#[test]
fn chunks_have_their_place() {
    for codec in binding() {
        let rows = [[0; 9], [1; 9]].map(|bytes| codec.chunk_row(5, bytes[0].into(), &bytes).unwrap());
        assert_eq!(codec.chunk(5, 1, rows[1].payload.as_bytes()).unwrap(), [1; 9]);
        for (blob, index, row) in [(5, 0, &rows[1]), (5, 1, &rows[0]), (6, 0, &rows[0])] {
            let read = codec.chunk(blob, index, row.payload.as_bytes());
            assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}

#[test]
fn a_moved_row_is_good_in_its_new_place_alone() {
    for codec in binding() {
        let message = message();
        let row = codec.message_row(&message, WRITTEN).unwrap();
        let (from, to) = (columns(&message, &row), Position::FIRST.newer(9).unwrap());
        let room = codec.room_ref(&message.room);
        let moved = codec.moved_message(&room.key, &row.key, from, to, row.payload.as_bytes());
        let moved = moved.unwrap().unwrap();
        let read = |columns| codec.message(room, &row.key, columns, moved.as_bytes());
        assert_eq!(read(MessageColumns { position: to, ..from }).unwrap().position, to);
        assert_eq!(read(from).unwrap_err().kind(), ErrorKind::Corrupt);
        // A move repairs no damage.
        let read = codec.moved_message(&room.key, &row.key, from, to, moved.as_bytes());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

/// 31 bytes a row: version, key id, nonce and tag.
#[test]
fn sealing_adds_31_bytes() {
    let [plain, sealed] = [0, 1].map(|n| binding()[n].clone());
    let bytes = |codec: &Codec| codec.message_row(&message(), WRITTEN).unwrap().payload.as_bytes().len();
    assert_eq!(bytes(&sealed), bytes(&plain) - 5 + 31);
    let chunk = sealed.chunk_row(1, 0, &[7; CHUNK_BYTES]).unwrap();
    assert_eq!(chunk.payload.as_bytes().len(), CHUNK_BYTES + 31);
}
