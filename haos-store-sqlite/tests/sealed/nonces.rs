//! No two seals share a key and a nonce: read out of every sealed payload of a file, over its life and that of its
//! copies.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

/// Key and nonce: the part between the version of an envelope and its ciphertext.
type Seal = [u8; 14];

/// Every seal ever seen in any of the files, with its input.
#[derive(Default)]
struct Seen(HashMap<Seal, Vec<u8>>);

impl Seen {
    /// Looks at every payload of the file, and returns its present seals. A payload in its former place, or in a copy,
    /// is the same to the last byte; any other payload with its key and its nonce would give both away.
    fn look(&mut self, path: &Path) -> HashSet<Seal> {
        let conn = raw(path);
        let mut here = HashSet::new();
        for table in TABLES.into_iter().chain(["small items"]) {
            let select = match table {
                "small items" => "SELECT bytes FROM media WHERE bytes IS NOT NULL".to_owned(),
                table => format!("SELECT payload FROM {table}"),
            };
            let mut select = conn.prepare(&select).unwrap();
            let mut rows = 0;
            for payload in select.query_map((), |row| row.get::<_, Vec<u8>>(0)).unwrap() {
                let payload = payload.unwrap();
                let seal: Seal = payload[1..15].try_into().unwrap();
                assert!(here.insert(seal), "two rows of {table} share one");
                let before = self.0.entry(seal).or_insert_with(|| payload.clone());
                assert_eq!(*before, payload, "two seals of {table} share one");
                rows += 1;
            }
            assert!(rows > 0 || table == "small items", "{table} has rows to look at");
        }
        here
    }
}

/// Writes into every table: new rows, rows in their places again, with other content and with the same, moved rows.
async fn write(store: &SqliteStore, turn: u64, who: &str) {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room { topic: Some(format!("{who} {turn}")), ..room("a") });
    for n in 0..60 {
        batch.put_message(message("a", &format!("{turn} {n}"), 1_000 * (turn + 1) + n));
        // From the second turn on, one exists already.
        let body = Json::new(format!(r#"{{"body":"{who} {turn}"}}"#)).unwrap();
        batch.put_message(Message { content: body, ..message("a", &format!("e{n}"), 100 + n) });
    }
    batch
        .renumber(
            room_id("a"),
            (0..10).map(|n| (at(1_000 * (turn + 1) + n), at(500_000 + 100 * turn + n))).collect(),
        )
        .put_gap(gap("a", 20, &format!("{who} {turn}")))
        .put_pending(Pending { attempts: turn as u32, ..pending("a", "t1") })
        .put_pending(pending("b", &format!("{who} {turn}")))
        .put_media(media("cat"), pattern(200_000 + turn as usize))
        .put_media(media("ant"), pattern(100 + turn as usize))
        .touch_media(vec![media_key("dog")], 10 + turn as i64)
        .put_state(state(Scope::Account, "haos.sync_token", "", &turn.to_string()));
    assert!(store.apply(batch).await.unwrap().changed);
}

async fn rotate(store: &SqliteStore) {
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// Runs batches, a rotation, a restart, twice: each look sees all seals since the one before.
async fn live(seen: &mut Seen, path: &Path, first: u64, who: &str) {
    for age in 0..2 {
        let store = unsealed(path).await;
        for turn in 0..2 {
            write(&store, first + 2 * age + turn, who).await;
            seen.look(path);
        }
        let before = seen.look(path);
        rotate(&store).await;
        let after = seen.look(path);
        assert_eq!(
            (after.len(), after.intersection(&before).count()),
            (before.len(), 0),
            "each row is resealed"
        );
        store.close().await.unwrap();
        assert_eq!(seen.look(path), after, "nothing is sealed by closing");
    }
}

/// The copies hold the same keys and know nothing of each other: one and its backup, two that were one process a
/// moment ago. Both write into the same places, at the same revisions, first the same and then each its own.
#[tokio::test]
async fn no_two_seals_of_a_file_and_its_copies_share_a_key_and_a_nonce() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let mut seen = Seen::default();
    make(&path, key()).await;
    let shared = seen.look(&path);
    live(&mut seen, &path, 0, "one").await;
    assert!(seen.look(&path).is_disjoint(&shared));

    let copies: Vec<PathBuf> = ["a", "b"].map(|name| folder.path().join(name)).into();
    for copy in &copies {
        std::fs::copy(&path, copy).unwrap();
        assert_eq!(seen.look(copy), seen.look(&path));
    }
    let known = seen.look(&path);
    let all: Vec<&PathBuf> = copies.iter().chain([&path]).collect();
    let mut own = Vec::new();
    for file in &all {
        let store = unsealed(file).await;
        write(&store, 4, "the same").await;
        own.push(&seen.look(file) - &known);
        store.close().await.unwrap();
    }
    assert!(own.iter().all(|own| own.len() > 100));
    let together: HashSet<&Seal> = own.iter().flatten().collect();
    assert_eq!(together.len(), own.iter().map(HashSet::len).sum::<usize>(), "none is known to another");
    for (file, who) in all.iter().zip(["a", "b", "c"]) {
        live(&mut seen, file, 5, who).await;
    }
    assert!(seen.0.len() > 6_000, "{}", seen.0.len());
}
