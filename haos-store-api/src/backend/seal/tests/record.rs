//! The stored keyring: of several records the later one counts, and a changed one has its own error.

use super::*;

/// Makes a stored record over these fields.
fn framed(fields: &[u8]) -> Vec<u8> {
    [&[1], crate::Crc32::of(fields).to_le_bytes().as_slice(), fields].concat()
}

/// Makes a stored record with these data keys, which [`secret`] opens.
fn with_keys(keys: &[u16]) -> Vec<u8> {
    let master = Key32::new([6; 32]);
    let slots = Slots::of(&secret(), FAST, KdfLimits::MAX, &master).unwrap();
    let body = Body { index: [5; 32], keys: keys.iter().map(|id| (*id, [*id as u8; 32])).collect() };
    Record::new(9, slots, &body, &master).unwrap().to_bytes()
}

fn secret() -> Secret {
    Secret::key([4; 32])
}

fn unlocked(record: &[u8]) -> Result<Keyring> {
    Keyring::unlock(record, &secret())
}

#[test]
fn of_two_records_the_later_one_counts() {
    let ring = keyring();
    let clone = ring.clone();
    let old = ring.record().unwrap();
    assert!(!ring.adopt(&old).unwrap(), "it has that");
    let begun = ring.rotation_begun().unwrap().unwrap();
    assert!(ring.adopt(&begun).unwrap() && !ring.adopt(&old).unwrap());
    assert_eq!(clone.record().unwrap(), begun);
    // Two changes of one record bear the same number: the one stored last counts.
    let add = |name: &str| clone.changed(&KeyChange::AddKey(name.into(), secret())).unwrap();
    let [one, other] = [add("one"), add("other")];
    assert!(ring.adopt(&one).unwrap() && ring.adopt(&other).unwrap() && !ring.adopt(&other).unwrap());
    assert_eq!(clone.record().unwrap(), other);
}

#[test]
fn each_change_is_the_next_generation() {
    let ring = keyring();
    assert_eq!(ring.generation(), 1);
    let generation = |record: &[u8]| Record::from_bytes(record).unwrap().generation;
    let next = |record: Vec<u8>| {
        assert_eq!(generation(&record), ring.generation() + 1);
        assert!(ring.adopt(&record).unwrap());
    };
    for change in [
        KeyChange::AddKey("k".into(), secret()),
        KeyChange::AddKey("l".into(), secret()),
        KeyChange::SetPassphrase(words("b"), FAST),
        KeyChange::SetPassphraseExactly(words("c"), FAST),
        KeyChange::RemoveKey("k".into()),
        KeyChange::RemovePassphrase,
    ] {
        next(ring.changed(&change).unwrap());
    }
    next(ring.rotation_begun().unwrap().unwrap());
    next(ring.rotation_ended(2).unwrap().unwrap());
    assert_eq!(ring.generation(), 9);
    assert_eq!(generation(&ring.changed(&KeyChange::Shred).unwrap()), 10);
}

#[test]
fn every_flipped_bit_and_every_cut_is_told_as_damage_or_as_newer() {
    let ring = unlocked(&with_keys(&[1])).unwrap();
    let good = ring.record().unwrap();
    let told = |bytes: &[u8], expected, what: String| {
        assert_eq!(unlocked(bytes).unwrap_err().kind(), expected, "{what}");
        assert_eq!(ring.adopt(bytes).unwrap_err().kind(), expected, "{what}, adopted");
    };
    for at in 0..good.len() {
        told(&good[..at], ErrorKind::Corrupt, format!("cut at {at}"));
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            let newer = at == 0 && bad[0] > 1;
            let expected = if newer { ErrorKind::NewerSchema } else { ErrorKind::Corrupt };
            told(&bad, expected, format!("byte {at} bit {bit}"));
        }
    }
    told(&framed(&[&good[5..], &[0]].concat()), ErrorKind::Corrupt, "bytes left over".into());
    told(&[2], ErrorKind::NewerSchema, "a newer one, cut".into());
    assert_eq!(ring.record().unwrap(), good, "nothing of that is taken over");
}

/// The checksum is no secret: anybody who changes a field can set it right.
#[test]
fn every_field_is_authentic() {
    let record = with_keys(&[1, 2]);
    let good = &record[5..];
    assert!(unlocked(&framed(good)).is_ok());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.to_vec();
            bad[at] ^= 1 << bit;
            let kind = unlocked(&framed(&bad)).unwrap_err().kind();
            assert!(
                matches!(kind, ErrorKind::Corrupt | ErrorKind::WrongKey),
                "byte {at} bit {bit}: {kind:?}"
            );
        }
    }
}

#[test]
fn a_record_of_another_store_is_not_adopted() {
    let (ring, other) = (unlocked(&with_keys(&[1])).unwrap(), keyring());
    let foreign = (0..20).fold(other.record().unwrap(), |_, _| {
        take(&other, &KeyChange::AddKey("k".into(), secret()));
        other.record().unwrap()
    });
    assert_eq!(ring.adopt(&foreign).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(ring.generation(), 9);
}

#[test]
fn a_record_without_a_key_is_damaged() {
    assert_eq!(unlocked(&with_keys(&[])).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn the_last_key_seals_and_a_rotation_leaves_no_other() {
    let ring = unlocked(&with_keys(&[3, 4, 9])).unwrap();
    assert!(ring.is_rotating() && ring.rotation_begun().unwrap().is_none());
    assert_eq!(ring.sealing_key(), 9);
    for overtaken in [3, 4, 8, 10] {
        assert_eq!(ring.rotation_ended(overtaken).unwrap(), None);
    }
    let ended = ring.rotation_ended(9).unwrap().unwrap();
    let body = Record::from_bytes(&ended).unwrap().body(&Key32::new([6; 32])).unwrap();
    assert_eq!((body.index, &*body.keys), ([5; 32], &[(9, [9; 32])][..]));
    assert!(ring.adopt(&ended).unwrap() && !ring.is_rotating());
}

#[test]
fn numbers_of_keys_end_before_they_begin_anew() {
    let ring = unlocked(&with_keys(&[u16::MAX - 1])).unwrap();
    take_begun(&ring);
    assert_eq!(ring.sealing_key(), u16::MAX);
    ring.adopt(&ring.rotation_ended(u16::MAX).unwrap().unwrap()).unwrap();
    assert_eq!(ring.rotation_begun().unwrap_err().kind(), ErrorKind::Unsupported);
}

/// A reader of an older snapshot reads on through any number of rotations.
#[test]
fn a_key_that_is_dropped_still_reads() {
    let ring = keyring();
    let mut rows = vec![row(&ring)];
    for id in 2..6 {
        take_begun(&ring);
        rows.push(row(&ring));
        ring.adopt(&ring.rotation_ended(id).unwrap().unwrap()).unwrap();
        for (entry, row) in &rows {
            assert_eq!(read(&ring, row).unwrap(), *entry);
        }
    }
    let anew = unlock(&ring, &words("correct horse")).unwrap();
    for (_, row) in &rows[..4] {
        assert_eq!(read(&anew, row).unwrap_err().kind(), ErrorKind::WrongKey);
    }
    assert_eq!(read(&anew, &rows[4].1).unwrap(), rows[4].0);
}
