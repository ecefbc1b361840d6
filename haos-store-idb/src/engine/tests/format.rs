//! Stores of released formats, read natively. Browsers read the same records in `tests/browser/formats.rs`.

use std::sync::{Arc, Mutex};

use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::{Result, Secret, StorageAdapter};

use self::bodies::{Record, batches, check, records};
use super::super::head::Head;
use super::super::kv::{HEAD, KEYRING};
use super::map::Maps;
use super::store::{Folds, MapStore};

#[path = "../../../tests/bodies/format.rs"]
mod bodies;

const PLAIN: &str = include_str!("../../../tests/fixtures/format-2.txt");
const SEALED: &str = include_str!("../../../tests/fixtures/format-2-sealed.txt");

fn secret() -> Secret {
    Secret::key([7; 32])
}

fn store(text: &str) -> MapStore {
    let maps = Maps::of(records(text).into_iter().map(|r| (r.table, r.key, r.value)));
    let codec = match maps.named.get(KEYRING) {
        Some(record) => Codec::sealed(Keyring::unlock(record, &secret()).unwrap()),
        None => Codec::plain(),
    };
    MapStore::open(Arc::new(Mutex::new(maps)), codec, Folds::Never)
}

#[tokio::test]
async fn a_store_of_format_2_is_whole() -> Result<()> {
    check(&store(PLAIN)).await?;
    check(&store(SEALED)).await
}

/// Writes the fixtures. Never again once format 2 is released: a later format gets files of its own.
#[tokio::test]
#[ignore = "writes the fixtures of an unreleased format"]
async fn write() -> Result<()> {
    let sealed = Codec::sealed(Keyring::create(&secret(), Default::default())?);
    for (name, codec) in [("format-2.txt", Codec::plain()), ("format-2-sealed.txt", sealed)] {
        let db = Arc::new(Mutex::new(Maps::default()));
        db.lock().unwrap().named.extend([("id", vec![9; 16]), (HEAD, Head::default().encode())]);
        let store = MapStore::open(Arc::clone(&db), codec, Folds::Never);
        // In tables and in the log.
        for (batch, nth) in batches().into_iter().zip(1..) {
            store.apply(batch).await?;
            if nth == 2 {
                store.fold()?;
            }
        }
        let all = db.lock().unwrap().all();
        let line = |(table, key, value)| Record { table, key, value }.line();
        let text: String = all.into_iter().map(line).collect();
        std::fs::write(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR")), text).unwrap();
    }
    Ok(())
}
