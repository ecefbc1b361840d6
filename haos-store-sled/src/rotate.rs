//! Every row under a new data key, a step at a time; commits come in between.

use haos_store_api::*;

use crate::db::Draft;
use crate::store::SledStore;
use crate::writer::Writer;

impl SledStore {
    /// Begins a rotation, or goes on with the one that was cut off. Commits are meanwhile sealed
    /// with the new key, so one pass sees every row that is left.
    pub(crate) async fn rotate(&self, progress: &Progress) -> Result<Report> {
        let begin = |writer: &mut Writer| {
            writer.change_keyring(Keyring::rotation_begun)?;
            Ok(writer.codec().keyring().map_or(0, Keyring::sealing_key))
        };
        let sealing = self.call("maintain", begin).await?;
        let sums = self.usage().await?.collections;
        let mut total = sums.iter().map(|(_, size)| size.rows).sum::<u64>();
        let (mut report, mut looked, mut from) = (Report::default(), 0, Some(Vec::new()));
        while let Some(key) = from {
            let step = self.call("maintain", move |writer| writer.reseal(key)).await?;
            looked += step.rows;
            report.rows += step.resealed;
            step.damaged.iter().for_each(|finding| report.find(finding));
            // Chunks are not counted beforehand.
            total = total.max(looked);
            progress.step(looked, total);
            from = step.next;
        }
        // What its own key does not open is noise under any key.
        let end = move |writer: &mut Writer| writer.change_keyring(|keys| keys.rotation_ended(sealing));
        self.call("maintain", end).await?;
        progress.step(total, total);
        Ok(report)
    }
}

impl Writer {
    fn reseal(&mut self, from: Vec<u8>) -> Result<kv::Resealed> {
        let mut draft = Draft::new(self.head());
        let step = self.read("maintain", |db| kv::reseal(db, &mut draft, from))?;
        if step.resealed > 0 {
            self.write(draft)?;
        }
        Ok(step)
    }
}
