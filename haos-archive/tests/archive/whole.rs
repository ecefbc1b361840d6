//! An archive has what the store has.

use haos_archive::{Backup, Encryption, Identity};
use haos_backends::{Backend, Home, on_every_store};
use haos_store_api::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::content::{Content, bytes_of, open, read};
use crate::make::{self, Shape, fill, session, shapes, small};

/// A passphrase at a cost that a test can pay.
pub(crate) fn passphrase() -> (Encryption, Identity) {
    (Encryption::passphrase("correct horse").work(2), Identity::passphrase("correct horse"))
}

async fn an_archive_equals_the_store(mut home: Home, shape: &Shape) {
    let store = home.open().await;
    fill(&store, shape).await;
    let expected = Content::of_store(&store).await;
    let file = bytes_of(Backup::new().time_ms(7), &store).await;
    let mut archive = open(&[&file], None).unwrap();
    assert_eq!(Content::of_archive(&mut archive).unwrap(), expected);
    archive.check(&Progress::none()).unwrap();
    let summary = archive.summary();
    assert!(summary.is_complete() && summary.time_ms == 7 && !summary.session);
    let usage = store.usage().await.unwrap();
    for (collection, size) in usage.collections {
        assert_eq!(summary.count(collection), size.rows, "{collection:?}");
    }
    let revision = store.apply(WriteBatch::relaxed()).await.unwrap().revision;
    assert_eq!(summary.revision, revision);

    let (encryption, identity) = passphrase();
    let file = bytes_of(Backup::new().encryption(encryption), &store).await;
    assert_eq!(read(&[&file], Some(&identity)).unwrap(), expected);
    store.close().await.unwrap();
}

#[test]
fn an_archive_has_everything_of_any_store() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (backend, cases) in [(Backend::Memory, 24), (Backend::Sqlite, 8), (Backend::Sled, 8)] {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&(shapes(), any::<bool>()), |(shape, sealed)| {
            runtime.block_on(an_archive_equals_the_store(Home::new(backend, sealed), &shape));
            Ok(())
        });
        result.unwrap_or_else(|e| panic!("{backend:?}: {e}"));
    }
}

#[tokio::test]
async fn an_archive_has_everything_on_every_store() {
    on_every_store(async |home| an_archive_equals_the_store(home, &Shape { huge: 5 << 20, ..small() }).await)
        .await;
}

#[tokio::test]
async fn an_empty_store_has_an_archive() {
    let store = MemoryStore::new();
    let file = bytes_of(Backup::new(), &store).await;
    assert_eq!(read(&[&file], None).unwrap(), Content::default());
    assert!(file.len() < 400, "{}", file.len());
}

#[tokio::test]
async fn recipients_read_it_and_nobody_else() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &small()).await;
    let ((first, to_first), (second, to_second)) = (Identity::generate(), Identity::generate());
    let to = Encryption::recipients([to_first.as_str(), &to_second]).unwrap();
    let file = bytes_of(Backup::new().encryption(to), &store).await;
    for secret in [first, second] {
        let identity = Identity::keys([secret.as_str()]).unwrap();
        assert_eq!(read(&[&file], Some(&identity)).unwrap(), Content::of_store(&store).await);
    }
    let refused = |identity: Option<&Identity>| open(&[&file], identity).unwrap_err().kind();
    let other = Identity::keys([Identity::generate().0.as_str()]).unwrap();
    assert_eq!(refused(Some(&other)), ErrorKind::WrongKey);
    assert_eq!(refused(Some(&Identity::passphrase("no"))), ErrorKind::WrongKey);
    assert_eq!(refused(None), ErrorKind::Sealed);
    let (_, identity) = passphrase();
    let plain = bytes_of(Backup::new(), &store).await;
    assert_eq!(open(&[&plain], Some(&identity)).unwrap_err().kind(), ErrorKind::NotSealed);
    assert_eq!(Encryption::recipients(["no key"]).unwrap_err().kind(), ErrorKind::Invalid);
}

/// Whoever has the `age` tool gets at the plain archive with it.
#[tokio::test]
async fn an_encrypted_archive_is_an_age_file_around_a_plain_one() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &small()).await;
    let (encryption, _) = passphrase();
    let file = bytes_of(Backup::new().encryption(encryption), &store).await;
    let identity = age::scrypt::Identity::new("correct horse".to_owned().into());
    let plain = age::decrypt(&identity, &file).unwrap();
    assert_eq!(read(&[&plain], None).unwrap(), Content::of_store(&store).await);
}

#[tokio::test]
async fn login_and_keys_are_in_no_plain_archive_unless_asked_for() {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    let key = StateEntry { kind: EventType::new(format!("{}own", state_kind::KEYS)).unwrap(), ..session() };
    batch.put_state(session()).put_state(key).put_state(make::state(Scope::Account, 1, "1"));
    store.apply(batch).await.unwrap();
    let entries = |file: &[u8], identity: Option<&Identity>| {
        read(&[file], identity).unwrap().state.remove(&Scope::Account).unwrap().len()
    };
    let plain = bytes_of(Backup::new(), &store).await;
    assert_eq!(entries(&plain, None), 1);
    let asked = bytes_of(Backup::new().session(true), &store).await;
    assert_eq!(entries(&asked, None), 3);
    let (encryption, identity) = passphrase();
    let encrypted = bytes_of(Backup::new().encryption(encryption.clone()), &store).await;
    assert_eq!(entries(&encrypted, Some(&identity)), 3);
    let without = bytes_of(Backup::new().encryption(encryption).session(false), &store).await;
    assert_eq!(entries(&without, Some(&identity)), 1);
}

#[tokio::test]
async fn a_passphrase_costs_no_more_than_the_reader_accepts() {
    let store = MemoryStore::new();
    let dear = Encryption::passphrase("p").work(8);
    let file = bytes_of(Backup::new().encryption(dear), &store).await;
    let identity = Identity::passphrase("p").most_work(7);
    let error = open(&[&file], Some(&identity)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    open(&[&file], Some(&identity.most_work(8))).unwrap();
}

/// So that a runtime with several threads can run it.
#[test]
fn a_backup_is_a_future_that_can_be_sent() {
    fn sendable<T: Send>(_: &T) {}
    let store = MemoryStore::new();
    let backup = async { Backup::new().run(&store, Vec::new()).await };
    sendable(&backup);
}

#[tokio::test]
async fn progress_ends_where_it_said() {
    use std::sync::{Arc, Mutex};
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &Shape { media: vec![900_000], ..small() }).await;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let told = steps.clone();
    let progress = Progress::to(move |done, total| told.lock().unwrap().push((done, total)));
    let file = bytes_of(Backup::new().progress(progress.clone()), &store).await;
    let written = std::mem::take(&mut *steps.lock().unwrap());
    open(&[&file], None).unwrap().check(&progress).unwrap();
    for steps in [written, steps.lock().unwrap().clone()] {
        assert!(steps.len() > 4 && steps.is_sorted());
        assert_eq!(steps.last().unwrap().0, steps.last().unwrap().1);
    }
}
