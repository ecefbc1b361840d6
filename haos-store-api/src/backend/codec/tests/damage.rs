//! Each kind of damage in stored bytes has its own error.

use super::*;

/// A row in its place and how it is read.
type Reader = Box<dyn Fn(&[u8]) -> Result<()>>;

/// A row of each kind with its reader.
fn rows(codec: &Codec) -> Vec<(&'static str, Vec<u8>, Reader)> {
    let message = Message { txn_id: Some(TxnId::new("t").unwrap()), ..message() };
    let id = message.room.clone();
    let room = Room { revision: WRITTEN, last_activity_ms: 3, ..Room::new(id.clone(), Membership::Join) };
    let gap = Gap { room: id.clone(), position: Position::FIRST, token: None, revision: WRITTEN };
    let kind = EventType::new("m.x").unwrap();
    let pending = Pending::new(TxnId::new("t").unwrap(), id.clone(), kind.clone(), Json::empty(), 0);
    let scope = Scope::Account;
    let entry =
        StateEntry { scope, kind, key: StateKey::new("").unwrap(), event_id: None, value: Json::empty() };
    let info = MediaInfo {
        key: MediaKey { uri: MediaUri::new("mxc://h/m").unwrap(), format: MediaFormat::new("").unwrap() },
        size: 1,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: 2,
        fetched_at_ms: 3,
        pinned: true,
    };
    let row = |name, payload: &Payload, read: Reader| (name, payload.as_bytes().to_vec(), read);
    let of = || codec.clone();
    let mut all = Vec::new();

    let (c, made) = (of(), codec.message_row(&message, WRITTEN).unwrap());
    let (columns, key, home) = (columns(&message, &made), made.key, id.clone());
    let read = move |bytes: &[u8]| c.message(c.room_ref(&home), &key, columns, bytes).map(drop);
    all.push(row("message", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.room_row(&room).unwrap());
    let read = move |bytes: &[u8]| c.room(&made.key, 3, WRITTEN, bytes).map(drop);
    all.push(row("room", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.gap_row(&gap).unwrap());
    let read = move |bytes: &[u8]| c.gap(c.room_ref(&id), gap.position, WRITTEN, bytes).map(drop);
    all.push(row("gap", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.pending_row(&pending).unwrap());
    let columns = PendingColumns { seq: 0, room: None, not_before_ms: 0, revision: Revision::ZERO };
    let read = move |bytes: &[u8]| c.pending(&made.key, columns, bytes).map(drop);
    all.push(row("pending", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.media_row(&info, 4, WRITTEN).unwrap());
    let columns = MediaColumns { blob: 4, size: 1, last_access_ms: 2, pinned: true, written: WRITTEN };
    let read = move |bytes: &[u8]| c.media_info(&made.key, columns, bytes).map(drop);
    all.push(row("media", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.chunk_row(4, 2, b"some bytes").unwrap());
    let read = move |bytes: &[u8]| c.chunk(4, 2, bytes).map(drop);
    all.push(row("chunk", &made.payload, Box::new(read)));

    let (c, made) = (of(), codec.state_row(&entry, WRITTEN).unwrap());
    let columns =
        StateColumns { scope: made.scope, kind: made.kind.short(), key: made.key, written: WRITTEN };
    let read = move |bytes: &[u8]| c.state(columns, bytes).map(drop);
    all.push(row("state", &made.payload, Box::new(read)));
    all
}

/// Returns the expected error of a row whose byte `at` is now `first`, if all other bytes stay.
fn told(is_sealed: bool, at: usize, first: u8) -> ErrorKind {
    match (is_sealed, at) {
        (true, 1 | 2) => ErrorKind::WrongKey,
        (false, 0) if matches!(first, 0xA1 | 0xA2) => ErrorKind::Sealed,
        (false, 0) if first > 1 => ErrorKind::NewerSchema,
        _ => ErrorKind::Corrupt,
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_told_as_what_it_is() {
    for codec in binding() {
        for (name, good, read) in rows(&codec) {
            read(&good).unwrap();
            for at in 0..good.len() {
                let cut = read(&good[..at]).unwrap_err();
                assert_eq!(cut.kind(), ErrorKind::Corrupt, "{name} cut at {at}");
                for bit in 0..8 {
                    let mut bad = good.clone();
                    bad[at] ^= 1 << bit;
                    let expected = told(codec.is_sealed(), at, bad[0]);
                    assert_eq!(read(&bad).unwrap_err().kind(), expected, "{name} byte {at} bit {bit}");
                }
            }
            let longer = [&good[..], &[0]].concat();
            assert_eq!(read(&longer).unwrap_err().kind(), ErrorKind::Corrupt, "{name} with more");
        }
    }
}

/// Each possible first byte, alone, before the former content, and before nothing.
#[test]
fn each_format_is_told_from_damage() {
    for codec in binding() {
        for (name, good, read) in rows(&codec) {
            for first in (0..=255).filter(|first| *first != good[0]) {
                let expected = match first {
                    // Unsealed, a padded body is not authentic; the same holds the other way round.
                    _ if codec.is_sealed() => ErrorKind::Corrupt,
                    _ => told(false, 0, first),
                };
                let mut bad = good.clone();
                bad[0] = first;
                assert_eq!(read(&bad).unwrap_err().kind(), expected, "{name} {first}");
                assert_eq!(read(&[first]).unwrap_err().kind(), expected, "{name} {first} alone");
            }
        }
    }
}

/// Bytes whose checksum or seal is right, and that hold no valid row all the same.
#[test]
fn a_whole_body_of_something_else_is_damage() {
    for codec in binding() {
        let made = codec.room_row(&Room::new(RoomId::new("!r").unwrap(), Membership::Join)).unwrap();
        let place = RowRef::Room { key: &made.key, last_activity_ms: 0, revision: Revision::ZERO };
        let body = codec.open_raw(&place, made.payload.as_bytes()).unwrap();
        let read = |body: &[u8]| {
            let payload = codec.seal_raw(&place, body).unwrap();
            codec.room(&made.key, 0, Revision::ZERO, payload.as_bytes())
        };
        read(&body).unwrap();
        for at in 0..body.len() {
            assert_eq!(read(&body[..at]).unwrap_err().kind(), ErrorKind::Corrupt, "cut at {at}");
        }
        let longer = [&body[..], &[0]].concat();
        assert_eq!(read(&longer).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn text_that_is_none_is_damage() {
    let codec = Codec::plain().in_form(Form::Text);
    for (name, good, read) in rows(&codec).into_iter().filter(|(name, ..)| *name != "chunk") {
        read(&good).unwrap();
        for at in 0..good.len() {
            assert_eq!(read(&good[..at]).unwrap_err().kind(), ErrorKind::Corrupt, "{name} cut at {at}");
        }
        let bytes = [good.clone(), vec![0xFF]].concat();
        assert_eq!(read(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
        for first in [0xA1, 0xA2] {
            assert_eq!(read(&[&[first], &good[1..]].concat()).unwrap_err().kind(), ErrorKind::Sealed);
        }
    }
}

/// A list continues without a damaged row; any other error ends it.
#[test]
fn a_list_leaves_out_what_is_damaged_and_counts_it() {
    let codec = Codec::plain();
    let clone = codec.clone();
    let error = |kind| Err::<(), _>(Error::new(kind, "test", "it is so"));
    assert_eq!((codec.keep(Ok(5)).unwrap(), codec.damaged()), (Some(5), 0));
    assert_eq!(codec.keep(error(ErrorKind::Corrupt)).unwrap(), None);
    assert_eq!(clone.keep(error(ErrorKind::Corrupt)).unwrap(), None);
    for kind in [ErrorKind::WrongKey, ErrorKind::NewerSchema, ErrorKind::Sealed, ErrorKind::Unavailable] {
        assert_eq!(codec.keep(error(kind)).unwrap_err().kind(), kind);
    }
    assert_eq!((codec.damaged(), clone.damaged()), (2, 2));
    let lenient = codec.lenient();
    assert_eq!(lenient.keep(error(ErrorKind::WrongKey)).unwrap(), None);
    assert_eq!(lenient.keep(error(ErrorKind::Corrupt)).unwrap(), None);
    assert_eq!(lenient.keep(error(ErrorKind::NewerSchema)).unwrap_err().kind(), ErrorKind::NewerSchema);
    assert_eq!(codec.damaged(), 4);
}
