//! Flipped bits and cut files, with the right secret: no panic, and every row read is one that was written.

use std::path::Path;

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

/// Lists every record that the store gives, each by a text that tells all of it.
async fn records(store: &SqliteStore, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["a", "b"] {
        let room = store.room(&room_id(name)).await;
        found.extend(allowed(room, what).flatten().map(|room| format!("{room:?}")));
        let slice =
            allowed(store.timeline(&room_id(name), Page::newest(500)).await, what).unwrap_or_default();
        found.extend(slice.messages().map(|message| format!("{message:?}")));
        let states = store.state(StateQuery::all(Scope::Room(room_id(name)))).await;
        found.extend(allowed(states, what).unwrap_or_default().iter().map(|entry| format!("{entry:?}")));
    }
    let rows = allowed(store.pending(PendingQuery::default()).await, what).unwrap_or_default();
    found.extend(rows.iter().map(|row| format!("{row:?}")));
    for name in ["cat", "dog"] {
        let media = allowed(store.media(&media_key(name), ByteRange::ALL).await, what).flatten();
        found.extend(media.map(|media| format!("{:?} {:x}", media.info, crc(&media.bytes))));
    }
    found
}

fn crc(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(*byte))
}

/// Returns the answer, unless it is an error that names the damage.
fn allowed<T>(answer: Result<T>, what: &str) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(e) => {
            let kinds = [ErrorKind::Corrupt, ErrorKind::WrongKey, ErrorKind::Io, ErrorKind::Invalid];
            assert!(kinds.contains(&e.kind()), "{what}: {e:?}");
            None
        }
    }
}

async fn many(seed: u64, damage: impl Fn(&mut dyn FnMut(usize) -> usize, &mut Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let sound = std::fs::read(&path).unwrap();
    let store = unsealed(&path).await;
    let good = records(&store, "sound").await;
    assert!(good.len() > 30, "{}", good.len());
    store.close().await.unwrap();
    let mut seed = seed;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..40 {
        let what = format!("round {round}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut bytes = sound.clone();
        damage(&mut random, &mut bytes);
        std::fs::write(&path, &bytes).unwrap();
        if let Some(store) = open(&path, &what).await {
            for record in records(&store, &what).await {
                // Rows that were carried over got another revision and place.
                let known = good.contains(&record) || store.info().recovery.is_some();
                assert!(known, "{what}: it was never written: {record}");
            }
            let _ = store.maintain(Maintenance::Check, Progress::none()).await;
            store.close().await.unwrap();
        }
    }
}

async fn open(path: &Path, what: &str) -> Option<SqliteStore> {
    match SqliteStore::open(with(path, key())).await {
        Err(e) if matches!(e.kind(), ErrorKind::NewerSchema | ErrorKind::NotSealed) => None,
        opened => allowed(opened, what),
    }
}

#[tokio::test]
async fn flipped_bits() {
    many(21, |random, bytes| {
        let at = random(bytes.len());
        bytes[at] ^= 1 << random(8);
    })
    .await;
}

#[tokio::test]
async fn files_cut_short() {
    many(22, |random, bytes| bytes.truncate(random(bytes.len()))).await;
}
