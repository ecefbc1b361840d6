//! Media: whole, or not there.

use haos_archive::{Reason, Record, Restore, RestoreOptions, copy};
use haos_backends::on_every_store;
use haos_store_api::*;

use crate::dump::{Dump, revision};
use crate::sample::media;

async fn put(store: &dyn StorageAdapter, info: MediaInfo, bytes: Vec<u8>) {
    let mut batch = WriteBatch::relaxed();
    batch.put_media(info, bytes);
    store.apply(batch).await.unwrap();
}

fn portions(info: &MediaInfo, bytes: &[u8], size: usize) -> Vec<Record> {
    let parts = bytes.chunks(size).zip((0..).step_by(size));
    let bytes = parts.map(|(part, at)| Record::MediaBytes {
        key: info.key.clone(),
        at: at as u64,
        bytes: part.to_vec(),
    });
    [Record::Media(info.clone())].into_iter().chain(bytes).collect()
}

#[tokio::test]
async fn an_item_shows_once_it_is_whole_and_goes_on_after_an_interruption() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let (info, bytes) = media("mxc://x/a", 1000);
        let records = portions(&info, &bytes, 300);
        for cut in 1..=records.len() {
            let mut restore = Restore::into(&*store, RestoreOptions::default()).await.unwrap();
            for record in &records[..cut] {
                restore.take(record.clone()).await.unwrap();
            }
            let query = MediaQuery { key: Some(info.key.clone()), ..MediaQuery::default() };
            let shown = store.media_index(query).await.unwrap();
            assert_eq!(shown.len(), usize::from(cut == records.len()), "{cut}");
        }
        let mut restore = Restore::into(&*store, RestoreOptions::default()).await.unwrap();
        for record in &records {
            restore.take(record.clone()).await.unwrap();
        }
        assert!(restore.finish().await.unwrap().is_unchanged());
        assert_eq!(Dump::of(&*store).await.media, [(info, bytes)], "and nothing else is left");
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_item_without_all_of_its_bytes_is_left_out() {
    let (info, bytes) = media("mxc://x/a", 1000);
    let records = portions(&info, &bytes, 300);
    for missing in 1..records.len() {
        let store = MemoryStore::new();
        let mut restore = Restore::into(&store, RestoreOptions::default()).await.unwrap();
        for (_, record) in records.iter().enumerate().filter(|(n, _)| *n != missing) {
            restore.take(record.clone()).await.unwrap();
        }
        let done = restore.finish().await.unwrap();
        assert_eq!(done.left_out().collect::<Vec<_>>(), [(Collection::Media, Reason::Incomplete, 1)]);
        assert_eq!(store.media_index(MediaQuery::default()).await.unwrap(), []);
    }
    let short = MediaInfo { size: 900, ..info };
    let store = MemoryStore::new();
    let mut restore = Restore::into(&store, RestoreOptions::default()).await.unwrap();
    for record in portions(&short, &bytes, 300) {
        restore.take(record).await.unwrap();
    }
    let done = restore.finish().await.unwrap();
    // The last portion lies beyond what it says it has.
    assert_eq!(done.of(Collection::Media).new, 1);
}

#[tokio::test]
async fn an_item_that_both_have_is_as_the_store_has_it_but_stays_pinned() {
    let (mine, theirs) = (media("mxc://x/a", 10), media("mxc://x/a", 20));
    let (from, to) = (MemoryStore::new(), MemoryStore::new());
    put(&to, mine.0.clone(), mine.1.clone()).await;
    put(&from, MediaInfo { pinned: true, ..theirs.0 }, theirs.1).await;
    for turn in 0..2 {
        let held = revision(&to).await;
        let done = copy(&from, &to, RestoreOptions::default(), Progress::none()).await.unwrap();
        assert_eq!(done.of(Collection::Media).merged, u64::from(turn == 0));
        assert_eq!(revision(&to).await == held, turn == 1);
        let expected = (MediaInfo { pinned: true, ..mine.0.clone() }, mine.1.clone());
        assert_eq!(Dump::of(&to).await.media, [expected]);
    }
}
