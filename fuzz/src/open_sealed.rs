//! Any bytes in the place of a sealed payload or a keyring: only the envelope sealed for that place is read, everything
//! else is refused, and nothing panics.

use std::sync::LazyLock;

use haos_store_api::backend::{Codec, Keyring, StateColumns, StateRow};
use haos_store_api::{ErrorKind, EventType, Json, KdfParams, Revision, Scope, Secret, StateEntry, StateKey};

const WRITTEN: Revision = Revision(7);

/// One row, sealed under keys that live as long as the process.
struct Sealed {
    keyring: Keyring,
    entry: StateEntry,
    row: StateRow,
}

static SEALED: LazyLock<Sealed> = LazyLock::new(|| {
    let valid = "it is valid";
    let keyring = Keyring::create(&Secret::key([1; 32]), KdfParams::default()).expect(valid);
    let entry = StateEntry {
        scope: Scope::Account,
        kind: EventType::new("m.tag").expect(valid),
        key: StateKey::new("").expect(valid),
        event_id: None,
        value: Json::new(r#"{"tags":{"u.work":{"order":0.5}}}"#).expect(valid),
    };
    let row = Codec::sealed(keyring.clone()).state_row(&entry, WRITTEN).expect(valid);
    Sealed { keyring, entry, row }
});

/// The first byte chooses the test: bytes of its own, the sealed row with some bytes changed, the record of the keyring
/// with some bytes changed, or a record of its own.
pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let record = || SEALED.keyring.record().expect("a record");
    match choice % 4 {
        0 => payload(bytes),
        1 => payload(&changed(SEALED.row.payload.as_bytes(), bytes)),
        2 => keyring(&changed(&record(), bytes)),
        _ => keyring(bytes),
    }
}

fn columns(row: &StateRow) -> StateColumns {
    StateColumns { scope: row.scope, kind: row.kind.short(), key: row.key, written: WRITTEN }
}

fn payload(bytes: &[u8]) {
    let read = Codec::sealed(SEALED.keyring.clone()).state(columns(&SEALED.row), bytes);
    if bytes == SEALED.row.payload.as_bytes() {
        assert_eq!(read.expect("a sealed row is read"), SEALED.entry);
    } else {
        let kind = read.expect_err("bytes that were not sealed are refused").kind();
        assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::WrongKey), "{kind:?}");
    }
}

fn keyring(bytes: &[u8]) {
    let whole = SEALED.keyring.record().is_ok_and(|record| record == bytes);
    let opened = Keyring::unlock(bytes, &Secret::key([1; 32]));
    assert_eq!(opened.is_ok(), whole, "only the stored record opens");
}

/// Applies changes to the bytes: pairs of a place and the bits to flip there; an odd byte cuts them short.
fn changed(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let (pairs, rest) = changes.as_chunks::<2>();
    for [at, flip] in pairs {
        let at = usize::from(*at) % bytes.len();
        bytes[at] ^= flip;
    }
    if let [cut] = rest {
        bytes.truncate(bytes.len().saturating_sub(usize::from(*cut)));
    }
    bytes
}
