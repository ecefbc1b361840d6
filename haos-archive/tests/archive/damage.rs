//! Every changed byte and every cut is noticed.

use haos_archive::{Backup, Encryption, Identity};
use haos_backends::{Backend, Home};
use haos_store_api::*;

use crate::content::{bytes_of, open};
use crate::make::{fill, small, tiny};

/// Opens, reads and checks.
fn all(files: &[&[u8]], identity: Option<&Identity>) -> Result<()> {
    let mut archive = open(files, identity)?;
    archive.records().try_for_each(|record| record.map(drop))?;
    archive.check(&Progress::none())
}

async fn archives() -> (Vec<u8>, Vec<u8>, Vec<u8>, Identity) {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &tiny()).await;
    let (secret, recipient) = Identity::generate();
    let encryption = Encryption::recipients([recipient.as_str()]).unwrap();
    let identity = Identity::keys([secret.as_str()]).unwrap();
    let plain = bytes_of(Backup::new(), &store).await;
    let mut batch = WriteBatch::relaxed();
    batch.remove_pending(TxnId::new("txn0").unwrap());
    store.apply(batch).await.unwrap();
    let link = bytes_of(Backup::new().base(open(&[&plain], None).unwrap()), &store).await;
    let encrypted = bytes_of(Backup::new().encryption(encryption), &store).await;
    (plain, link, encrypted, identity)
}

fn is_noticed(error: &Error) -> bool {
    use ErrorKind::*;
    matches!(error.kind(), Corrupt | Invalid | NewerSchema | WrongKey | Unsupported | NotSealed)
}

#[tokio::test]
async fn every_flipped_byte_is_noticed() {
    let (plain, link, encrypted, identity) = archives().await;
    for at in 0..plain.len() {
        let mut flipped = plain.clone();
        flipped[at] ^= 1 << (at % 8);
        assert!(is_noticed(&all(&[&flipped], None).unwrap_err()), "byte {at}");
        let chain = all(&[&flipped, &link], None).unwrap_err();
        assert!(is_noticed(&chain), "byte {at} of the earlier archive: {chain}");
    }
    for at in 0..link.len() {
        let mut flipped = link.clone();
        flipped[at] ^= 0x04;
        assert!(is_noticed(&all(&[&plain, &flipped], None).unwrap_err()), "byte {at}");
    }
    for at in 0..encrypted.len() {
        let mut flipped = encrypted.clone();
        flipped[at] ^= 0x01;
        let error = all(&[&flipped], Some(&identity)).unwrap_err();
        assert!(is_noticed(&error), "byte {at}: {error:?}");
    }
}

#[tokio::test]
async fn every_cut_and_every_addition_is_noticed() {
    let (plain, link, encrypted, identity) = archives().await;
    for cut in 0..plain.len() {
        assert!(is_noticed(&open(&[&plain[..cut]], None).unwrap_err()), "{cut} bytes");
    }
    for cut in 0..plain.len() {
        assert!(is_noticed(&all(&[&plain[..cut], &link], None).unwrap_err()), "{cut} bytes");
    }
    for cut in 0..encrypted.len() {
        assert!(is_noticed(&open(&[&encrypted[..cut]], Some(&identity)).unwrap_err()), "{cut} bytes");
    }
    assert!(open(&[&[plain.as_slice(), b"x"].concat()], None).is_err());
    assert!(open(&[&[encrypted.as_slice(), b"x"].concat()], Some(&identity)).is_err());
}

/// What cannot be read does not end a backup, and is counted.
#[tokio::test]
async fn unreadable_rows_are_counted_and_the_others_are_there() {
    let mut home = Home::new(Backend::Sqlite, false);
    let store = home.open().await;
    fill(&store, &small()).await;
    store.close().await.unwrap();
    let conn = rusqlite::Connection::open(home.sqlite_path()).unwrap();
    let broken = conn.execute_batch(
        "UPDATE message SET payload = 'no' WHERE pos = (SELECT min(pos) FROM message);
         UPDATE pending SET payload = 'no' WHERE seq = 1;",
    );
    broken.unwrap();
    drop(conn);
    home.forget_mirror();
    let store = home.open().await;
    let mut file = Vec::new();
    let summary = Backup::new().run(&store, &mut file).await.unwrap();
    assert!(!summary.is_complete());
    assert_eq!(summary.left_out.get(&Collection::Pending), Some(&1));
    assert!(summary.left_out[&Collection::Messages] >= 1);
    assert_eq!(summary.count(Collection::Pending), 1);
    all(&[&file], None).unwrap();
}
