//! The secrets of a store: keys and passphrases, their number, length and cost.

use super::*;

/// The most that a record holds: a passphrase, eight keys with long names, and the data keys of a rotation.
#[test]
fn up_to_eight_keys_open_a_store() {
    let ring = Keyring::create(&Secret::key([0; 32]), FAST).unwrap();
    let name = |n: u8| n.to_string().repeat(64);
    let add = |name: String, byte| KeyChange::AddKey(name, Secret::key([byte; 32]));
    for n in 1..8 {
        take(&ring, &add(name(n), n));
    }
    take(&ring, &KeyChange::SetPassphrase(words("correct horse"), FAST));
    take_begun(&ring);
    let ninth = ring.changed(&add("ninth".into(), 9)).unwrap_err();
    assert_eq!(ninth.kind(), ErrorKind::Invalid);
    // An existing name may get other bytes.
    take(&ring, &add(name(3), 33));
    for byte in [0, 1, 2, 33, 4, 5, 6, 7] {
        unlock(&ring, &Secret::key([byte; 32])).unwrap();
    }
    unlock(&ring, &words("correct horse")).unwrap();
    for byte in [3, 9] {
        assert_eq!(unlock(&ring, &Secret::key([byte; 32])).unwrap_err().kind(), ErrorKind::WrongKey);
    }
    take(&ring, &KeyChange::RemoveKey(name(3)));
    take(&ring, &add("ninth".into(), 9));
    assert_eq!(unlock(&ring, &Secret::key([33; 32])).unwrap_err().kind(), ErrorKind::WrongKey);
    unlock(&ring, &Secret::key([9; 32])).unwrap();
}

#[test]
fn a_name_has_1_to_64_bytes() {
    let ring = keyring();
    for (name, is_good) in [
        ("", false),
        ("x", true),
        (&"x".repeat(64), true),
        (&"x".repeat(65), false),
        (&"é".repeat(33), false),
    ] {
        let changed = ring.changed(&KeyChange::AddKey(name.into(), Secret::key([1; 32])));
        assert_eq!(changed.map_err(|e| e.kind()).err(), (!is_good).then_some(ErrorKind::Invalid), "{name}");
    }
}

#[test]
fn the_last_secret_stays() {
    let ring = keyring();
    let refused = |change| assert_eq!(ring.changed(&change).unwrap_err().kind(), ErrorKind::Invalid);
    refused(KeyChange::RemovePassphrase);
    take(&ring, &KeyChange::AddKey("k".into(), Secret::key([1; 32])));
    take(&ring, &KeyChange::RemovePassphrase);
    assert_eq!(unlock(&ring, &words("correct horse")).unwrap_err().kind(), ErrorKind::WrongKey);
    refused(KeyChange::RemovePassphrase);
    refused(KeyChange::RemoveKey("k".into()));
    take(&ring, &KeyChange::AddKey("l".into(), Secret::key([2; 32])));
    take(&ring, &KeyChange::RemoveKey("k".into()));
    unlock(&ring, &Secret::key([2; 32])).unwrap();
}

/// Argon2id's parameters have limits of their own, under any `KdfLimits`.
#[test]
fn costs_are_taken_up_to_their_ends() {
    let params = |(memory_kib, passes, lanes)| KdfParams { memory_kib, passes, lanes };
    let master = Key32::new([1; 32]);
    let none = limits(u32::MAX, u32::MAX, u32::MAX);
    for good in [(8, 1, 1), (8, 64, 1), (128, 1, 16)].map(params) {
        let slots = Slots::of(&words("w"), good, none, &master).unwrap();
        assert_eq!(slots.kdf(), Some(good));
        assert_eq!(slots.open(&words("w"), none).unwrap(), Some(master.clone()));
    }
    for bad in
        [(7, 1, 1), (8, 0, 1), (8, 65, 1), (128, 1, 0), (136, 1, 17), ((1 << 20) + 1, 1, 1)].map(params)
    {
        let made = Slots::of(&words("w"), bad, none, &master).unwrap_err();
        assert_eq!(made.kind(), ErrorKind::Invalid, "{bad:?}");
    }
}

fn limits(memory_kib: u32, passes: u32, lanes: u32) -> KdfLimits {
    KdfLimits { memory_kib, passes, lanes }
}

/// Anybody who has the file can write any cost into it.
#[test]
fn a_stored_cost_over_the_limit_is_refused_before_it_is_paid() {
    let dear = KdfParams { memory_kib: 32, passes: 3, lanes: 2 };
    let ring = Keyring::create(&words("correct horse"), dear).unwrap();
    let record = ring.record().unwrap();
    let open = |limits| Keyring::unlock_within(&record, &words("correct horse"), limits);
    for low in [limits(31, 3, 2), limits(32, 2, 2), limits(32, 3, 1)] {
        let error = open(low).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("kdf_limits"), "{error}");
        let made = Keyring::create_within(&words("w"), dear, low).unwrap_err();
        assert_eq!(made.kind(), ErrorKind::Invalid);
        assert!(made.to_string().contains("kdf_limits"), "{made}");
    }
    open(limits(32, 3, 2)).unwrap();
    // A key costs nothing, also beside an expensive passphrase.
    take(&ring, &KeyChange::AddKey("k".into(), Secret::key([9; 32])));
    Keyring::unlock_within(&ring.record().unwrap(), &Secret::key([9; 32]), limits(8, 1, 1)).unwrap();
    let default = KdfLimits::default();
    assert!(default.memory_kib < 1 << 20 && default.passes < 64 && default.lanes < 16);
    assert_eq!(default.excess(KdfParams::default()), None);
}

#[test]
fn a_new_passphrase_is_not_cheaper_than_the_old_one() {
    let ring = keyring();
    let kdf = || Record::from_bytes(&ring.record().unwrap()).unwrap().slots.kdf().unwrap();
    let params = |memory_kib, passes, lanes| KdfParams { memory_kib, passes, lanes };
    take(&ring, &KeyChange::SetPassphrase(words("b"), params(32, 1, 2)));
    assert_eq!(kdf(), params(32, 1, 2));
    take(&ring, &KeyChange::SetPassphrase(words("c"), params(16, 2, 1)));
    assert_eq!(kdf(), params(32, 2, 2), "each dimension for itself");
    take(&ring, &KeyChange::SetPassphraseExactly(words("d"), params(16, 1, 1)));
    assert_eq!(kdf(), params(16, 1, 1), "that was meant");
    unlock(&ring, &words("d")).unwrap();
}

#[test]
fn an_empty_passphrase_is_refused() {
    let made = Keyring::create(&words(""), FAST).unwrap_err();
    assert_eq!(made.kind(), ErrorKind::Invalid);
    let error = keyring().changed(&KeyChange::SetPassphraseExactly(words(""), FAST)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

/// The same words in the forms of keyboards and systems: composed and in parts, with ligatures and full-width letters.
#[test]
fn a_passphrase_counts_in_its_compatible_form() {
    let ring = Keyring::create(&words("caf\u{e9} fi 42"), FAST).unwrap();
    for same in ["cafe\u{301} fi 42", "caf\u{e9} \u{fb01} 42", "caf\u{e9} fi \u{ff14}\u{ff12}"] {
        unlock(&ring, &words(same)).unwrap();
    }
    assert_eq!(unlock(&ring, &words("cafe fi 42")).unwrap_err().kind(), ErrorKind::WrongKey);
    let longest = "\u{fdfa}".repeat(3);
    let ring = Keyring::create(&words(&longest), FAST).unwrap();
    unlock(&ring, &words(&longest)).unwrap();
}
