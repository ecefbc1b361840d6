//! The store, and how it reads and writes its values.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use haos_store_api::{Durability, EventType, Scope, StateEntry, StateKey, StateQuery, StorageAdapter};
use matrix_sdk_crypto::olm::StaticAccountData;
use matrix_sdk_crypto::store::CryptoStoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::group::{Gathered, Group};
use crate::place::{Place, one, single};
use crate::value::{decode, encode};

/// The entries that are read at once where a kind may have any number.
pub(crate) const PAGE: usize = 256;

/// The keys of one device, in a store: what an [`OlmMachine`](matrix_sdk_crypto::OlmMachine) keeps, in any
/// [`StorageAdapter`].
///
/// Clones are one store. Others over the same adapter, in this process or another, are fenced off: see
/// [`is_stale`](Self::is_stale).
///
/// It holds the adapter and never suspends or closes it: that is for who opened it.
#[derive(Clone)]
pub struct KeyStore(Arc<Inner>);

struct Inner {
    store: Arc<dyn StorageAdapter>,
    /// Whose keys these are, once it is known.
    account: RwLock<Option<StaticAccountData>>,
    fence: Arc<Mutex<Fence>>,
    stale: AtomicBool,
    closed: AtomicBool,
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyStore")
            .field("store", &self.0.store)
            .field("stale", &self.is_stale())
            .finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Opens the keys in `store`, which may have none yet.
    ///
    /// Open it at the moment when its machine is made, and not before: what another context writes in between makes it
    /// stale.
    ///
    /// # Errors
    /// Those of the store, and [`Error::Newer`].
    pub async fn open(store: Arc<dyn StorageAdapter>) -> Result<Self> {
        let fence = Arc::new(Mutex::new(Fence::read(&*store).await?));
        let (stale, closed) = Default::default();
        Ok(Self(Arc::new(Inner { store, account: RwLock::default(), fence, stale, closed })))
    }

    /// Tells whether another context wrote keys since this store was opened, as far as this one noticed: its next write
    /// does.
    ///
    /// A stale store reads on, and refuses every write with [`Error::Stale`]. The machine over it is of no use any more,
    /// since it keeps in memory what has changed beneath it. Drop both, open the store again and make a new machine;
    /// what was to be encrypted was not, and can be encrypted then.
    pub fn is_stale(&self) -> bool {
        self.0.stale.load(Ordering::Acquire)
    }

    /// Returns whose keys these are: user, device, identity keys. Absent until a machine has loaded or made the account.
    pub fn get_static_account(&self) -> Option<StaticAccountData> {
        self.0.account.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does work of a machine whose writes belong together, and stores them as one: all of them, or, if the process is killed
    /// before the end, none. Hand it [`receive_sync_changes`](matrix_sdk_crypto::OlmMachine::receive_sync_changes): a machine
    /// stores a ratchet's step before the room key that came with it, and refuses the message when it comes again.
    ///
    /// Other writers of this store wait meanwhile. What was gathered is stored also if the work fails, as it would be one by
    /// one. If the work is dropped before its end the store is [stale](Self::is_stale), since its machine may know more.
    ///
    /// Give nothing out that the work encrypts before this has returned: its step is not stored until then.
    ///
    /// # Errors
    /// Those of the work, and of the store.
    pub async fn together<T, E: From<CryptoStoreError>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let told = |error: Error| E::from(CryptoStoreError::from(error));
        let fence = self.turn().await.map_err(told)?;
        let group = Group::new(&self.0.fence, fence);
        let unfinished = Unfinished(&self.0.stale);
        let done = group.scope(work).await;
        let stored = self.flush(&group).await;
        std::mem::forget(unfinished);
        stored.map_err(told)?;
        done
    }

    pub(crate) fn adapter(&self) -> Result<&dyn StorageAdapter> {
        if self.0.closed.load(Ordering::Acquire) { Err(Error::Closed) } else { Ok(&*self.0.store) }
    }

    pub(crate) fn set_closed(&self, closed: bool) {
        self.0.closed.store(closed, Ordering::Release);
    }

    pub(crate) fn set_account(&self, account: &StaticAccountData) {
        *self.0.account.write().unwrap_or_else(PoisonError::into_inner) = Some(account.clone());
    }

    // Reading

    /// Reads a value without which nothing goes on: one that is damaged is an error, and not absent.
    pub(crate) async fn own<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>> {
        let found = self.read(one(name)?.query()).await?.pop();
        found.map(|entry| decode(name, &entry.value)).transpose()
    }

    /// Reads a value. A damaged one counts as absent: a device is asked for again, a room key comes from a backup, and
    /// where a ratchet was, another one begins.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        place: Place,
    ) -> Result<Option<T>> {
        Ok(self.several(what, [place]).await?.pop().flatten())
    }

    /// Reads values, in the order of their places.
    pub(crate) async fn several<T: DeserializeOwned>(
        &self,
        what: &'static str,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<Vec<Option<T>>> {
        let queries: Vec<_> = places.into_iter().map(|place| place.query()).collect();
        let mut lists = self.adapter()?.states(queries.clone()).await?;
        if let Some(group) = Group::present(&self.0.fence) {
            queries.iter().zip(&mut lists).for_each(|(query, list)| group.lay_over(query, list));
        }
        lists
            .into_iter()
            .map(|mut list| list.pop().map(|entry| decode(what, &entry.value)).transpose())
            .collect()
    }

    /// Reads all values of a kind, by key.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        what: &'static str,
        kind: EventType,
    ) -> Result<Vec<T>> {
        let entries = self.read(StateQuery::kind(Scope::Account, kind)).await?;
        entries.iter().map(|entry| decode(what, &entry.value)).collect()
    }

    /// Reads the entries of a key or a kind.
    pub(crate) async fn read(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        let mut list = self.adapter()?.state(query.clone()).await?;
        if let Some(group) = Group::present(&self.0.fence) {
            group.lay_over(&query, &mut list);
        }
        Ok(list)
    }

    /// Reads a page of a kind.
    pub(crate) async fn page(
        &self,
        kind: &EventType,
        after: Option<StateKey>,
        limit: usize,
    ) -> Result<Vec<StateEntry>> {
        self.flush_present().await?;
        Ok(self.adapter()?.state(StateQuery::page(Scope::Account, kind.clone(), after, limit)).await?)
    }

    pub(crate) async fn count(&self, kind: &EventType) -> Result<usize> {
        self.flush_present().await?;
        let count = self.adapter()?.count_state(&Scope::Account, kind).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    pub(crate) async fn has(&self, place: Place) -> Result<bool> {
        Ok(!self.read(place.query()).await?.is_empty())
    }

    // Writing

    /// Begins a write. Until it is committed or dropped no other begins, so that what it reads stays true.
    pub(crate) async fn write(&self, durability: Durability) -> Result<Write<'_>> {
        let turn = match Group::present(&self.0.fence) {
            Some(group) => Turn::Grouped(group.fence.clone().lock_owned().await, group),
            None => Turn::Own(self.turn().await?),
        };
        Ok(Write { store: self, turn, gathered: Gathered::new(durability) })
    }

    /// Waits for the turn to write.
    async fn turn(&self) -> Result<OwnedMutexGuard<Fence>> {
        let mut fence = self.0.fence.clone().lock_owned().await;
        if self.is_stale() {
            return Err(Error::Stale);
        }
        let settled = fence.settle(self.adapter()?).await;
        self.note(settled)?;
        Ok(fence)
    }

    /// Stores all of it, or nothing.
    async fn store(&self, fence: &mut Fence, gathered: Gathered) -> Result<()> {
        if gathered.is_empty() {
            return Ok(());
        }
        let mut batch = gathered.into_batch();
        let Place { kind, key } = one(single::FENCE)?;
        let (expected, value) = fence.step()?;
        batch.expect_state(Scope::Account, kind.clone(), key.clone(), expected);
        batch.put_state(StateEntry { scope: Scope::Account, kind, key, event_id: None, value });
        let done = self.adapter()?.apply(batch).await;
        self.note(done.map_err(Error::from))?;
        fence.stepped();
        Ok(())
    }

    async fn flush(&self, group: &Group) -> Result<()> {
        let mut fence = group.fence.lock().await;
        self.store(&mut fence, group.take()).await
    }

    /// Stores what the present group has gathered: pages and counts are read from the store alone.
    async fn flush_present(&self) -> Result<()> {
        match Group::present(&self.0.fence) {
            Some(group) => self.flush(&group).await,
            None => Ok(()),
        }
    }

    fn note<T>(&self, result: Result<T>) -> Result<T> {
        let stale = matches!(&result, Err(error) if error.is_conflict() || matches!(error, Error::Stale));
        if stale {
            self.0.stale.store(true, Ordering::Release);
            return Err(Error::Stale);
        }
        result
    }

    /// Writes one value.
    pub(crate) async fn put<T: Serialize>(
        &self,
        durability: Durability,
        place: Place,
        value: &T,
    ) -> Result<()> {
        let mut write = self.write(durability).await?;
        write.put(place, value)?;
        write.commit().await
    }

    /// Removes one value.
    pub(crate) async fn remove(&self, durability: Durability, place: Place) -> Result<()> {
        let mut write = self.write(durability).await?;
        write.remove(place);
        write.commit().await
    }
}

/// Makes a store stale, should the work of a group be dropped.
struct Unfinished<'a>(&'a AtomicBool);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The right to write.
enum Turn {
    Own(OwnedMutexGuard<Fence>),
    Grouped(OwnedMutexGuard<OwnedMutexGuard<Fence>>, Arc<Group>),
}

/// A write under way.
pub(crate) struct Write<'a> {
    pub(crate) store: &'a KeyStore,
    turn: Turn,
    gathered: Gathered,
}

impl Write<'_> {
    pub(crate) fn put<T: Serialize>(&mut self, place: Place, value: &T) -> Result<()> {
        self.gathered.set(place.kind, place.key, Some(encode(value)?));
        Ok(())
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.gathered.set(place.kind, place.key, None);
    }

    /// Returns a number that is greater than that of every write before.
    pub(crate) fn number(&self) -> u64 {
        match &self.turn {
            Turn::Own(fence) => fence.next(),
            Turn::Grouped(fence, _) => fence.next(),
        }
    }

    /// Stores all of it, or nothing; within a group with all else that the group gathers.
    pub(crate) async fn commit(self) -> Result<()> {
        match self.turn {
            Turn::Own(mut fence) => self.store.store(&mut fence, self.gathered).await,
            Turn::Grouped(mut fence, group) => {
                fence.pass();
                group.gather(self.gathered);
                Ok(())
            }
        }
    }
}
