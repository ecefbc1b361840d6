//! The rights of the keyring.
#![cfg(unix)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

#[tokio::test]
async fn a_keyring_that_is_replaced_keeps_its_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = SledStore::open(SledOptions::new(&path).secret(Secret::key([5; 32]))).await.unwrap();
    let keyring = path.join("keyring");
    std::fs::set_permissions(&keyring, Permissions::from_mode(0o640)).unwrap();
    store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await.unwrap();
    assert_eq!(keyring.symlink_metadata().unwrap().permissions().mode() & 0o777, 0o640);
}
