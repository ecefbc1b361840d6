//! Archives of version 1, as a release wrote them: they are read for ever.

use std::path::PathBuf;

use haos_archive::{Archive, Backup};
use haos_backends::{Backend, Home};
use haos_store_api::*;

use crate::content::Content;
use crate::make::{fill, small};
use crate::whole::passphrase;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/archive").join(name)
}

/// `HAOS_WRITE_FIXTURES=1` writes them, which is done once a version.
#[tokio::test]
async fn an_archive_of_version_1_is_read() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &small()).await;
    let mut written = Content::of_store(&store).await;
    for row in &mut written.pending {
        // These were written before a row had it.
        row.wire_kind = None;
    }
    let (encryption, identity) = passphrase();
    let plain = (path("v1.haos"), Backup::new(), None);
    let encrypted = (path("v1-encrypted.haos"), Backup::new().encryption(encryption), Some(identity));
    for (path, backup, identity) in [plain, encrypted] {
        if std::env::var_os("HAOS_WRITE_FIXTURES").is_some() {
            backup.time_ms(1_795_362_779_000).run_to_file(&store, &path).await.unwrap();
        }
        let mut archive = Archive::open_files([&path], identity.as_ref()).unwrap();
        archive.check(&Progress::none()).unwrap();
        assert_eq!(archive.summary().time_ms, 1_795_362_779_000);
        assert_eq!(Content::of_archive(&mut archive).unwrap(), written);
    }
}
