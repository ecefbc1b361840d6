//! Bytes stored today stay readable for ever: the forms of rows and keys, pinned.

use haos_store_seal::Hash;

use super::*;

fn short(bytes: &[u8]) -> String {
    Hash::of(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a row of each kind, once with every field and once with the fewest.
fn payloads(codec: &Codec) -> Vec<Payload> {
    let (room, event) = (|text| RoomId::new(text).unwrap(), |text| EventId::new(text).unwrap());
    let json = |text: &str| Json::new(text).unwrap();
    let (kind, text) = (EventType::new("m.x").unwrap(), |text: &str| Some(text.to_owned()));
    let media_key =
        MediaKey { uri: MediaUri::new("mxc://h/m").unwrap(), format: MediaFormat::new("f").unwrap() };
    let full_room = Room {
        name: text("n"),
        topic: text("t"),
        avatar: text("a"),
        kind: Some(kind.clone()),
        spaces: vec![room("!s")],
        last_activity_ms: -4,
        unread: Unread { notifications: 300, highlights: 2 },
        revision: WRITTEN,
        ..Room::new(room("!r"), Membership::Invite)
    };
    let few = Message { relation: None, content: json("{}"), ..message() };
    let full_message = Message {
        state_key: Some(StateKey::new("k").unwrap()),
        txn_id: Some(TxnId::new("t").unwrap()),
        redacted_by: Some(event("$by")),
        provisional: true,
        extra: Some(json("[1]")),
        relation: Some(Relation { kind: RelationKind::Reaction, target: event("$t"), key: text("+") }),
        ..few.clone()
    };
    let gap = |token| Gap { room: room("!r"), position: Position::FIRST, token, revision: WRITTEN };
    let pending = Pending::new(TxnId::new("t").unwrap(), room("!r"), kind.clone(), json("{}"), 9);
    let full_pending = Pending {
        wire: Some(json("{\"w\":1}")),
        wire_kind: Some(kind.clone()),
        state: PendingState::Parked(ParkReason::TooLarge),
        attempts: 2,
        ambiguous: true,
        first_attempt_ms: Some(10),
        last_attempt_ms: Some(11),
        not_before_ms: 12,
        lease: Some(Lease { owner: "me".to_owned(), until_ms: 13 }),
        fence: 14,
        parent: Some(TxnId::new("p").unwrap()),
        target: Some(event("$t")),
        priority: -3,
        expires_at_ms: Some(15),
        event_id: Some(event("$e")),
        error: text("why"),
        sync_token: text("s1"),
        device: text("d"),
        media: vec![media_key.clone()],
        remote: Some(MediaUri::new("mxc://h/n").unwrap()),
        anchor: Some(event("$a")),
        ..pending.clone()
    };
    let media = MediaInfo {
        key: media_key,
        size: 8,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: 5,
        fetched_at_ms: 0,
        pinned: false,
    };
    let full_media =
        MediaInfo { mime: text("image/png"), rooms: vec![room("!r")], fetched_at_ms: 6, ..media.clone() };
    let entry = |scope, event_id| StateEntry {
        scope,
        kind: kind.clone(),
        key: StateKey::new("k").unwrap(),
        event_id,
        value: json("1"),
    };
    vec![
        codec.room_row(&full_room).unwrap().payload,
        codec.room_row(&Room::new(room("!r"), Membership::Join)).unwrap().payload,
        codec.message_row(&full_message, WRITTEN).unwrap().payload,
        codec.message_row(&few, WRITTEN).unwrap().payload,
        codec.gap_row(&gap(text("t"))).unwrap().payload,
        codec.gap_row(&gap(None)).unwrap().payload,
        codec.pending_row(&full_pending).unwrap().payload,
        codec.pending_row(&pending).unwrap().payload,
        codec.media_row(&full_media, 3, WRITTEN).unwrap().payload,
        codec.media_row(&media, 3, WRITTEN).unwrap().payload,
        codec.state_row(&entry(Scope::Room(room("!r")), Some(event("$e"))), WRITTEN).unwrap().payload,
        codec.state_row(&entry(Scope::Account, None), WRITTEN).unwrap().payload,
        codec.chunk_row(3, 4, b"bytes").unwrap().payload,
    ]
}

#[test]
fn text_rows_are_these() {
    let codec = Codec::plain().in_form(Form::Text);
    let rows = payloads(&codec);
    let rows: Vec<_> = rows.iter().map(|payload| payload.as_text().unwrap()).collect();
    assert_eq!(
        rows,
        [
            r#"{"room_id":"!r","membership":"invite","name":"n","topic":"t","avatar":"a","kind":"m.x","spaces":["!s"],"unread":{"notifications":300,"highlights":2}}"#,
            r#"{"room_id":"!r","membership":"join"}"#,
            r#"{"event_id":"$e","sender":"@a","type":"m.room.message","content":{},"state_key":"k","relation":{"kind":"reaction","target":"$t","key":"+"},"txn_id":"t","redacted_by":"$by","provisional":true,"extra":[1]}"#,
            r#"{"event_id":"$e","sender":"@a","type":"m.room.message","content":{}}"#,
            r#"{"room_id":"!r","token":"t"}"#,
            r#"{"room_id":"!r"}"#,
            r#"{"txn_id":"t","room_id":"!r","type":"m.x","content":{},"state":{"parked":"toolarge"},"wire":{"w":1},"wire_kind":"m.x","attempts":2,"ambiguous":true,"created_ms":9,"first_attempt_ms":10,"last_attempt_ms":11,"lease":{"owner":"me","until_ms":13},"fence":14,"parent":"p","target":"$t","priority":-3,"expires_at_ms":15,"event_id":"$e","error":"why","sync_token":"s1","device":"d","media":[{"uri":"mxc://h/m","format":"f"}],"remote":"mxc://h/n","anchor":"$a"}"#,
            r#"{"txn_id":"t","room_id":"!r","type":"m.x","content":{},"state":"queued","created_ms":9}"#,
            r#"{"key":{"uri":"mxc://h/m","format":"f"},"mime":"image/png","rooms":["!r"],"fetched_at_ms":6}"#,
            r#"{"key":{"uri":"mxc://h/m","format":"f"}}"#,
            r#"{"scope":{"room":"!r"},"kind":"m.x","key":"k","value":1,"event_id":"$e"}"#,
            r#"{"scope":"account","kind":"m.x","key":"k","value":1}"#,
            r#"bytes"#,
        ]
    );
}

/// A version, a checksum over the place and the body, and the fields in their order.
#[test]
fn binary_rows_are_these() {
    let rows = payloads(&Codec::plain());
    let rows: Vec<_> = rows.iter().map(|payload| short(payload.as_bytes())).collect();
    assert_eq!(
        rows,
        [
            "3b9b7347d94be0bb",
            "88f1e10173d56f5c",
            "326f38cffeacdbd2",
            "8feed6169b0d1cbc",
            "4125280b60a3db14",
            "9d9f59c6c1583d52",
            "76c6f1ede1eb6b18",
            "bc1cae70014debee",
            "11e3bf218e7104b6",
            "70416ebbf9dc4060",
            "28a9ed5b2a9e8036",
            "6240e2d59f604d67",
            "a532704897e5969f"
        ]
    );
}

/// Makes a key of each kind, named by its parts.
fn keys(codec: &Codec) -> Vec<Key> {
    let room = RoomId::new("!r").unwrap();
    let kind = EventType::new("k").unwrap();
    let in_room = Scope::Room(room.clone());
    let media = |uri: &str, format: &str| {
        let (uri, format) = (MediaUri::new(uri).unwrap(), MediaFormat::new(format).unwrap());
        codec.media_key(&MediaKey { uri, format })
    };
    vec![
        codec.room_key(&room),
        codec.event_key(&room, &EventId::new("$e").unwrap()),
        codec.sender_key(&room, &UserId::new("@a").unwrap()),
        codec.txn_key(&TxnId::new("t").unwrap()),
        media("mxc://h/m", ""),
        media("mxc://h/m", "f"),
        codec.scope_key(&Scope::Account),
        codec.scope_key(&in_room),
        codec.kind_key(&Scope::Account, &kind),
        codec.kind_key(&in_room, &kind),
        codec.state_key(&in_room, &kind, &StateKey::new("").unwrap()),
        codec.state_key(&in_room, &kind, &StateKey::new("s").unwrap()),
        codec.chunk_key(1, 23),
        codec.chunk_key(12, 3),
    ]
}

#[test]
fn plain_keys_are_these() {
    let keys = keys(&Codec::plain());
    let keys: Vec<_> = keys.iter().map(|key| format!("{:016x}", key.short() as u64)).collect();
    assert_eq!(
        keys,
        [
            "ffecc691e22cb853",
            "26ebf73481d6a4bf",
            "a0ffeae083a36418",
            "d6e1a3acc58a73a5",
            "392e01b37f38681d",
            "e15af779b5e24b56",
            "c79b235c058d0f78",
            "8983d7916796274e",
            "59662a7dcd269a03",
            "8221ea4c36760880",
            "75c95003d47a8587",
            "24fc3df3ce1e8130",
            "be681eee32dda509",
            "8368230998f4fdcf"
        ]
    );
}

/// No two things have one key: neither in two collections, nor if one text ends later and the next begins later.
#[test]
fn no_two_things_have_one_key() {
    for codec in binding() {
        let mut all = keys(&codec);
        for collection in Collection::ALL {
            for parts in
                [&[][..], &[""], &["", ""], &["ab"], &["a", "b"], &["ab", ""], &["", "ab"], &["b", "a"]]
            {
                all.push(codec.key(collection, parts));
            }
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

/// The first bytes of a key, as a number that sorts as an index does.
#[test]
fn short_keys_are_the_first_bytes() {
    let key = Key::from_bytes([0xFE, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    assert_eq!(key.short(), 0xFE01_0203_0405_0607_u64 as i64);
    assert_eq!(Links::short_sender(&key), i64::from(0xFE01_0203_u32 as i32));
    let other = Key::from_bytes([1; 16]);
    let links = Links::of(&key, Some(&other), None);
    let short = 0x0101_0101_0101_0101;
    assert_eq!(links, Links { sender: Links::short_sender(&key), target: Some(short), txn: None });
    assert_eq!(links.columns(), [links.sender, short, 0, 1]);
    let links = Links { target: None, txn: Some(short), ..links };
    assert_eq!(links.columns(), [links.sender, 0, short, 2]);
    let both = Links { target: Some(5), txn: Some(6), ..links };
    assert_eq!(both.columns(), [links.sender, 5, 6, 3]);
}
