//! The files of a sealed store show no key, and no word of what they are about.

use std::path::Path;
use std::sync::Arc;

use haos_backends::{Backend, Home};
use haos_store_api::{Scope, StateQuery, StorageAdapter, state_kind};

use crate::people::{Server, alice, bob, encrypt, machine, read, receive, share};

/// Texts of at least this length within values: keys, pickles and ids are longer, and chance makes none of them.
const LONG: usize = 12;

fn bytes_of(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(bytes_of(&path)),
            false => all.extend(std::fs::read(path).unwrap()),
        }
    }
    all
}

/// Every text within a value, and what its numbers are as bytes: pickles have their keys as lists of numbers.
fn words(value: &serde_json::Value, words: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::String(text) if text.len() >= LONG => words.push(text.clone().into_bytes()),
        serde_json::Value::Array(items) => {
            let bytes: Option<Vec<u8>> = items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect();
            words.extend(
                bytes.filter(|bytes| bytes.len() >= LONG && bytes.iter().any(|byte| *byte != bytes[0])),
            );
            items.iter().for_each(|item| self::words(item, words));
        }
        serde_json::Value::Object(members) => members.iter().for_each(|(name, value)| {
            if name.len() >= LONG {
                words.push(name.clone().into_bytes());
            }
            self::words(value, words);
        }),
        _ => {}
    }
}

/// Writes a device's keys; returns what is to be looked for.
async fn keys_of(store: Arc<dyn StorageAdapter>) -> Vec<Vec<u8>> {
    let mut server = Server::default();
    let (hers, _) = machine(alice(), store.clone()).await.unwrap();
    let (his, _) = machine(bob(), Arc::new(haos_store_api::MemoryStore::new())).await.unwrap();
    for olm in [&his, &hers] {
        olm.update_tracked_users([alice(), bob()]).await.unwrap();
        server.serve(olm).await.unwrap();
    }
    server.claim(&hers, bob()).await.unwrap();
    let mut inbox = Vec::new();
    share(&hers, bob(), |event| inbox.push(event)).await.unwrap();
    let event = encrypt(&hers, "supercalifragilistic").await.unwrap();
    receive(&his, inbox).await.unwrap();
    assert_eq!(read(&his, &event).await.unwrap().as_deref(), Some("supercalifragilistic"));
    let mut found = vec![b"supercalifragilistic".to_vec()];
    for entry in store.state(StateQuery::all(Scope::Account)).await.unwrap() {
        assert!(entry.kind.as_str().starts_with(state_kind::KEYS));
        found.push(entry.kind.as_str().as_bytes().to_vec());
        if entry.key.as_str().len() >= LONG {
            found.push(entry.key.as_str().as_bytes().to_vec());
        }
        words(&entry.value.parse().unwrap(), &mut found);
    }
    found
}

#[tokio::test]
async fn a_sealed_store_shows_nothing() {
    for backend in [Backend::Sqlite, Backend::Sled] {
        for sealed in [true, false] {
            let mut home = Home::new(backend, sealed);
            let store = home.open().await;
            let words = keys_of(store.clone()).await;
            assert!(words.len() > 100, "{} words", words.len());
            store.close().await.unwrap();
            drop(store);
            let bytes = bytes_of(home.folder());
            let shows = |word: &&Vec<u8>| bytes.windows(word.len()).any(|window| window == word.as_slice());
            let shown: Vec<_> = words.iter().filter(shows).collect();
            match sealed {
                true => {
                    assert!(shown.is_empty(), "{backend:?} shows {:?}", String::from_utf8_lossy(shown[0]))
                }
                false => assert!(!shown.is_empty(), "the scan finds nothing in a plain store"),
            }
        }
    }
}
