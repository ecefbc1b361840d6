//! Archives as files.

use std::fs;

use haos_archive::{Archive, Backup};
use haos_backends::{Backend, Home};
use haos_store_api::*;

use crate::content::{Content, bytes_of};
use crate::make::{Shape, fill, small};
use crate::whole::passphrase;

#[tokio::test]
async fn a_file_appears_once_it_is_whole_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.haos");
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &small()).await;
    Backup::new().run_to_file(&store, &path).await.unwrap();
    let expected = Content::of_store(&store).await;
    let read = || Content::of_archive(&mut Archive::open_files([&path], None).unwrap()).unwrap();
    assert_eq!(read(), expected);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    let before = fs::read(&path).unwrap();
    let error = Backup::new().run_to_file(&store, &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(fs::read(&path).unwrap(), before);
    Backup::new().replace(true).run_to_file(&store, &path).await.unwrap();
    assert_ne!(fs::read(&path).unwrap(), before);
    assert_eq!(read(), expected);
    let nowhere = folder.path().join("no/a.haos");
    assert_eq!(Backup::new().run_to_file(&store, &nowhere).await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(Archive::open_files([&nowhere], None).unwrap_err().kind(), ErrorKind::Io);
}

/// Kills leave a part, and maybe an older one: the fuller of them is taken up.
#[tokio::test]
async fn what_was_left_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.haos");
    let (part, old) = (folder.path().join("a.haos.part"), folder.path().join("a.haos.part.old"));
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &Shape { media: vec![300_000; 2], ..small() }).await;
    let expected = Content::of_store(&store).await;
    let (encryption, identity) = passphrase();
    let plain = bytes_of(Backup::new(), &store).await;
    let encrypted = bytes_of(Backup::new().encryption(encryption.clone()), &store).await;
    for (whole, encryption, identity) in [(plain, None, None), (encrypted, Some(encryption), Some(&identity))]
    {
        let (half, most) = (&whole[..whole.len() / 2], &whole[..whole.len() - 9]);
        for (of_part, of_old) in
            [(None, Some(most)), (Some(half), Some(most)), (Some(most), Some(half)), (Some(half), None)]
        {
            for (left, bytes) in [(&part, of_part), (&old, of_old)] {
                bytes.iter().for_each(|bytes| fs::write(left, bytes).unwrap());
            }
            let backup = Backup::new().replace(true);
            let backup = match &encryption {
                Some(encryption) => backup.encryption(encryption.clone()),
                None => backup,
            };
            backup.run_to_file(&store, &path).await.unwrap();
            let mut archive = Archive::open_files([&path], identity).unwrap();
            assert_eq!(Content::of_archive(&mut archive).unwrap(), expected);
            assert!(!part.exists() && !old.exists());
        }
    }
    fs::write(&part, "no archive").unwrap();
    Backup::new().replace(true).run_to_file(&store, &path).await.unwrap();
}

#[tokio::test]
async fn a_part_in_use_or_no_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.haos");
    let part = folder.path().join("a.haos.part");
    let store = MemoryStore::new();
    let held = fs::File::create(&part).unwrap();
    held.lock().unwrap();
    assert_eq!(Backup::new().run_to_file(&store, &path).await.unwrap_err().kind(), ErrorKind::Busy);
    drop(held);
    fs::remove_file(&part).unwrap();
    #[cfg(unix)]
    {
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, &part).unwrap();
        assert_eq!(Backup::new().run_to_file(&store, &path).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(fs::read(&other).unwrap(), b"mine");
    }
}
