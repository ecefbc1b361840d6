//! Stores that give no snapshot, as IndexedDB: what changed meanwhile is read again.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_archive::Backup;
use haos_backends::{Backend, Home, Store};
use haos_store_api::*;

use crate::busy::{agree, count_up, prepare};
use crate::content::{Content, bytes_of, read};
use crate::make::{self, Shape, fill, small};

/// Applies a batch as soon as something is read.
type Meanwhile = Box<dyn FnMut(&'static str) -> Option<WriteBatch> + Send>;

/// A store without snapshots.
pub(crate) struct Without {
    store: Store,
    media: AtomicUsize,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl std::fmt::Debug for Without {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Without")
    }
}

impl Without {
    pub(crate) fn over(store: Store) -> Self {
        Self { store, media: AtomicUsize::new(0), meanwhile: Mutex::default() }
    }

    pub(crate) fn media_reads(&self) -> usize {
        self.media.swap(0, Relaxed)
    }

    fn meanwhile(self, meanwhile: impl FnMut(&'static str) -> Option<WriteBatch> + Send + 'static) -> Self {
        *self.meanwhile.lock().unwrap() = Some(Box::new(meanwhile));
        self
    }

    async fn note(&self, method: &'static str) -> Result<()> {
        if method == "media" {
            self.media.fetch_add(1, Relaxed);
        }
        let batch = self.meanwhile.lock().unwrap().as_mut().and_then(|meanwhile| meanwhile(method));
        match batch {
            Some(batch) => self.store.apply(batch).await.map(drop),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl StorageAdapter for Without {
    async fn snapshot(&self) -> Result<Arc<dyn StorageAdapter>> {
        Err(Error::new(ErrorKind::Unsupported, "snapshot", "none here"))
    }

    forward_store! { self => self.store; before note; except snapshot }
}

#[tokio::test]
async fn without_a_snapshot_everything_is_there() {
    let mut home = Home::new(Backend::Sqlite, false);
    let store = home.open().await;
    fill(&store, &Shape { media: vec![0, 300_000], ..small() }).await;
    let file = bytes_of(Backup::new(), &Without::over(store.clone())).await;
    assert_eq!(read(&[&file], None).unwrap(), Content::of_store(&store).await);
}

#[tokio::test]
async fn what_changes_meanwhile_is_read_again() {
    let writes: [fn(&mut WriteBatch); 8] = [
        |batch| {
            batch.put_message(make::message(make::room(0), 900, "new"));
        },
        |batch| {
            batch.remove_room(make::room(0));
        },
        |batch| {
            batch.put_room(Room::new(make::room(7), Membership::Join));
        },
        |batch| {
            batch.put_state(make::state(Scope::Account, 1, "[1]"));
        },
        |batch| {
            batch.put_media(make::media(1), vec![9; 900]);
        },
        |batch| {
            batch.remove_media(make::media_key(1));
        },
        |batch| {
            batch.evict_media(MediaPolicy { max_total: 0, max_item: 0, max_idle_ms: 0 }, 99);
        },
        |batch| {
            batch.remove_pending(TxnId::new("txn1").unwrap());
        },
    ];
    for write in writes {
        for during in ["rooms", "state", "timeline", "media_index", "media", "pending"] {
            let store = Home::new(Backend::Memory, false).open().await;
            fill(&store, &small()).await;
            let mut once = true;
            let without = Without::over(store.clone()).meanwhile(move |method| {
                let is_now = method == during && std::mem::replace(&mut once, method != during);
                is_now.then(|| {
                    let mut batch = WriteBatch::relaxed();
                    write(&mut batch);
                    batch
                })
            });
            let file = bytes_of(Backup::new(), &without).await;
            assert_eq!(read(&[&file], None).unwrap(), Content::of_store(&store).await, "during {during}");
        }
    }
}

#[tokio::test]
async fn some_commits_meanwhile_are_followed_and_endless_ones_are_busy() {
    let store = Home::new(Backend::Memory, false).open().await;
    prepare(&store).await;
    let mut n = 0;
    let without = Without::over(store.clone()).meanwhile(move |method| {
        n += 1;
        (n < 40 && n % 7 == 0 && method != "apply").then(|| count_up(n))
    });
    let file = bytes_of(Backup::new(), &without).await;
    let content = read(&[&file], None).unwrap();
    agree(&content);
    assert_eq!(content, Content::of_store(&store).await);

    let mut n = 100;
    let without = Without::over(store).meanwhile(move |method| {
        n += 1;
        (method == "pending").then(|| count_up(n))
    });
    let error = Backup::new().run(&without, Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
}
