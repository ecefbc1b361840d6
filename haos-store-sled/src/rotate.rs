//! Rows under a new data key, a step at a time; commits come in between.

use haos_store_api::Result;
use haos_store_api::backend::kv::{self, Resealed};

use crate::db::Layer;
use crate::writer::Writer;

impl Writer {
    /// Seals some rows, from a key on.
    pub(crate) fn reseal_from(&mut self, key: Vec<u8>) -> Result<Resealed> {
        let mut layer = Layer::new(self.head());
        let step = self.read("maintain", |db| kv::reseal(db, &mut layer, key))?;
        if step.resealed > 0 {
            self.write(layer)?;
        }
        Ok(step)
    }
}
