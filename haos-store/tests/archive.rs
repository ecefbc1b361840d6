//! Archives in a browser: a native store's is restored into IndexedDB, and one made there is read again.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use std::io::Cursor;

use haos_archive::{Archive, Backup, Encryption, Identity, Restore, RestoreOptions, Restored};
use haos_store::{OpenOptions, Opened, Secret, open_with};
use haos_store_api::{
    ByteRange, Item, MediaQuery, MemoryStore, Page, PendingQuery, Progress, RoomQuery, Scope, StateQuery,
    StorageAdapter,
};
use wasm_bindgen_test::wasm_bindgen_test;

/// As a desktop wrote it, with zstd's own library.
const NATIVE: &[u8] = include_bytes!("../../fixtures/archive/v1.haos");

async fn opened(name: &str, sealed: bool) -> Opened {
    let secret = sealed.then(|| Secret::key([7; 32]));
    open_with(&format!("idb:archive-{name}-{sealed}"), &OpenOptions { secret, ..OpenOptions::default() })
        .await
        .unwrap()
}

async fn restored(archive: &[u8], identity: Option<&Identity>, to: &dyn StorageAdapter) -> Restored {
    let mut archive = Archive::open(vec![Box::new(Cursor::new(archive.to_vec()))], identity).unwrap();
    archive.check(&Progress::none()).unwrap();
    let mut restore = Restore::into(to, RestoreOptions::default()).await.unwrap();
    for record in archive.records() {
        restore.take(record.unwrap()).await.unwrap();
    }
    restore.finish().await.unwrap()
}

/// Lists what a store holds, but for revisions.
async fn content(store: &dyn StorageAdapter) -> Vec<String> {
    let mut told = Vec::new();
    let mut scopes = vec![Scope::Account];
    for room in store.rooms(RoomQuery::default()).await.unwrap() {
        told.push(format!("{} {:?} {:?} {:?}", room.id, room.membership, room.name, room.unread));
        for item in store.timeline(&room.id, Page::oldest(usize::MAX)).await.unwrap().items {
            told.push(match item {
                Item::Gap(gap) => format!("{} {:?}", gap.position, gap.token),
                Item::Message(message) => format!("{message:?} {}", message.content.as_str()),
            });
        }
        scopes.push(Scope::Room(room.id));
    }
    for scope in scopes {
        let query = StateQuery::all(scope);
        told.extend(
            store
                .state(query)
                .await
                .unwrap()
                .iter()
                .map(|entry| format!("{entry:?} {}", entry.value.as_str())),
        );
    }
    for info in store.media_index(MediaQuery::default()).await.unwrap() {
        let media = store.media(&info.key, ByteRange::ALL).await.unwrap().unwrap();
        told.push(format!("{:?} {:?} {:?}", info.key, info.mime, media.bytes));
    }
    for row in store.pending(PendingQuery::default()).await.unwrap() {
        told.push(format!("{} {:?} {:?}", row.txn_id, row.content.as_str(), row.state));
    }
    told
}

async fn there_and_back(sealed: bool, encrypted: bool) {
    let browser = opened("there", sealed).await;
    let first = restored(NATIVE, None, &*browser.store).await;
    assert!(!first.is_unchanged());
    let again = restored(NATIVE, None, &*browser.store).await;
    assert!(again.is_unchanged(), "{again:?}");
    let desktop = MemoryStore::new();
    restored(NATIVE, None, &desktop).await;
    let expected = content(&desktop).await;
    assert!(expected.len() > 20, "{expected:#?}");
    assert_eq!(content(&*browser.store).await, expected);

    let keys = encrypted.then(|| (Encryption::passphrase("p").work(2), Identity::passphrase("p")));
    let mut backup = Backup::new();
    if let Some((encryption, _)) = &keys {
        backup = backup.encryption(encryption.clone());
    }
    let mut file = Vec::new();
    backup.run(&*browser.store, &mut file).await.unwrap();
    browser.store.close().await.unwrap();
    let identity = keys.as_ref().map(|(_, identity)| identity);
    let (other, desktop) = (opened("back", sealed).await, MemoryStore::new());
    for to in [&*other.store, &desktop as &dyn StorageAdapter] {
        restored(&file, identity, to).await;
        assert_eq!(content(to).await, expected);
    }
    other.store.close().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_native_archive_is_restored_in_a_browser_and_backed_up_there() {
    there_and_back(false, false).await;
}

#[wasm_bindgen_test]
async fn a_sealed_store_and_an_encrypted_archive_go_there_and_back() {
    there_and_back(true, true).await;
}
