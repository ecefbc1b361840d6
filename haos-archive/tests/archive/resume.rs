//! An interrupted backup goes on.

use std::io::{Cursor, Write};

use haos_archive::{Backup, Encryption, Identity};
use haos_backends::{Backend, Home, Store};
use haos_store_api::*;
use proptest::prelude::*;

use crate::content::{Content, bytes_of, read};
use crate::make::{Shape, fill, small, tiny};
use crate::whole::passphrase;
use crate::without::Without;

async fn store(shape: &Shape) -> Store {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, shape).await;
    store
}

async fn resumed(store: &Store, part: &[u8]) -> Content {
    let file = bytes_of(Backup::new().resume(Cursor::new(part.to_vec())), store).await;
    read(&[&file], None).unwrap()
}

#[tokio::test]
async fn a_backup_that_ended_after_any_byte_is_resumed() {
    let store = store(&tiny()).await;
    let whole = bytes_of(Backup::new(), &store).await;
    let expected = Content::of_store(&store).await;
    for cut in 0..=whole.len() {
        assert_eq!(resumed(&store, &whole[..cut]).await, expected, "after {cut} bytes");
    }
}

#[tokio::test]
async fn an_encrypted_backup_that_ended_after_any_part_is_resumed() {
    let store = store(&Shape { media: vec![0, 400_000], ..small() }).await;
    let (encryption, identity) = passphrase();
    let whole = bytes_of(Backup::new().encryption(encryption.clone()), &store).await;
    let expected = Content::of_store(&store).await;
    let cuts =
        (0..300).step_by(31).chain((300..whole.len()).step_by(19_973)).chain([whole.len() - 1, whole.len()]);
    for cut in cuts {
        let backup = Backup::new().encryption(encryption.clone()).resume(Cursor::new(whole[..cut].to_vec()));
        let file = bytes_of(backup, &store).await;
        assert_eq!(read(&[&file], Some(&identity)).unwrap(), expected, "after {cut} bytes");
    }
}

#[tokio::test]
async fn media_of_the_interrupted_file_is_not_read_again() {
    let beneath = store(&Shape { media: vec![2 << 20, 7, 0], ..small() }).await;
    let whole = bytes_of(Backup::new(), &beneath).await;
    let without_end = &whole[..whole.len() - 60];
    let counting = Without::over(beneath.clone());
    let file = bytes_of(Backup::new().resume(Cursor::new(without_end.to_vec())), &counting).await;
    assert_eq!(counting.media_reads(), 0);
    assert_eq!(read(&[&file], None).unwrap(), Content::of_store(&beneath).await);
    bytes_of(Backup::new(), &counting).await;
    assert_eq!(counting.media_reads(), 9);
}

#[tokio::test]
async fn what_is_encrypted_to_recipients_is_resumed_with_their_key() {
    let beneath = store(&Shape { media: vec![2 << 20, 400_000], ..small() }).await;
    let (secret, recipient) = Identity::generate();
    let to = Encryption::recipients([recipient.as_str()]).unwrap();
    let identity = Identity::keys([secret.as_str()]).unwrap();
    let whole = bytes_of(Backup::new().encryption(to.clone()), &beneath).await;
    let part = whole[..whole.len() - 20_000].to_vec();
    for (backup, reads) in [(Backup::new(), 10), (Backup::new().identity(identity.clone()), 2)] {
        let counting = Without::over(beneath.clone());
        let backup = backup.encryption(to.clone()).resume(Cursor::new(part.clone()));
        let file = bytes_of(backup, &counting).await;
        assert_eq!(read(&[&file], Some(&identity)).unwrap(), Content::of_store(&beneath).await);
        assert_eq!(counting.media_reads(), reads);
    }
}

/// Writes some bytes and fails.
struct Fails(Vec<u8>, usize);

impl Write for Fails {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let some = bytes.len().min(self.1 - self.0.len());
        if some == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        self.0.extend_from_slice(&bytes[..some]);
        Ok(some)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    /// A full disk, then the store changes, then the disk has room.
    #[test]
    fn a_full_disk_interrupts_and_the_store_may_change(cut in 1..600_000_usize, seed in any::<u64>()) {
        let shape = Shape { seed, messages: 300, media: vec![100_000, 300_000], ..small() };
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            let store = store(&shape).await;
            let mut out = Fails(Vec::new(), cut);
            if let Err(error) = Backup::new().run(&store, &mut out).await {
                assert_eq!(error.kind(), ErrorKind::Full);
            }
            fill(&store, &Shape { seed: !seed, rooms: 1, messages: 0, media: vec![5000], pending: 0, ..shape }).await;
            assert_eq!(resumed(&store, &out.0).await, Content::of_store(&store).await);
        });
    }
}

#[tokio::test]
async fn damage_in_the_interrupted_file_stays_there() {
    let store = store(&small()).await;
    let whole = bytes_of(Backup::new(), &store).await;
    let expected = Content::of_store(&store).await;
    for at in (0..whole.len()).step_by(13) {
        let mut part = whole.clone();
        part[at] ^= 0x10;
        assert_eq!(resumed(&store, &part).await, expected, "byte {at}");
    }
}
