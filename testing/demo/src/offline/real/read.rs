//! The messages of a real homeserver.

use std::sync::Arc;

use haos_cli::parts::{Error, Result};
use haos_matrix::{
    Homeserver, MediaCache, MediaError, MediaRequest, PageRequest, Server as _, parse_messages,
};
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Event, TokioHost};
use haos_store_api::{Direction, MediaUri, MemoryStore, RoomId, StorageAdapter};

use super::halt::{Halt, patiently};

/// Events of a page, and the most pages of a room.
const PAGE: usize = 100;
const PAGES: usize = 50;
/// How often a read is tried.
const TRIES: u32 = 10;

/// Every event of a room, oldest first.
pub(super) async fn history(server: &Homeserver, room: &RoomId) -> Result<Vec<Event>> {
    let what = format!("reading the history of {room}");
    let (mut events, mut from) = (Vec::new(), None::<String>);
    for _ in 0..PAGES {
        let request =
            PageRequest { room, from: from.as_deref(), to: None, direction: Direction::Older, limit: PAGE };
        let page = patiently(&what, TRIES, async || {
            server.messages(&request).await.map_err(|answer| Halt::of(&what, &answer))
        });
        let page = parse_messages(&page.await?, room, Direction::Older)
            .map_err(|e| Error::Failed(format!("{what}: a page cannot be read: {e}")))?;
        // Newest first, page by page.
        events.extend(page.events.into_iter().rev());
        if page.end.is_none() || page.end == from {
            events.reverse();
            return Ok(events);
        }
        from = page.end;
    }
    Err(Error::Failed(format!("{what}: it does not end")))
}

/// The bytes of a file, from the server.
pub(super) async fn file(server: &Arc<Homeserver>, uri: &MediaUri) -> Result<Vec<u8>> {
    // A cache that is empty has everything from the server.
    let store: Arc<dyn StorageAdapter> = Arc::new(MemoryStore::new());
    let kept = Kept::new(store, Arc::new(TokioHost), PressureOptions::default());
    let cache = MediaCache::new(server.clone(), Arc::new(kept));
    let request = MediaRequest::new(uri.clone());
    let what = format!("fetching the file {uri}");
    let media = patiently(&what, TRIES, async || {
        cache.get(&request).await.map_err(|error: MediaError| match error.is_retryable() {
            true => Halt::Unreached(error.to_string()),
            false => Halt::Over(Error::Failed(format!("WRONG: {what}: {error}"))),
        })
    });
    Ok(media.await?.bytes)
}
