use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use haos_queue::pressure::Kept;
use haos_store_api::{Media, MediaKey, MediaUri, Result, RoomId};

use super::fetch::fetch;
use super::flights::{Flight, Flights};
use super::request::{is_local, is_remote};
#[cfg(feature = "e2ee")]
use super::sealed::Opener;
use super::shelf::Shelf;
use super::{MediaError, MediaRequest, MediaStream};
use crate::{Server, Variant};

/// Media items, from the store where they are there, else from the server and into the store.
///
/// Clones are one cache. Several caches, of several contexts, may share one store: each item may then be
/// downloaded once a context, and is stored once. Uses are noted for eviction, a minute or so late, so that
/// reading costs no commit; [`MediaCache::flush`] writes them before the application sleeps.
#[derive(Clone)]
pub struct MediaCache {
    pub(super) server: Arc<dyn Server>,
    pub(super) shelf: Arc<Shelf>,
    flights: Arc<Flights>,
    swept: Arc<AtomicBool>,
    #[cfg(feature = "e2ee")]
    pub(super) opener: Option<Arc<Opener>>,
}

impl MediaCache {
    /// A cache of what `server` has, in a store whose options say how much media it keeps.
    pub fn new(server: Arc<dyn Server>, store: Arc<Kept>) -> Self {
        Self {
            server,
            shelf: Arc::new(Shelf::new(store)),
            flights: Arc::default(),
            swept: Arc::default(),
            #[cfg(feature = "e2ee")]
            opener: None,
        }
    }

    /// Bytes of an item. What is in the store comes from there, without a request; else the item is
    /// downloaded whole, one request for all who ask for it meanwhile, and the range read once it is there.
    ///
    /// Those of a file in an encrypted room are decrypted. The store keeps them as the server has them, and their event has
    /// the key. No server makes a thumbnail of them: the whole file is given instead.
    ///
    /// May be dropped at any moment: others who wait for the same item go on, and a later call begins again.
    ///
    /// # Errors
    /// See [`MediaError`]. A failure is not remembered: the next call asks the server again.
    pub async fn get(&self, request: &MediaRequest) -> Result<Media, MediaError> {
        #[cfg(feature = "e2ee")]
        if let Some(keys) = self.keys_of(&request.uri).await? {
            return self.get_sealed(request, &keys).await;
        }
        let key = request.key()?;
        if let Some(media) = self.shelf.read(&key, request.range).await? {
            return Ok(media);
        }
        let error = match self.fetch(&key, request).await {
            Ok(()) => match self.shelf.read(&key, request.range).await? {
                Some(media) => return Ok(media),
                // Items that may not go fill the bounds of the policy or the quota.
                None => MediaError::Full,
            },
            Err(error) => error,
        };
        if request.variant != Variant::Original && (request.fallback_to_original || is_local(&request.uri)) {
            let original = MediaKey { format: Variant::Original.format()?, ..key };
            if let Some(media) = self.shelf.read(&original, request.range).await? {
                return Ok(media);
            }
        }
        Err(error)
    }

    /// A whole item past the cache: from the store if it is there, else from the server and not into the
    /// store. For what is larger than the cache keeps, such as a film. Each call is a request of its own.
    ///
    /// # Errors
    /// See [`MediaError`].
    pub async fn stream(&self, uri: &MediaUri, variant: Variant) -> Result<MediaStream, MediaError> {
        #[cfg(feature = "e2ee")]
        if let Some(keys) = self.keys_of(uri).await? {
            return self.stream_sealed(uri, keys).await;
        }
        let key = MediaKey { uri: uri.clone(), format: variant.format()? };
        if let Some(info) = self.shelf.info(&key).await? {
            return Ok(MediaStream::stored(self.shelf.clone(), key, info.mime, info.size));
        }
        may_fetch(uri)?;
        Ok(MediaStream::passing(self.server.download(uri, variant).await?))
    }

    /// Tells if an item is in the store, and `get` needs no server.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_stored(&self, uri: &MediaUri, variant: Variant) -> Result<bool> {
        let key = MediaKey { uri: uri.clone(), format: variant.format()? };
        Ok(self.shelf.info(&key).await?.is_some())
    }

    /// Writes the uses that are only noted. Call it before the application sleeps or the store is closed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn flush(&self) -> Result<()> {
        self.shelf.flush().await
    }

    /// Removes what only this room refers to, such as when it was left for good and its history with it; says
    /// how many bytes. What is pinned or waits in the outbox stays.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn remove_room(&self, room: &RoomId) -> Result<u64> {
        self.shelf.remove_room(room).await
    }

    /// Removes downloads that a process began, and did not add to for an hour; says how many bytes. The
    /// first download of a cache does so by itself.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sweep(&self) -> Result<u64> {
        self.shelf.tidy().await;
        self.shelf.sweep().await
    }

    pub(super) async fn fetch(&self, key: &MediaKey, request: &MediaRequest) -> Result<(), MediaError> {
        may_fetch(&key.uri)?;
        if !self.swept.swap(true, Ordering::Relaxed)
            && let Err(e) = self.shelf.sweep().await
        {
            tracing::warn!("unfinished downloads could not be removed: {e}");
        }
        let flight = self.flights.join(key, request.room.as_ref(), |rooms, alive| -> Flight {
            let (server, shelf, key) = (self.server.clone(), self.shelf.clone(), key.clone());
            let variant = request.variant;
            Box::pin(async move {
                let _alive = alive;
                fetch(&*server, &shelf, &key, variant, rooms).await
            })
        });
        flight.await
    }
}

pub(super) fn may_fetch(uri: &MediaUri) -> Result<(), MediaError> {
    match uri {
        uri if is_local(uri) => Err(MediaError::NotStored),
        uri if is_remote(uri) => Ok(()),
        _ => Err(MediaError::InvalidUri),
    }
}

impl fmt::Debug for MediaCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaCache")
            .field("shelf", &self.shelf)
            .field("flights", &self.flights)
            .finish_non_exhaustive()
    }
}
