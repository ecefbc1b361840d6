//! A list that stays live: read again when the store changes, and compared with what each subscriber has.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use haos_store_api::{Change, Changes, MaybeSend, Result};
use tokio::sync::{Mutex, MutexGuard, watch};

use super::diff::{Diff, diffs};
use crate::base::Signals;

/// A list as the store has it.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub(crate) trait Reader: MaybeSend {
    /// An item; its clones are cheap.
    type Item: Clone + PartialEq + MaybeSend;

    /// Returns an item's id, which no other item of the list has.
    fn key(item: &Self::Item) -> &str;

    /// Notes a change of the store. Returns true if the list may be other than it was read.
    fn note(&mut self, change: &Change) -> bool;

    /// Tells whether something besides the store and the nudges changed since the reading.
    fn is_outdated(&self) -> bool {
        false
    }

    /// Returns what tells that, if anything does.
    fn signals(&self) -> Option<Signals> {
        None
    }

    /// Reads the list. What is noted from the call on makes it stale again.
    async fn read(&mut self) -> Result<Vec<Self::Item>>;
}

/// A list with its subscribers. Clones are the same list.
///
/// Nothing is queued: a subscriber compares what it has with the latest reading, so that a slow one takes all in one
/// step.
pub(crate) struct LiveList<R: Reader> {
    inner: Arc<Inner<R>>,
}

struct Inner<R: Reader> {
    state: Mutex<State<R>>,
    /// Counts what makes the list stale besides the store.
    nudges: watch::Sender<u64>,
    /// Makes another subscription to the store's feed.
    feed: Box<Feed>,
}

#[cfg(not(target_arch = "wasm32"))]
type Feed = dyn Fn() -> Changes + Send + Sync;
#[cfg(target_arch = "wasm32")]
type Feed = dyn Fn() -> Changes;

struct State<R: Reader> {
    reader: R,
    changes: Changes,
    /// The nudges that the list knows of.
    nudge: u64,
    list: Arc<[R::Item]>,
    is_stale: bool,
}

impl<R: Reader> Clone for LiveList<R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<R: Reader> LiveList<R> {
    /// Makes a list that is read when it is asked for first.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn new(reader: R, feed: impl Fn() -> Changes + Send + Sync + 'static) -> Self {
        Self::with(reader, Box::new(feed))
    }

    /// Makes a list that is read when it is asked for first.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn new(reader: R, feed: impl Fn() -> Changes + 'static) -> Self {
        Self::with(reader, Box::new(feed))
    }

    fn with(reader: R, feed: Box<Feed>) -> Self {
        // Subscribed before the first reading: what comes in between is read twice rather than never.
        let state = State { reader, changes: feed(), nudge: 0, list: Arc::from([]), is_stale: true };
        Self { inner: Arc::new(Inner { state: Mutex::new(state), nudges: watch::Sender::new(0), feed }) }
    }

    /// Returns the list as it is now.
    pub(crate) async fn now(&self) -> Result<Arc<[R::Item]>> {
        let mut state = self.inner.state.lock().await;
        self.refresh(&mut state).await?;
        Ok(state.list.clone())
    }

    /// Returns the list as it is now, and what follows.
    pub(crate) async fn subscribe(&self) -> Result<(Vec<R::Item>, Diffs<R::Item>)>
    where
        R: 'static,
    {
        let (changes, nudges) = ((self.inner.feed)(), self.inner.nudges.subscribe());
        let signals = self.reader(Reader::signals).await;
        let seen = self.now().await?;
        let items = seen.to_vec();
        Ok((
            items,
            Diffs(Box::new(Watch { list: self.clone(), changes, nudges, signals, seen, is_behind: false })),
        ))
    }

    /// Changes what is read, such as its window, and wakes the subscribers.
    pub(crate) async fn change<T>(&self, change: impl FnOnce(&mut R) -> T) -> T {
        let mut state = self.inner.state.lock().await;
        let outcome = change(&mut state.reader);
        drop(state);
        self.nudge();
        outcome
    }

    /// Has the list read again, for a reason that the store's feed does not tell.
    pub(crate) fn nudge(&self) {
        self.inner.nudges.send_modify(|nudges| *nudges += 1);
    }

    /// Lends the reader.
    pub(crate) async fn reader<T>(&self, look: impl FnOnce(&R) -> T) -> T {
        look(&self.inner.state.lock().await.reader)
    }

    async fn refresh(&self, state: &mut MutexGuard<'_, State<R>>) -> Result<()> {
        let state = &mut **state;
        while let Some(change) = state.changes.try_next() {
            state.is_stale |= state.reader.note(&change);
        }
        let nudge = *self.inner.nudges.borrow();
        if state.is_stale || state.nudge != nudge || state.reader.is_outdated() {
            state.is_stale = true;
            state.nudge = nudge;
            state.list = state.reader.read().await?.into();
            state.is_stale = false;
        }
        Ok(())
    }
}

/// The steps of a list that is watched, batch by batch: a mirror that applies them all is the list as the store has it.
pub struct Diffs<T>(Box<dyn Steps<T>>);

impl<T> Diffs<T> {
    /// Waits for the next steps, of which there is at least one; none once the store is closed. Dropping the call
    /// loses nothing.
    ///
    /// # Errors
    /// Those of the store; the next call goes on.
    pub async fn next(&mut self) -> Result<Option<Vec<Diff<T>>>> {
        self.0.next().await
    }

    /// Turns it into a stream, which ends with the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<Diff<T>>>> {
        futures_util::stream::unfold(Some(self), |diffs| async {
            let mut diffs = diffs?;
            match diffs.next().await {
                Ok(steps) => Some((Ok(steps?), Some(diffs))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

impl<T> fmt::Debug for Diffs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diffs").finish_non_exhaustive()
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
trait Steps<T>: MaybeSend {
    async fn next(&mut self) -> Result<Option<Vec<Diff<T>>>>;
}

struct Watch<R: Reader> {
    list: LiveList<R>,
    changes: Changes,
    nudges: watch::Receiver<u64>,
    signals: Option<Signals>,
    /// The list as the subscriber has it.
    seen: Arc<[R::Item]>,
    /// True if a change was taken from the feed whose steps were not given yet.
    is_behind: bool,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl<R: Reader> Steps<R::Item> for Watch<R> {
    async fn next(&mut self) -> Result<Option<Vec<Diff<R::Item>>>> {
        loop {
            if !self.is_behind {
                tokio::select! {
                    change = self.changes.next() => if change.is_none() { return Ok(None) },
                    // The list has the sender: it does not end.
                    _ = self.nudges.changed() => {}
                    () = signalled(&mut self.signals) => {}
                }
                self.is_behind = true;
            }
            // All that is queued is answered by one reading.
            while self.changes.try_next().is_some() {}
            let list = self.list.now().await?;
            let steps = match Arc::ptr_eq(&list, &self.seen) {
                true => Vec::new(),
                false => diffs(&self.seen, &list, R::key),
            };
            (self.seen, self.is_behind) = (list, false);
            if !steps.is_empty() {
                return Ok(Some(steps));
            }
        }
    }
}

async fn signalled(signals: &mut Option<Signals>) {
    match signals {
        Some(signals) => signals.changed().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt as _;
    use haos_store_api::{Error, ErrorKind, MemoryStore, StorageAdapter as _, WriteBatch};

    use super::*;
    use crate::live::rooms::tests::room;

    /// The number of rooms, while it can be read.
    struct Rooms {
        store: Arc<MemoryStore>,
        fails: Arc<AtomicBool>,
    }

    #[async_trait]
    impl Reader for Rooms {
        type Item = String;

        fn key(item: &String) -> &str {
            item
        }

        fn note(&mut self, _: &Change) -> bool {
            true
        }

        async fn read(&mut self) -> Result<Vec<String>> {
            if self.fails.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Io, "read", "the disk is away"));
            }
            let rooms = self.store.rooms(haos_store_api::RoomQuery::latest(9)).await?;
            Ok(rooms.into_iter().map(|room| room.id.to_string()).collect())
        }
    }

    #[tokio::test]
    async fn a_change_that_could_not_be_read_is_told_by_the_next_call() {
        let (store, fails) = (Arc::new(MemoryStore::new()), Arc::new(AtomicBool::new(false)));
        let (feed, reader) = (store.clone(), Rooms { store: store.clone(), fails: fails.clone() });
        let list = LiveList::new(reader, move || feed.changes());
        let (mut mirror, mut diffs) = list.subscribe().await.unwrap();
        assert!(mirror.is_empty());
        let mut batch = WriteBatch::relaxed();
        batch.put_room(room("!a", 1));
        store.apply(batch).await.unwrap();
        fails.store(true, Ordering::Relaxed);
        assert_eq!(diffs.next().await.unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(list.now().await.unwrap_err().kind(), ErrorKind::Io);
        fails.store(false, Ordering::Relaxed);
        let steps = diffs.next().now_or_never().expect("it waits for another change").unwrap().unwrap();
        steps.into_iter().for_each(|step| step.apply(&mut mirror).unwrap());
        assert_eq!(mirror, ["!a"]);
        assert!(diffs.next().now_or_never().is_none(), "it was told");
    }
}
