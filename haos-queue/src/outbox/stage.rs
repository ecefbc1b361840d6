use haos_store_api::{MediaFormat, MediaInfo, MediaKey, MediaQuery, Result, RoomId, TxnId, WriteBatch};

use super::{Outbox, Shared};
use crate::SealFile;
use crate::draft::{Sealing, Staged};
use crate::host::new_txn_id;
use crate::local::{STAGED, local_media_uri};

/// Staged bytes that no draft took are removed after this time.
const ABANDONED_MS: i64 = 24 * 3600 * 1000;

impl Outbox {
    /// Puts the first bytes of an upload into the store, where no eviction takes them. More may follow
    /// ([`Outbox::stage_more`]), so that a large file never stands in memory as a whole; then a draft
    /// takes it ([`Draft::upload`](crate::Draft::upload)).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn stage(&self, room: &RoomId, mime: Option<&str>, bytes: Vec<u8>) -> Result<Staged> {
        self.staged(room, mime, bytes, None).await
    }

    /// [`Outbox::stage`] for an encrypted room ([`Outbox::is_encrypted`]): the bytes, and those that follow, are encrypted
    /// before they are stored. [`Staged::sealed`] gives what goes into the content.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn stage_sealed(
        &self,
        room: &RoomId,
        mut file: Box<dyn SealFile>,
        mut bytes: Vec<u8>,
    ) -> Result<Staged> {
        file.seal(&mut bytes);
        // The server does not learn what it is.
        self.staged(room, Some("application/octet-stream"), bytes, Some(Sealing::new(file))).await
    }

    async fn staged(
        &self,
        room: &RoomId,
        mime: Option<&str>,
        bytes: Vec<u8>,
        sealing: Option<Sealing>,
    ) -> Result<Staged> {
        let shared = &self.shared;
        let txn_id = new_txn_id(&*shared.host)?;
        let key = MediaKey { uri: local_media_uri(&txn_id)?, format: MediaFormat::new("")? };
        shared.keep_time().await?;
        let size = bytes.len() as u64;
        let info = MediaInfo {
            key: key.clone(),
            size,
            mime: mime.map(str::to_owned),
            rooms: vec![room.clone()],
            last_access_ms: shared.host.now_ms(),
            // By the store's clock: when a draft has not come for too long is not for the wall's to say.
            fetched_at_ms: shared.now_ms(),
            pinned: true,
        };
        let mut batch = WriteBatch::strict();
        batch.put_media(info, bytes);
        shared.store.apply(batch).await?;
        Ok(Staged { txn_id, key, size, sealing })
    }

    /// Adds bytes to an upload.
    ///
    /// # Errors
    /// Those of the store; `Conflict` if the bytes are not those that were staged. A file that is encrypted cannot go on
    /// after one: stage it anew.
    pub async fn stage_more(&self, staged: &mut Staged, mut bytes: Vec<u8>) -> Result<()> {
        let mut file = staged.sealing.as_ref().map(Sealing::take).transpose()?;
        if let Some(file) = &mut file {
            file.seal(&mut bytes);
        }
        let more = bytes.len() as u64;
        let mut batch = WriteBatch::strict();
        batch.append_media(staged.key.clone(), staged.size, bytes);
        self.shared.store.apply(batch).await?;
        staged.size += more;
        if let (Some(sealing), Some(file)) = (&staged.sealing, file) {
            sealing.done(file);
        }
        Ok(())
    }
}

impl Shared {
    /// Removes staged bytes that no row sends, of drafts that never came.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now_ms = self.now_ms();
        for info in self.store.media_index(MediaQuery::default()).await? {
            let Some(txn_id) = info.key.uri.as_str().strip_prefix(STAGED) else { continue };
            let old = now_ms.saturating_sub(info.fetched_at_ms) > ABANDONED_MS;
            if !old || !info.pinned || self.row(&TxnId::new(txn_id)?).await?.is_some() {
                continue;
            }
            let mut batch = WriteBatch::relaxed();
            batch.remove_media(info.key);
            self.store.apply(batch).await?;
        }
        Ok(())
    }

    /// The media info of a row's bytes.
    pub(crate) async fn staged(&self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        let query = MediaQuery { key: Some(key.clone()), ..MediaQuery::default() };
        Ok(self.store.media_index(query).await?.into_iter().next())
    }
}
