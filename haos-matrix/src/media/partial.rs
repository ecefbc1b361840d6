//! Bytes of an item that has not come whole.

use std::sync::{Arc, Mutex, PoisonError};

use haos_store_api::{MediaFormat, MediaInfo, MediaKey, MediaUri, Result};

/// How the formats of what is not whole begin. No [`Variant`](crate::Variant) has such a format.
const PREFIX: &str = "partial:";
/// The time without a new byte after which an item is abandoned: its context is gone, or its server hangs.
const ABANDONED_MS: u64 = 3600 * 1000;

/// The place for the bytes of one download of one context. Dropped before it is whole, it is litter.
#[derive(Debug)]
pub(super) struct Partial {
    key: Option<MediaKey>,
    litter: Arc<Litter>,
}

impl Partial {
    /// A place of its own, so that two contexts may download one item.
    pub(super) fn new(uri: &MediaUri, random: u64, litter: Arc<Litter>) -> Result<(Self, MediaKey)> {
        let format = MediaFormat::new(format!("{PREFIX}{random:016x}"))?;
        let key = MediaKey { uri: uri.clone(), format };
        Ok((Self { key: Some(key.clone()), litter }, key))
    }

    /// It has its name: nothing is left here.
    pub(super) fn whole(mut self) {
        self.key = None;
    }

    pub(super) fn key(&self) -> Option<&MediaKey> {
        self.key.as_ref()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.litter.throw([key]);
        }
    }
}

/// The items that ended early in this context and are to be removed.
#[derive(Debug, Default)]
pub(super) struct Litter(Mutex<Vec<MediaKey>>);

impl Litter {
    pub(super) fn throw(&self, keys: impl IntoIterator<Item = MediaKey>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    pub(super) fn take(&self) -> Vec<MediaKey> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells if an item is not whole, and nobody will make it so.
pub(super) fn is_abandoned(info: &MediaInfo, now_ms: i64) -> bool {
    // By either sign: a clock that was wrong must not keep it for ever.
    info.key.format.as_str().starts_with(PREFIX) && now_ms.abs_diff(info.last_access_ms) > ABANDONED_MS
}
