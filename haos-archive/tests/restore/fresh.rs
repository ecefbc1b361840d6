//! Restored anywhere, a store is equal, collection by collection.

use std::sync::Arc;

use haos_archive::{MoveOptions, Moved, Outbox, Reason, RestoreOptions, copy, move_store};
use haos_backends::{Backend, Home, on_every_store};
use haos_queue::{Clocks, hold_back, take_over};
use haos_store_api::*;

use crate::dump::{Dump, revision};
use crate::sample::{fill, room};

/// The dump of a copy: of the outbox, what is expected of another store.
pub(crate) fn expected(of: &Dump, outbox: Outbox) -> Dump {
    let taken = of.pending.iter().map(|row| take_over(row, Clocks::default()));
    let pending = match outbox {
        Outbox::TakeOver => taken.collect(),
        _ => taken.map(|row| hold_back(&row)).collect(),
    };
    Dump { pending, ..of.clone() }
}

async fn copied(from: &dyn StorageAdapter, to: &dyn StorageAdapter, outbox: Outbox) {
    let before = Dump::of(from).await;
    let options = || RestoreOptions::default().outbox(outbox);
    let restored = copy(from, to, options(), Progress::none()).await.unwrap();
    assert_eq!(Dump::of(to).await, expected(&before, outbox));
    assert_eq!(restored.left_out().count(), 0, "{restored:?}");
    assert_eq!(restored.of(Collection::Pending).new, 7);
    let held = revision(to).await;
    let again = copy(from, to, options(), Progress::none()).await.unwrap();
    assert!(again.is_unchanged(), "{again:?}");
    assert_eq!(revision(to).await, held, "restoring twice changes nothing");
    assert_eq!(Dump::of(from).await, before, "it is read alone");
}

#[tokio::test]
async fn a_copy_in_any_store_is_equal_and_copying_twice_changes_nothing() {
    let from = MemoryStore::new();
    fill(&from, 3, 60).await;
    on_every_store(async |mut home| {
        let to = home.open().await;
        copied(&from, &*to, Outbox::HoldBack).await;
        to.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_copy_of_any_store_is_equal() {
    on_every_store(async |mut home| {
        let from = home.open().await;
        fill(&*from, 2, 30).await;
        copied(&*from, &MemoryStore::new(), Outbox::TakeOver).await;
        from.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_copy_can_run_in_a_task_of_its_own() {
    let (from, to): (Arc<dyn StorageAdapter>, Arc<dyn StorageAdapter>) =
        (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let options = RestoreOptions::default();
    let task = async move {
        copy(&*from, &*to, options.clone(), Progress::none()).await?;
        move_store(&*from, &*to, options, MoveOptions::default(), Progress::none()).await
    };
    let (restored, moved) = tokio::spawn(task).await.unwrap().unwrap();
    assert!(restored.is_unchanged());
    assert_eq!(moved, Moved::default());
}

#[tokio::test]
async fn a_long_timeline_is_equal_too() {
    let from = MemoryStore::new();
    fill(&from, 1, 3_000).await;
    let mut home = Home::new(Backend::Sqlite, false);
    let to = home.open().await;
    copied(&from, &*to, Outbox::HoldBack).await;
    assert_eq!(to.count(&room(0), None).await.unwrap(), 3_001);
    to.close().await.unwrap();
}

/// What cannot be read does not end a copy, and is counted; an outbox row, too.
#[tokio::test]
async fn unreadable_rows_are_counted_and_the_others_are_copied() {
    let mut home = Home::new(Backend::Sqlite, false);
    let from = home.open().await;
    fill(&*from, 2, 30).await;
    let outbox = from.outbox().await.unwrap();
    from.close().await.unwrap();
    let conn = rusqlite::Connection::open(home.sqlite_path()).unwrap();
    let broken = conn.execute_batch(
        "UPDATE message SET payload = 'no' WHERE pos = (SELECT max(pos) FROM message);
         UPDATE pending SET payload = 'no' WHERE seq = (SELECT max(seq) FROM pending);",
    );
    broken.unwrap();
    drop(conn);
    // It would give the row back.
    home.forget_mirror();
    let (from, to) = (home.open().await, MemoryStore::new());
    let options = RestoreOptions::default();
    let restored = copy(&*from, &to, options.clone(), Progress::none()).await.unwrap();
    let unreadable: Vec<_> =
        restored.left_out().filter(|(.., reason, _)| *reason == Reason::Unreadable).collect();
    let collections: Vec<_> = unreadable.iter().map(|(of, ..)| *of).collect();
    assert_eq!(collections, [Collection::Messages, Collection::Pending], "{unreadable:?}");
    let copied = to.outbox().await.unwrap();
    let names = |rows: &[Pending]| rows.iter().map(|row| row.txn_id.clone()).collect::<Vec<_>>();
    assert_eq!(names(&copied), names(&outbox[..outbox.len() - 1]));
    assert_eq!(to.count(&room(0), None).await.unwrap(), from.count(&room(0), None).await.unwrap());

    // Who moves must not lose an unsent message: it stays where it is.
    let refused = move_store(&*from, &to, options, MoveOptions::default(), Progress::none()).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Corrupt);
    from.close().await.unwrap();
}
