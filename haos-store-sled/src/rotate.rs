//! Rows under a new data key, a step at a time; commits come in between.

use haos_store_api::Result;
use haos_store_api::backend::kv;
use haos_store_api::backend::native::Step;

use crate::db::Draft;
use crate::writer::Writer;

impl Writer {
    /// Seals some rows, from a key on.
    pub(crate) fn reseal_from(&mut self, key: Vec<u8>) -> Result<Step<Vec<u8>>> {
        let mut draft = Draft::new(self.head());
        let step = self.read("maintain", |db| kv::reseal(db, &mut draft, key))?;
        let kv::Resealed { next, rows, resealed, damaged } = step;
        if resealed > 0 {
            self.write(draft)?;
        }
        Ok(Step { next, rows, resealed, damaged })
    }
}
