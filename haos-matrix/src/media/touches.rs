use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use haos_store_api::{MediaInfo, MediaKey, WriteBatch};

/// The shortest time between two notes of an item's use, and between two writes of all uses.
const EVERY_MS: i64 = 60_000;
/// Uses that are written before that.
const MANY: usize = 256;

/// Uses of media that are not written yet, so that reads do not cost a commit each.
#[derive(Debug, Default)]
pub(super) struct Touches(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    keys: HashSet<MediaKey>,
    written_at_ms: Option<i64>,
}

impl Touches {
    /// Notes a use, and says what is to be written now, if anything.
    pub(super) fn note(&self, info: &MediaInfo, now_ms: i64) -> Option<WriteBatch> {
        let mut waiting = self.waiting();
        if now_ms.saturating_sub(info.last_access_ms) >= EVERY_MS {
            waiting.keys.insert(info.key.clone());
        }
        // Also after a clock was set back.
        let is_time = waiting.written_at_ms.is_none_or(|at| at.abs_diff(now_ms) >= EVERY_MS.unsigned_abs());
        (is_time || waiting.keys.len() >= MANY).then(|| waiting.take(now_ms)).flatten()
    }

    /// Takes what is to be written, be it time or not.
    pub(super) fn take(&self, now_ms: i64) -> Option<WriteBatch> {
        self.waiting().take(now_ms)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self, now_ms: i64) -> Option<WriteBatch> {
        if self.keys.is_empty() {
            return None;
        }
        self.written_at_ms = Some(now_ms);
        let mut batch = WriteBatch::relaxed();
        batch.touch_media(self.keys.drain().collect(), now_ms);
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{MediaFormat, MediaUri};

    use super::*;

    fn used(uri: usize, last_access_ms: i64) -> MediaInfo {
        let uri = MediaUri::new(format!("mxc://x/{uri}")).unwrap();
        let key = MediaKey { uri, format: MediaFormat::new("").unwrap() };
        let (mime, rooms) = (None, Vec::new());
        MediaInfo { key, size: 1, mime, rooms, last_access_ms, fetched_at_ms: 0, pinned: false }
    }

    #[test]
    fn one_commit_a_minute() {
        let touches = Touches::default();
        assert!(touches.note(&used(1, 0), 59_999).is_none(), "used within the minute");
        assert!(touches.note(&used(1, 0), 60_000).is_some());
        for n in 2..50 {
            assert!(touches.note(&used(n, 0), 60_000 + n as i64).is_none(), "gathered");
        }
        assert!(touches.note(&used(1, 60_000), 119_999).is_none());
        assert!(touches.note(&used(1, 60_000), 120_000).is_some(), "all that were gathered");
        assert!(touches.take(120_000).is_none());
        assert!(touches.note(&used(0, 0), 1_000_000).is_some());
        let written = (0..=MANY).filter(|n| touches.note(&used(*n, 0), 1_000_001).is_some()).count();
        assert_eq!(written, 1, "no more than the limit wait");
    }
}
