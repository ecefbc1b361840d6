use std::collections::BTreeMap;

use haos_store_api::{ByteRange, MediaQuery, Result, StorageAdapter};

use super::entry::Saved;
use super::folder::{Folder, failed};
use super::{Attachment, name};

/// The bytes that are read at once.
const PORTION: u64 = 256 << 10;

/// The media of a room: each item is one file, however many messages show it.
pub(super) struct Media {
    /// The room's folder.
    folder: String,
    /// Names of files that are written, and of items that are not stored.
    known: BTreeMap<String, bool>,
}

impl Media {
    pub(super) fn new(folder: String) -> Self {
        Self { folder, known: BTreeMap::new() }
    }

    /// Writes the bytes, unless they are written or not stored.
    pub(super) async fn save(
        &mut self,
        store: &dyn StorageAdapter,
        folder: &mut dyn Folder,
        attachment: Attachment,
    ) -> Result<(Saved, bool)> {
        let id = format!("{} {}", attachment.key.uri, attachment.key.format);
        let path = format!("media/{}", name::file(&attachment.name, &id));
        let (is_stored, is_new) = match self.known.get(&path) {
            Some(is_stored) => (*is_stored, false),
            None => (self.copy(store, folder, &attachment, &path).await?, true),
        };
        self.known.insert(path.clone(), is_stored);
        Ok((Saved { attachment, path: is_stored.then_some(path) }, is_new))
    }

    /// Copies the bytes. `false`: they are not stored.
    async fn copy(
        &self,
        store: &dyn StorageAdapter,
        folder: &mut dyn Folder,
        attachment: &Attachment,
        path: &str,
    ) -> Result<bool> {
        let query = MediaQuery { key: Some(attachment.key.clone()), ..MediaQuery::default() };
        let Some(info) = store.media_index(query).await?.pop() else { return Ok(false) };
        let path = format!("{}/{path}", self.folder);
        let mut file = folder.create(&path).map_err(|e| failed(&path, e))?;
        let mut at = 0;
        while at < info.size {
            let range = ByteRange { start: at, end: at + PORTION };
            // It may be evicted meanwhile.
            let part = store.media(&attachment.key, range).await?.map(|part| part.bytes).unwrap_or_default();
            if part.is_empty() {
                return Ok(false);
            }
            at += part.len() as u64;
            file.write_all(&part).map_err(|e| failed(&path, e))?;
        }
        file.flush().map_err(|e| failed(&path, e))?;
        Ok(true)
    }
}
