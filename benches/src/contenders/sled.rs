use std::fs::File;
use std::path::Path;

use super::kv::{Kv, Writes};

/// sled, as haos-store-sled uses it: one tree, a batch and a flush for each commit, its log synced where a commit is
/// strict.
#[derive(Debug)]
pub struct RawSled {
    db: sled::Db,
    log: File,
}

impl Kv for RawSled {
    fn open(folder: &Path) -> Self {
        let config = sled::Config::new().path(folder.join("sled")).flush_every_ms(Some(500));
        let db = config.cache_capacity(64 << 20).mode(sled::Mode::HighThroughput).open().unwrap();
        db.flush().unwrap();
        Self { db, log: File::open(folder.join("sled/db")).unwrap() }
    }

    fn write(&self, writes: Writes, strict: bool) {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).unwrap();
        self.db.flush().unwrap();
        if strict {
            self.log.sync_all().unwrap();
        }
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.db.get(key).unwrap().map(|value| value.to_vec())
    }

    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        from_end: bool,
        limit: usize,
        mut show: impl FnMut(&[u8], &[u8]),
    ) {
        let range = self.db.range(from..to);
        let mut each = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = pair.unwrap();
            show(&key, &value);
        };
        match from_end {
            true => range.rev().take(limit).for_each(&mut each),
            false => range.take(limit).for_each(&mut each),
        }
    }

    fn close(self) {
        self.db.flush().unwrap();
    }
}
