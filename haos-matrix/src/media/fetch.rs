use futures_util::StreamExt as _;
use haos_store_api::MediaKey;

use super::MediaError;
use super::flights::Rooms;
use super::intake::Intake;
use super::shelf::Shelf;
use crate::{Server, Variant};

/// Brings an item into the store, unless it is there. What ended early is removed.
pub(super) async fn fetch(
    server: &dyn Server,
    shelf: &Shelf,
    key: &MediaKey,
    variant: Variant,
    rooms: Rooms,
) -> Result<(), MediaError> {
    shelf.tidy().await;
    let fetched = download(server, shelf, key, variant, rooms).await;
    shelf.tidy().await;
    shelf.evict_after(fetched?).await;
    Ok(())
}

/// Bytes that came.
async fn download(
    server: &dyn Server,
    shelf: &Shelf,
    key: &MediaKey,
    variant: Variant,
    rooms: Rooms,
) -> Result<u64, MediaError> {
    // It may have come between the look of whoever asks and this flight.
    if shelf.info(key).await?.is_some() {
        return Ok(0);
    }
    let mut download = server.download(&key.uri, variant).await?;
    let mut intake = Intake::new(shelf, key, download.mime.take(), download.size, rooms)?;
    while let Some(chunk) = download.chunks.next().await {
        intake.take(&chunk?).await?;
    }
    intake.finish().await
}
