//! Outbox rows, media and state.

use super::super::{evict, resolve_pending};
use super::{Rows, Writer};
use crate::*;

impl<R: Rows + ?Sized> Writer<'_, R> {
    // Outbox

    pub(super) fn put_pending(&mut self, incoming: &Pending) -> Result<()> {
        let merged = match self.rows.pending(&incoming.txn_id)? {
            Some(stored) => {
                let merged = resolve_pending(&stored, incoming)?;
                if merged == stored {
                    return Ok(());
                }
                merged
            }
            None => {
                let seq = self.rows.next_seq()?;
                self.done.assigned.push((incoming.txn_id.clone(), seq));
                Pending { seq, ..incoming.clone() }
            }
        };
        self.done.changed = true;
        self.rows.write_pending(&Pending { revision: self.next, ..merged })
    }

    pub(super) fn remove_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        if self.rows.pending(txn_id)?.is_some() {
            self.rows.delete_pending(txn_id)?;
            self.done.changed = true;
        }
        Ok(())
    }

    // Media

    pub(super) fn put_media(&mut self, info: &MediaInfo, bytes: &[u8]) -> Result<()> {
        let incoming = MediaInfo { size: bytes.len() as u64, ..info.clone() };
        if self.rows.media_info(&info.key)?.as_ref() == Some(&incoming)
            && self.rows.media_bytes(&info.key)? == bytes
        {
            return Ok(());
        }
        // A damaged row must not stay with the bytes that it had.
        self.rows.delete_media(&info.key)?;
        self.rows.write_media_info(&incoming)?;
        self.rows.append_media(&info.key, 0, bytes)?;
        self.done.changed = true;
        Ok(())
    }

    pub(super) fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()> {
        let stored = self.rows.media_info(key)?;
        let Some(stored) = stored.filter(|stored| stored.size == at) else {
            return Err(Error::conflict(
                "the media item does not have that many bytes: read its size and append there",
            ));
        };
        if !bytes.is_empty() {
            self.rows.append_media(key, at, bytes)?;
            self.rows.write_media_info(&MediaInfo { size: at + bytes.len() as u64, ..stored })?;
            self.done.changed = true;
        }
        Ok(())
    }

    pub(super) fn rename_media(&mut self, from: &MediaKey, to: &MediaKey) -> Result<()> {
        let Some(stored) = self.rows.media_info(from)?.filter(|_| from != to) else {
            return Ok(());
        };
        self.rows.delete_media(to)?;
        self.rows.rename_media(from, &MediaInfo { key: to.clone(), ..stored })?;
        self.done.changed = true;
        Ok(())
    }

    pub(super) fn touch_media(&mut self, key: &MediaKey, now_ms: i64) -> Result<()> {
        if let Some(stored) = self.rows.media_info(key)?.filter(|stored| stored.last_access_ms < now_ms) {
            self.rows.write_media_info(&MediaInfo { last_access_ms: now_ms, ..stored })?;
            self.done.changed = true;
        }
        Ok(())
    }

    pub(super) fn pin_media(&mut self, key: &MediaKey, pinned: bool) -> Result<()> {
        if let Some(stored) = self.rows.media_info(key)?.filter(|stored| stored.pinned != pinned) {
            self.rows.write_media_info(&MediaInfo { pinned, ..stored })?;
            self.done.changed = true;
        }
        Ok(())
    }

    pub(super) fn remove_media(&mut self, key: &MediaKey) -> Result<()> {
        self.done.changed |= self.rows.delete_media(key)?;
        Ok(())
    }

    pub(super) fn evict_media(&mut self, policy: MediaPolicy, now_ms: i64) -> Result<()> {
        let in_outbox = self.rows.all_pending()?.into_iter().flat_map(|row| row.media).collect();
        for key in evict(&self.rows.all_media()?, &in_outbox, policy, now_ms) {
            self.rows.delete_media(&key)?;
            self.done.changed = true;
        }
        Ok(())
    }

    // State

    pub(super) fn put_state(&mut self, entry: &StateEntry) -> Result<()> {
        if let Scope::Room(room) = &entry.scope {
            self.touch(room)?;
        }
        if self.rows.state(&entry.scope, &entry.kind, &entry.key)?.as_ref() != Some(entry) {
            self.rows.write_state(entry)?;
            self.done.changed = true;
        }
        Ok(())
    }

    pub(super) fn remove_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<()> {
        self.done.changed |= self.rows.delete_state(scope, kind, key)?;
        Ok(())
    }
}
