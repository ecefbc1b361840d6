//! Stores of released formats, read natively. Browsers read the same records in `tests/browser/formats.rs`.

use std::sync::{Arc, Mutex};

use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::{Result, Secret, StorageAdapter};

use self::bodies::{Record, batches, check, records};
use super::super::kv::KEYRING;
use super::map::Maps;
use super::store::MapStore;

#[path = "../../../tests/bodies/format.rs"]
mod bodies;

const PLAIN: &str = include_str!("../../../tests/fixtures/format-1.txt");
const SEALED: &str = include_str!("../../../tests/fixtures/format-1-sealed.txt");

fn secret() -> Secret {
    Secret::key([7; 32])
}

fn store(text: &str) -> MapStore {
    let maps = Maps::of(records(text).into_iter().map(|r| (r.table, r.key, r.value, r.ids)));
    let codec = match maps.named.get(KEYRING) {
        Some(record) => Codec::sealed(Keyring::unlock(record, &secret()).unwrap()),
        None => Codec::plain(),
    };
    MapStore::open(Arc::new(Mutex::new(maps)), codec, false)
}

#[tokio::test]
async fn a_store_of_format_1_is_whole() -> Result<()> {
    check(&store(PLAIN)).await?;
    check(&store(SEALED)).await
}

/// Writes the fixtures. Never again once format 1 is released: a later format gets files of its own.
#[tokio::test]
#[ignore = "writes the fixtures of an unreleased format"]
async fn write() -> Result<()> {
    let sealed = Codec::sealed(Keyring::create(&secret(), Default::default())?);
    for (name, codec) in [("format-1.txt", Codec::plain()), ("format-1-sealed.txt", sealed)] {
        let db = Arc::new(Mutex::new(Maps::default()));
        db.lock().unwrap().named.insert("id", vec![9; 16]);
        let store = MapStore::open(Arc::clone(&db), codec, false);
        for batch in batches() {
            store.apply(batch).await?;
        }
        let all = db.lock().unwrap().all();
        let line = |(table, key, value, ids)| Record { table, key, value, ids }.line();
        let text: String = all.into_iter().map(line).collect();
        std::fs::write(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR")), text).unwrap();
    }
    Ok(())
}
