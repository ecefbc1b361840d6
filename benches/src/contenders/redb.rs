use std::path::Path;

use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::kv::{Kv, Writes};

/// redb: one table. It has nothing between a sync and a commit that is lost with the process: what is not strict is the
/// latter here, which is less than the others give.
#[derive(Debug)]
pub struct RawRedb(Database);

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("t");

impl Kv for RawRedb {
    fn open(folder: &Path) -> Self {
        let db = Database::builder().set_cache_size(8 << 20).create(folder.join("t.redb")).unwrap();
        Self(db)
    }

    fn write(&self, writes: Writes, strict: bool) {
        let mut tx = self.0.begin_write().unwrap();
        tx.set_durability(if strict { Durability::Immediate } else { Durability::None }).unwrap();
        {
            let mut table = tx.open_table(TABLE).unwrap();
            for (key, value) in &writes {
                match value {
                    Some(value) => table.insert(&key[..], &value[..]).map(drop).unwrap(),
                    None => table.remove(&key[..]).map(drop).unwrap(),
                }
            }
        }
        tx.commit().unwrap();
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let table = self.0.begin_read().unwrap().open_table(TABLE).unwrap();
        table.get(key).unwrap().map(|value| value.value().to_vec())
    }

    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        from_end: bool,
        limit: usize,
        mut show: impl FnMut(&[u8], &[u8]),
    ) {
        let table = self.0.begin_read().unwrap().open_table(TABLE).unwrap();
        let mut range = table.range::<&[u8]>(from..to).unwrap();
        for _ in 0..limit {
            let Some(pair) = (if from_end { range.next_back() } else { range.next() }) else { break };
            let (key, value) = pair.unwrap();
            show(key.value(), value.value());
        }
    }

    fn close(self) {
        let mut tx = self.0.begin_write().unwrap();
        tx.set_durability(Durability::Immediate).unwrap();
        tx.commit().unwrap();
    }
}
