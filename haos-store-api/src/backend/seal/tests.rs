use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::nonce::Source;
use super::record::{Body, Record};
use super::slot::Slots;
use super::*;
use crate::*;

mod life;
mod record;
mod secrets;
mod stored;

const FAST: KdfParams = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };

fn words(text: &str) -> Secret {
    Secret::passphrase(text)
}

fn keyring() -> Keyring {
    Keyring::create(&words("correct horse"), FAST).unwrap()
}

fn unlock(keyring: &Keyring, secret: &Secret) -> Result<Keyring> {
    Keyring::unlock(&keyring.record().unwrap(), secret)
}

fn take(keyring: &Keyring, change: &KeyChange) {
    assert!(keyring.adopt(&keyring.changed(change).unwrap()).unwrap());
}

/// Makes a row that only the right keyring reads.
fn row(keyring: &Keyring) -> (StateEntry, StateRow) {
    let entry = StateEntry {
        scope: Scope::Account,
        kind: EventType::new("m.tag").unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::new(r#"{"secret":1}"#).unwrap(),
    };
    let row = Codec::sealed(keyring.clone()).state_row(&entry, Revision(3)).unwrap();
    (entry, row)
}

fn read(keyring: &Keyring, row: &StateRow) -> Result<StateEntry> {
    Codec::sealed(keyring.clone()).state(columns(row), row.payload.as_bytes())
}

fn columns(row: &StateRow) -> StateColumns {
    StateColumns { scope: row.scope, kind: row.kind.short(), key: row.key, written: Revision(3) }
}

fn message() -> Message {
    Message {
        room: RoomId::new("!r").unwrap(),
        id: EventId::new("$e").unwrap(),
        position: Position::FIRST,
        sender: UserId::new("@a").unwrap(),
        timestamp_ms: 5,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

#[test]
fn the_right_secret_opens_and_another_does_not() {
    let made = keyring();
    let (entry, row) = row(&made);
    let opened = unlock(&made, &words("correct horse")).unwrap();
    assert_eq!(read(&opened, &row).unwrap(), entry);
    for wrong in [words("correct house"), words(""), Secret::key([7; 32])] {
        assert_eq!(unlock(&made, &wrong).unwrap_err().kind(), ErrorKind::WrongKey);
    }
    let other = keyring();
    assert_eq!(read(&other, &row).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_ne!(
        Codec::sealed(made).room_key(&RoomId::new("!r").unwrap()),
        Codec::sealed(other).room_key(&RoomId::new("!r").unwrap()),
    );
}

#[test]
fn secrets_come_and_go() {
    let ring = keyring();
    take(&ring, &KeyChange::AddKey("recovery".into(), Secret::key([9; 32])));
    take(&ring, &KeyChange::SetPassphrase(words("battery staple"), FAST));
    assert!(unlock(&ring, &words("correct horse")).is_err(), "the old passphrase is out");
    let (entry, row) = row(&ring);
    for secret in [words("battery staple"), Secret::key([9; 32])] {
        assert_eq!(read(&unlock(&ring, &secret).unwrap(), &row).unwrap(), entry);
    }
    take(&ring, &KeyChange::RemovePassphrase);
    assert!(unlock(&ring, &words("battery staple")).is_err());
    assert!(unlock(&ring, &Secret::key([9; 32])).is_ok());
    for change in [
        KeyChange::RemovePassphrase,
        KeyChange::RemoveKey("nobody".into()),
        KeyChange::RemoveKey("recovery".into()),
        KeyChange::AddKey(String::new(), Secret::key([1; 32])),
        KeyChange::AddKey("x".into(), words("no key")),
        KeyChange::SetPassphrase(Secret::key([1; 32]), FAST),
        KeyChange::SetPassphrase(words("w"), KdfParams { memory_kib: 2 << 20, ..FAST }),
        KeyChange::SetPassphrase(words(""), FAST),
        KeyChange::SetPassphraseExactly(words("w"), KdfParams { memory_kib: 7, ..FAST }),
        KeyChange::SetPassphraseExactly(words("w"), KdfParams { passes: 0, ..FAST }),
    ] {
        assert_eq!(ring.changed(&change).unwrap_err().kind(), ErrorKind::Invalid, "{change:?}");
    }
}

#[test]
fn a_rotation_reads_old_rows_until_it_ends() {
    let ring = keyring();
    let (entry, old) = row(&ring);
    ring.adopt(&ring.rotation_begun().unwrap().unwrap()).unwrap();
    assert!(ring.is_rotating() && ring.rotation_begun().unwrap().is_none());
    assert_eq!(read(&ring, &old).unwrap(), entry);

    let codec = Codec::sealed(ring.clone());
    let place = RowRef::State { columns: columns(&old) };
    let new = codec.resealed(&place, old.payload.as_bytes()).unwrap().unwrap();
    assert_eq!(codec.resealed(&place, new.as_bytes()).unwrap(), None, "it is current");
    let ends = ring.sealing_key();
    assert_eq!(ring.rotation_ended(ends - 1).unwrap(), None, "another one overtook it");
    ring.adopt(&ring.rotation_ended(ends).unwrap().unwrap()).unwrap();
    assert_eq!(ring.rotation_ended(ends).unwrap(), None, "it is over");
    assert_eq!(codec.state(columns(&old), new.as_bytes()).unwrap(), entry);
    assert_eq!(read(&ring, &old).unwrap(), entry, "a reader of an older snapshot needs its key");
    let again = unlock(&ring, &words("correct horse")).unwrap();
    assert_eq!(read(&again, &old).unwrap_err().kind(), ErrorKind::WrongKey, "its key is gone");
    let read = Codec::sealed(again).state(columns(&old), new.as_bytes());
    assert_eq!(read.unwrap(), entry);
}

#[test]
fn shredded_is_for_good() {
    let ring = keyring();
    let record = ring.changed(&KeyChange::Shred).unwrap();
    for secret in [words("correct horse"), words(""), Secret::key([1; 32])] {
        let error = Keyring::unlock(&record, &secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey);
        assert!(error.to_string().contains("shredded"), "nobody looks for another secret: {error}");
    }
    assert_eq!(ring.adopt(&record).unwrap_err().kind(), ErrorKind::WrongKey);
    assert!(record.len() < 32, "no key material is left");
}

#[test]
fn a_plain_row_is_no_sealed_row_and_the_other_way_round() {
    let ring = keyring();
    let (entry, sealed) = row(&ring);
    for form in [Form::Text, Form::Binary] {
        let plain = Codec::plain().in_form(form);
        let read = plain.state(columns(&sealed), sealed.payload.as_bytes());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Sealed, "{form:?}");
        let downgraded = plain.state_row(&entry, Revision(3)).unwrap();
        let read = Codec::sealed(ring.clone()).state(columns(&sealed), downgraded.payload.as_bytes());
        assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt, "{form:?}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let secret = format!("{:?} {:?} {:?}", words("horse"), Secret::key([65; 32]), keyring());
    assert!(!secret.contains("horse") && !secret.contains("65"), "{secret}");
    let change = format!("{:?}", KeyChange::SetPassphrase(words("horse"), FAST));
    assert!(!change.contains("horse"), "{change}");
}

// Nonces

/// Returns a keyring that opens the envelopes of `keyring`, with nonces from `source`.
fn with_nonces(keyring: &Keyring, source: Source) -> Keyring {
    Keyring::with_nonces(&keyring.record().unwrap(), &words("correct horse"), source).unwrap()
}

fn nonce(payload: &Payload) -> [u8; 12] {
    payload.as_bytes()[3..15].try_into().unwrap()
}

fn entry(n: u32) -> StateEntry {
    let value = Json::new(n.to_string()).unwrap();
    StateEntry { value, ..row(&keyring()).0 }
}

fn seal(keyring: &Keyring, n: u32) -> [u8; 12] {
    nonce(&Codec::sealed(keyring.clone()).state_row(&entry(n), Revision(3)).unwrap().payload)
}

/// Nothing is kept for the next seal: each asks for bytes of its own, once, and they make the nonce.
#[test]
fn each_seal_takes_fresh_bytes() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let source = Source::of({
        let asked = asked.clone();
        move |bytes| {
            let mut asked = asked.lock().unwrap();
            asked.push(bytes.len());
            bytes.fill(asked.len() as u8);
            Ok(())
        }
    });
    let ring = with_nonces(&keyring(), source);
    let nonces: BTreeSet<_> = (0..200).map(|_| seal(&ring, 0)).collect();
    assert_eq!(nonces.len(), 200, "the same row under the same key");
    assert_eq!(*asked.lock().unwrap(), vec![16; 200]);
    // Reading a row asks for none.
    let (_, row) = row(&ring);
    let before = asked.lock().unwrap().len();
    read(&ring, &row).unwrap();
    assert_eq!(asked.lock().unwrap().len(), before);
}

/// Two copies of a process, or of a machine, start from one state: the same bytes come again.
#[test]
fn a_source_that_repeats_itself_gives_no_nonce_twice() {
    let ring = keyring();
    let sevens = |bytes: &mut [u8]| {
        bytes.fill(7);
        Ok(())
    };
    let copies = [0, 1].map(|_| with_nonces(&ring, Source::of(sevens)));
    let mut nonces = BTreeSet::new();
    for n in 0..100 {
        assert!(nonces.insert(seal(&copies[0], 2 * n)) && nonces.insert(seal(&copies[1], 2 * n + 1)), "{n}");
    }
    assert_eq!(
        seal(&copies[0], 5),
        seal(&copies[1], 5),
        "the same row in the same place is the same envelope"
    );
    // Another place, the same body.
    let codec = Codec::sealed(copies[0].clone());
    let places = (0..100).map(|index| nonce(&codec.chunk_row(1, index, b"bytes").unwrap().payload));
    assert_eq!(places.collect::<BTreeSet<_>>().len(), 100);
}

#[test]
fn without_random_bytes_nothing_is_sealed() {
    let fails = |_: &mut [u8]| Err(Error::new(ErrorKind::Unavailable, "seal", "no bytes"));
    let ring = with_nonces(&keyring(), Source::of(fails));
    let sealed = Codec::sealed(ring).state_row(&entry(1), Revision(3));
    assert!(sealed.is_err());
}

// Padding

fn padded(keyring: &Keyring, padding: Padding) -> Codec {
    Codec::sealed(keyring.clone()).padded(padding)
}

#[test]
fn padded_rows_are_read_whatever_is_set_and_tell_less() {
    let ring = keyring();
    let kinds = [Padding::None, Padding::Padme, Padding::Buckets];
    for writes in kinds {
        for n in [0, 1, 100, 255, 256, 257, 5_000] {
            let bytes = vec![n as u8; n];
            let row = padded(&ring, writes).chunk_row(1, 2, &bytes).unwrap();
            for reads in kinds {
                let read = padded(&ring, reads).chunk(1, 2, row.payload.as_bytes());
                assert_eq!(read.unwrap(), bytes, "{writes:?}, {reads:?}, {n}");
            }
        }
    }
    let length = |padding, n: usize| {
        padded(&ring, padding).chunk_row(1, 2, &vec![1; n]).unwrap().payload.as_bytes().len()
    };
    let lengths = |padding| (0..=256).map(|n| length(padding, n)).collect::<BTreeSet<_>>().len();
    assert_eq!((lengths(Padding::None), lengths(Padding::Buckets)), (257, 1));
    assert!(lengths(Padding::Padme) < 70, "{}", lengths(Padding::Padme));
    // A whole chunk of media grows by the mark alone.
    assert_eq!(length(Padding::Buckets, CHUNK_BYTES), length(Padding::None, CHUNK_BYTES) + 1);
}

#[test]
fn padding_is_authentic() {
    let ring = keyring();
    let codec = padded(&ring, Padding::Buckets);
    let row = codec.chunk_row(1, 2, b"some bytes").unwrap();
    let good = row.payload.as_bytes();
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 1 << (at % 8);
        assert!(codec.chunk(1, 2, &bad).is_err(), "byte {at}");
    }
    // The version tells whether a body is padded; neither passes for the other.
    for row in [good, codec.clone().padded(Padding::None).chunk_row(1, 2, b"x").unwrap().payload.as_bytes()] {
        let mut bad = row.to_vec();
        bad[0] ^= 0xA1 ^ 0xA2;
        assert_eq!(codec.chunk(1, 2, &bad).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

/// A rotation seals every row again, with the present padding.
#[test]
fn a_rotation_pads_old_rows() {
    let ring = keyring();
    let old = Codec::sealed(ring.clone()).chunk_row(1, 2, b"bytes").unwrap();
    take_begun(&ring);
    let place = RowRef::Chunk { blob: 1, index: 2 };
    let codec = padded(&ring, Padding::Buckets);
    let new = codec.resealed(&place, old.payload.as_bytes()).unwrap().unwrap();
    assert_eq!(new.as_bytes().len(), 256 + 1 + 31);
    assert_eq!(codec.chunk(1, 2, new.as_bytes()).unwrap(), b"bytes");
}

fn take_begun(ring: &Keyring) {
    ring.adopt(&ring.rotation_begun().unwrap().unwrap()).unwrap();
}

/// Sums of bytes are kept without reading the moved rows.
#[test]
fn a_moved_row_keeps_its_padding() {
    let ring = keyring();
    let message = message();
    let to = Position::FIRST.newer(9).unwrap();
    for writes in [Padding::None, Padding::Buckets] {
        let row = padded(&ring, writes).message_row(&message, Revision(3)).unwrap();
        let columns = MessageColumns {
            position: message.position,
            timestamp_ms: message.timestamp_ms,
            written: Revision(3),
            links: row.links(),
        };
        for moves in [Padding::None, Padding::Padme, Padding::Buckets] {
            let codec = padded(&ring, moves);
            let room = codec.room_ref(&message.room);
            let moved = codec.moved_message(&room.key, &row.key, columns, to, row.payload.as_bytes());
            let moved = moved.unwrap().unwrap();
            assert_eq!(moved.as_bytes().len(), row.payload.as_bytes().len());
            let columns = MessageColumns { position: to, ..columns };
            let read = codec.message(room, &row.key, columns, moved.as_bytes()).unwrap();
            assert_eq!(read, Message { position: to, ..message.clone() });
        }
    }
}
