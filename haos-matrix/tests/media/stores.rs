//! The stores that every scenario runs on, and what scenarios ask of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub(crate) use haos_backends::{Backend, Store};
use haos_matrix::{MediaCache, MediaRequest, Variant};
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Host, Sleep};
use haos_store_api::*;

use crate::server::Scripted;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// The place of a store, to open it again; a server, and the time.
pub(crate) struct Home {
    place: haos_backends::Home,
    pub(crate) server: Arc<Scripted>,
    pub(crate) clock: Arc<Clock>,
}

impl Home {
    pub(crate) fn new(backend: Backend, sealed: bool) -> Self {
        Self::at(haos_backends::Home::new(backend, sealed))
    }

    fn at(place: haos_backends::Home) -> Self {
        Self { place, server: Arc::default(), clock: Arc::default() }
    }

    /// Opens it; what was opened before must be closed, as by the end of a process.
    pub(crate) async fn open(&mut self) -> Store {
        self.place.open().await
    }

    pub(crate) fn cache(&self, store: &Store) -> MediaCache {
        self.cache_of(store, MediaPolicy::default())
    }

    pub(crate) fn cache_of(&self, store: &Store, policy: MediaPolicy) -> MediaCache {
        MediaCache::new(self.server.clone(), self.kept(store, PressureOptions::of_media(policy)))
    }

    pub(crate) fn kept(&self, store: &Store, options: PressureOptions) -> Arc<Kept> {
        Arc::new(Kept::new(store.clone(), self.clock.clone(), options))
    }
}

/// Plays a scenario on each backend, plain and sealed.
pub(crate) async fn on_every_store(scenario: impl AsyncFn(Home)) {
    haos_backends::on_every_store(async |place| scenario(Home::at(place)).await).await;
}

/// A clock that stands until it is moved, and chance that never meets itself.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) now_ms: AtomicI64,
    drawn: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { now_ms: AtomicI64::new(1_700_000_000_000), drawn: AtomicU64::new(0) }
    }
}

impl Clock {
    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Host for Clock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }
    fn steady_ms(&self) -> u64 {
        self.now_ms().unsigned_abs()
    }
    fn sleep(&self, _: u64) -> Sleep {
        Box::pin(std::future::pending())
    }
    fn random(&self) -> u64 {
        self.drawn.fetch_add(1, Ordering::Relaxed)
    }
}

pub(crate) fn uri(n: usize) -> MediaUri {
    MediaUri::new(format!("mxc://example.org/m{n}")).unwrap()
}

pub(crate) fn request(n: usize) -> MediaRequest {
    MediaRequest::new(uri(n))
}

pub(crate) fn key(n: usize) -> MediaKey {
    MediaKey { uri: uri(n), format: Variant::Original.format().unwrap() }
}

/// Bytes that say where they are.
pub(crate) fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at.wrapping_mul(31) >> 3) as u8 ^ at as u8).collect()
}

pub(crate) async fn index(store: &Store) -> Vec<MediaInfo> {
    store.media_index(MediaQuery::default()).await.unwrap()
}

/// The numbers of the items that are there whole, without parts of others.
pub(crate) async fn whole(store: &Store) -> Vec<String> {
    let mut names: Vec<String> = index(store)
        .await
        .into_iter()
        .filter(|info| !info.key.format.as_str().starts_with("partial:"))
        .map(|info| info.key.uri.as_str().rsplit('/').next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

pub(crate) async fn parts(store: &Store) -> usize {
    index(store).await.iter().filter(|info| info.key.format.as_str().starts_with("partial:")).count()
}
