//! Media: written under a name of their own until all bytes are there.

use haos_queue::STAGED;
use haos_store_api::{
    Collection, ErrorKind, MediaFormat, MediaInfo, MediaKey, MediaQuery, MediaUri, Result, StorageAdapter,
    TxnId, WriteBatch,
};
use sha2::{Digest as _, Sha256};

use super::outbox::waits;
use super::{Ledger, Reason, Restore};

/// How the uris of items begin of which not all bytes are there.
const PARTIAL: &str = "haos-restoring:";

/// An item whose bytes are coming.
#[derive(Debug)]
pub(super) struct Partial {
    info: MediaInfo,
    /// Its bytes so far; absent if it is not taken, or is whole.
    at: Option<u64>,
}

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    pub(super) async fn media(&mut self, info: MediaInfo) -> Result<()> {
        let at = match self.media_is_wanted(&info).await? {
            true => Some(0),
            false => None,
        };
        let is_whole = at.is_some() && info.size == 0;
        self.partial = Some(Partial { info, at });
        if is_whole { self.portion(0, Vec::new()).await } else { Ok(()) }
    }

    async fn media_is_wanted(&mut self, info: &MediaInfo) -> Result<bool> {
        let uri = info.key.uri.as_str();
        if uri.starts_with(PARTIAL) {
            self.done.leave_out(Collection::Media, Reason::OfItsStore, 1);
            return Ok(false);
        }
        if let Some(stored) = self.media_info(&info.key).await? {
            // Staged bytes are pinned until a row sends them: that they are not any more is news.
            if info.pinned && !stored.pinned && !uri.starts_with(STAGED) {
                let mut batch = WriteBatch::relaxed();
                batch.pin_media(info.key.clone(), true);
                self.changed |= self.store.apply(batch).await?.changed;
                self.done.merged_rows(Collection::Media, 1);
            } else {
                self.done.unchanged_rows(Collection::Media, 1);
            }
            return Ok(false);
        }
        if self.is_spent(uri).await? {
            self.done.leave_out(Collection::Media, Reason::TakenBefore, 1);
            return Ok(false);
        }
        Ok(true)
    }

    /// Tells if a row that was to send staged bytes was taken over before, and is gone.
    async fn is_spent(&mut self, uri: &str) -> Result<bool> {
        let Some(txn_id) = uri.strip_prefix(STAGED).and_then(|txn_id| TxnId::new(txn_id).ok()) else {
            return Ok(false);
        };
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => Ledger::read(self.store).await?,
        };
        let was_taken = ledger.get(&txn_id).is_some();
        self.ledger = Some(ledger);
        Ok(was_taken && !waits(self.store, &txn_id).await?)
    }

    pub(super) async fn media_bytes(&mut self, key: MediaKey, at: u64, bytes: Vec<u8>) -> Result<()> {
        let partial = self.partial.as_ref().filter(|partial| partial.info.key == key);
        // Where bytes before these are lost, it never becomes whole.
        if partial.and_then(|partial| partial.at) == Some(at) && !bytes.is_empty() {
            self.portion(at, bytes).await?;
        }
        Ok(())
    }

    /// Writes the next bytes; with the last ones the item gets its name.
    async fn portion(&mut self, at: u64, bytes: Vec<u8>) -> Result<()> {
        let Some(partial) = &mut self.partial else { return Ok(()) };
        let info = &partial.info;
        let end = at.saturating_add(bytes.len() as u64);
        if end > info.size {
            // More than it says: it is left out at its end.
            partial.at = Some(end);
            return Ok(());
        }
        // Staged bytes are protected until their row is there.
        let pinned = info.pinned || info.key.uri.as_str().starts_with(STAGED);
        let mut batch = WriteBatch::relaxed();
        if at == 0 && end == info.size {
            batch.put_media(MediaInfo { pinned, ..info.clone() }, bytes);
        } else {
            let key = partial_key(info)?;
            match at {
                // What an interrupted restore left is replaced.
                0 => batch.put_media(MediaInfo { key: key.clone(), pinned: true, ..info.clone() }, bytes),
                _ => batch.append_media(key.clone(), at, bytes),
            };
            if end == info.size {
                batch.rename_media(key, info.key.clone()).pin_media(info.key.clone(), pinned);
            }
        }
        partial.at = (end < info.size).then_some(end);
        let is_whole = end == info.size;
        match self.store.apply(batch).await {
            Ok(commit) => self.changed |= commit.changed,
            // Somebody removed what came before.
            Err(e) if e.kind() == ErrorKind::Conflict => {
                partial.at = None;
                self.done.leave_out(Collection::Media, Reason::Incomplete, 1);
                return Ok(());
            }
            Err(e) => return Err(e),
        }
        if is_whole {
            self.done.new_rows(Collection::Media, 1);
        }
        Ok(())
    }

    /// What is not whole by now never will be.
    pub(super) fn end_media(&mut self) {
        if self.partial.take().is_some_and(|partial| partial.at.is_some()) {
            self.done.leave_out(Collection::Media, Reason::Incomplete, 1);
        }
    }

    /// Removes what is not whole, of this restore or of one that was interrupted.
    pub(super) async fn remove_partial(&mut self) -> Result<()> {
        let mut batch = WriteBatch::relaxed();
        for info in self.store.media_index(MediaQuery::default()).await? {
            if info.key.uri.as_str().starts_with(PARTIAL) {
                batch.remove_media(info.key);
            }
        }
        if !batch.is_empty() {
            self.changed |= self.store.apply(batch).await?.changed;
        }
        Ok(())
    }

    async fn media_info(&self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        let query = MediaQuery { key: Some(key.clone()), ..MediaQuery::default() };
        Ok(self.store.media_index(query).await?.into_iter().next())
    }
}

/// The name that an item has until it is whole.
fn partial_key(info: &MediaInfo) -> Result<MediaKey> {
    let MediaKey { uri, format } = &info.key;
    let mut hash = Sha256::new();
    hash.update((uri.as_str().len() as u64).to_le_bytes());
    hash.update(uri.as_str());
    hash.update(format.as_str());
    let name: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(MediaKey { uri: MediaUri::new(format!("{PARTIAL}{name}"))?, format: MediaFormat::new("")? })
}
