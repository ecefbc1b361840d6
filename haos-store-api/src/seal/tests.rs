use super::*;
use crate::*;

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

/// A row that only the right keyring reads.
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
        KeyChange::SetPassphrase(words("w"), KdfParams { passes: 0, ..FAST }),
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
    assert_eq!(read(&ring, &old).unwrap(), entry, "whoever reads the store as it was needs its key");
    let again = unlock(&ring, &words("correct horse")).unwrap();
    assert_eq!(read(&again, &old).unwrap_err().kind(), ErrorKind::WrongKey, "its key is gone");
    let read = Codec::sealed(again).state(columns(&old), new.as_bytes());
    assert_eq!(read.unwrap(), entry);
}

#[test]
fn of_two_records_the_later_one_counts() {
    let ring = keyring();
    let old = ring.record().unwrap();
    let begun = ring.rotation_begun().unwrap().unwrap();
    assert!(ring.adopt(&begun).unwrap() && !ring.adopt(&old).unwrap());
    assert_eq!(ring.record().unwrap(), begun);
}

#[test]
fn shredded_is_for_good() {
    let ring = keyring();
    let record = ring.changed(&KeyChange::Shred).unwrap();
    assert_eq!(Keyring::unlock(&record, &words("correct horse")).unwrap_err().kind(), ErrorKind::WrongKey);
    assert_eq!(ring.adopt(&record).unwrap_err().kind(), ErrorKind::WrongKey);
    assert!(record.len() < 32, "no key material is left");
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    let ring = keyring();
    let good = ring.record().unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(Keyring::unlock(&bad, &words("correct horse")).is_err(), "byte {at}");
        assert!(Keyring::unlock(&good[..at], &words("correct horse")).is_err(), "cut at {at}");
        assert!(ring.adopt(&bad).is_err(), "byte {at}");
    }
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
