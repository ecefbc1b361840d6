//! The model's media.

use super::model::Model;
use crate::*;

impl Model {
    fn item(&mut self, key: &MediaKey) -> Option<&mut (MediaInfo, Vec<u8>)> {
        self.media.iter_mut().find(|(info, _)| info.key == *key)
    }

    pub(super) fn put_media(&mut self, info: &MediaInfo, bytes: &[u8]) -> bool {
        let item = (MediaInfo { size: bytes.len() as u64, ..info.clone() }, bytes.to_vec());
        if self.media.contains(&item) {
            return false;
        }
        self.remove_media(&info.key);
        self.media.push(item);
        true
    }

    pub(super) fn append_media(&mut self, key: &MediaKey, at: u64, more: &[u8]) -> Result<bool, ErrorKind> {
        match self.item(key) {
            Some((info, bytes)) if info.size == at => {
                bytes.extend_from_slice(more);
                info.size = bytes.len() as u64;
                Ok(!more.is_empty())
            }
            _ => Err(ErrorKind::Conflict),
        }
    }

    pub(super) fn rename_media(&mut self, from: &MediaKey, to: &MediaKey) -> bool {
        if from == to || self.item(from).is_none() {
            return false;
        }
        self.remove_media(to);
        if let Some((info, _)) = self.item(from) {
            info.key = to.clone();
        }
        true
    }

    pub(super) fn touch_media(&mut self, keys: &[MediaKey], now_ms: i64) -> bool {
        let mut changed = false;
        for (info, _) in self.media.iter_mut().filter(|(info, _)| keys.contains(&info.key)) {
            if info.last_access_ms < now_ms {
                info.last_access_ms = now_ms;
                changed = true;
            }
        }
        changed
    }

    pub(super) fn pin_media(&mut self, key: &MediaKey, pinned: bool) -> bool {
        match self.item(key) {
            Some((info, _)) if info.pinned != pinned => {
                info.pinned = pinned;
                true
            }
            _ => false,
        }
    }

    pub(super) fn remove_media(&mut self, key: &MediaKey) -> bool {
        let before = self.media.len();
        self.media.retain(|(info, _)| info.key != *key);
        self.media.len() != before
    }

    pub(super) fn evict_media(&mut self, policy: MediaPolicy, now_ms: i64) -> bool {
        let before = self.media.len();
        let unsent: Vec<MediaKey> = self.pending.iter().flat_map(|row| row.media.clone()).collect();
        let spared = |info: &MediaInfo| info.pinned || unsent.contains(&info.key);
        self.media.retain(|(info, _)| {
            let idle_ms = now_ms.saturating_sub(info.last_access_ms);
            spared(info) || (info.size <= policy.max_item && idle_ms <= policy.max_idle_ms)
        });
        while self.media.iter().map(|(info, _)| info.size).sum::<u64>() > policy.max_total {
            let free = self.media.iter().map(|(info, _)| info).filter(|info| !spared(info));
            let oldest = free.min_by_key(|info| (info.last_access_ms, info.key.clone()));
            let Some(key) = oldest.map(|info| info.key.clone()) else { break };
            self.remove_media(&key);
        }
        self.media.len() != before
    }
}
