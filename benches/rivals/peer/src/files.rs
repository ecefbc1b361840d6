use std::path::Path;

use matrix_sdk::attachment::{AttachmentConfig, AttachmentInfo, BaseImageInfo, Thumbnail};
use matrix_sdk::media::{MediaFormat, MediaRequestParameters};
use matrix_sdk::ruma::events::room::{EncryptedFile, MediaSource};
use matrix_sdk::ruma::{EventId, OwnedEventId, RoomId, UInt};
use serde::Deserialize as _;
use serde_json::Value;
use tokio::fs;

use crate::Result;
use crate::client::Peer;

/// The edge of each thumbnail, as its event has it.
const EDGE: u32 = 16;

impl Peer {
    pub(crate) async fn file(
        &self,
        room: &RoomId,
        path: &Path,
        name: String,
        mime: &str,
        thumbnail: Option<&Path>,
    ) -> Result<OwnedEventId> {
        let bytes = fs::read(path).await?;
        let info = BaseImageInfo { size: UInt::new(bytes.len() as u64), ..BaseImageInfo::default() };
        let mut config = AttachmentConfig::new().info(AttachmentInfo::Image(info));
        if let Some(path) = thumbnail {
            let data = fs::read(path).await?;
            let (edge, size) = (EDGE.into(), UInt::try_from(data.len())?);
            let content_type = mime::IMAGE_PNG;
            config =
                config.thumbnail(Some(Thumbnail { data, content_type, height: edge, width: edge, size }));
        }
        let room = self.room(room).await?;
        Ok(room.send_attachment(name, &mime.parse()?, bytes, config).await?.event_id)
    }

    /// Fetches and decrypts the file of an event, and its thumbnail; the content that tells of them.
    pub(crate) async fn fetch(
        &self,
        room: &RoomId,
        event: &EventId,
        into: &Path,
        into_thumbnail: Option<&Path>,
    ) -> Result<Value> {
        let events = self.read(room).await?;
        let found = events.into_iter().find(|read| read.event == event).ok_or("there is no such event")?;
        let content = found.content;
        self.decrypt(EncryptedFile::deserialize(&content["file"])?, into).await?;
        if let Some(into) = into_thumbnail {
            self.decrypt(EncryptedFile::deserialize(&content["info"]["thumbnail_file"])?, into).await?;
        }
        Ok(content)
    }

    /// Fetches and decrypts a file by what an event says of it.
    pub(crate) async fn decrypt(&self, file: EncryptedFile, into: &Path) -> Result<()> {
        let source = MediaSource::Encrypted(Box::new(file));
        let request = MediaRequestParameters { source, format: MediaFormat::File };
        // From the server, also what it uploaded itself.
        let bytes = self.client.media().get_media_content(&request, false).await?;
        Ok(fs::write(into, bytes).await?)
    }
}
