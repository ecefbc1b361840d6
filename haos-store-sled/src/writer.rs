//! The writing thread: batches that wait together share one commit.

use std::sync::Arc;

use haos_store_api::backend::files::StoreId;
use haos_store_api::backend::kv::{self, Head, Resealed};
use haos_store_api::backend::native::{self, Failed, OutboxImage, Plan, StoredPending, Submission};
use haos_store_api::backend::*;
use haos_store_api::*;

use crate::db::{Db, Layer};
use crate::error::{fault, io};
use crate::marker::Mark;
use crate::open::Opened;
use crate::seal;
use crate::shared::{Shared, is_lasting};

/// The store's files and the writer's knowledge of them.
#[derive(Debug)]
pub(crate) struct Writer {
    opened: Opened,
    shared: Arc<Shared>,
}

impl Writer {
    pub(crate) fn new(opened: Opened, shared: Arc<Shared>) -> Self {
        Self { opened, shared }
    }

    /// Lets go of the files, which have no readers any more.
    pub(crate) fn release(self) {
        drop(self.shared.end());
        self.opened.release();
    }

    pub(crate) fn head(&self) -> Head {
        self.opened.head
    }

    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T>,
    ) -> Result<T> {
        self.shared.read(operation, read)
    }

    /// Writes a layer that gives no revision.
    pub(crate) fn write(&mut self, layer: Layer) -> Result<()> {
        let head = layer.head;
        let done = self.shared.commit(layer).and_then(|()| {
            self.opened.head = head;
            self.flush(true)
        });
        done.inspect_err(|_| self.shared.poison())
    }

    /// Hands everything to the system, and to the device for a commit that must survive power loss; then notes the
    /// store's progress.
    pub(crate) fn flush(&mut self, strict: bool) -> Result<()> {
        let opened = &mut self.opened;
        self.shared.run("apply", || {
            opened.files.db.flush().map_err(|e| fault("apply", e))?;
            if strict {
                // sled writes the pages through, but not the length of a file that has grown.
                opened.log.sync_all().map_err(|e| io("apply", e))?;
            }
            opened.marker.write(Mark::from(&opened.head)).map_err(|e| io("apply", e))
        })
    }
}

impl native::Writer for Writer {
    type Place = Vec<u8>;

    /// Commits one atomic write. A batch that fails takes back only itself; the results are those of the batches.
    fn commit(&mut self, group: &[Submission]) -> Result<Vec<Result<Commit>>, Failed> {
        let (opened, shared) = (&self.opened, &self.shared);
        let mut layer = Layer::new(opened.head);
        let results = shared.run("apply", || {
            let apply = |request: &Submission| {
                let result = kv::apply(&opened.files.tree, shared.codec(), &mut layer, request.batch());
                // An error that is not the batch's own ends the whole group.
                match result {
                    Err(error) if is_lasting(&error) => Err(error),
                    result => Ok(result),
                }
            };
            group.iter().map(apply).collect::<Result<Vec<_>>>()
        })?;
        let head = layer.head;
        if head.revision > opened.head.revision {
            let strict = group.iter().any(|request| request.batch().durability() == Durability::Strict);
            let done = shared.commit(layer).and_then(|()| {
                self.opened.head = head;
                self.flush(strict)
            });
            // The tree may hold it and the disk not, or the other way round.
            done.inspect_err(|error| {
                tracing::error!(%error, "a commit failed with an unknown outcome: the store takes no more calls");
                self.shared.poison();
            })?;
        }
        Ok(results)
    }

    fn codec(&self) -> &Codec {
        self.shared.codec()
    }

    fn pending(&mut self, txns: &[TxnId]) -> Result<(Revision, Vec<Option<StoredPending>>)> {
        let rows = |db: Db<'_>| txns.iter().map(|txn_id| db.stored_pending(txn_id)).collect::<Result<_>>();
        Ok((self.head().revision, self.read("outbox", rows)?))
    }

    fn outbox(&mut self) -> Result<OutboxImage> {
        let (home, Head { revision, last_seq, .. }) = (self.opened.home(), self.head());
        Ok(OutboxImage {
            id: Some(home.id()),
            keyring: seal::read(&home.keyring())?,
            revision,
            last_seq,
            rows: self.read("outbox", |db| db.all_stored_pending())?,
        })
    }

    fn mend(&mut self, plan: &Plan, expected: Revision) -> Result<Option<Revision>> {
        let head = self.head();
        if head.revision != expected {
            return Ok(None);
        }
        let (mut layer, revision) = (Layer::new(head), expected.max(plan.revision).next());
        let tree = &self.opened.files.tree;
        plan.write(&mut kv::Transaction::new(tree, self.shared.codec(), &mut layer, revision))?;
        layer.head.last_seq = head.last_seq.max(plan.last_seq);
        layer.head.revision = revision;
        self.write(layer)?;
        Ok(Some(revision))
    }

    fn store_id(&self) -> Result<Option<StoreId>> {
        Ok(Some(self.opened.home().id()))
    }

    fn sealed_rows(&self) -> Result<u64> {
        Ok(self.head().sums.rows())
    }

    fn reseal(&mut self, from: Option<Vec<u8>>) -> Result<Resealed> {
        self.reseal_from(from.unwrap_or_default())
    }

    fn store_keyring(&mut self, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
        let record = make()?;
        if let Some(record) = &record {
            seal::write(&self.opened.home().keyring(), record)?;
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::backend::native::{Writer as _, Writing};

    use super::*;
    use crate::backend::Sled;
    use crate::options::SledOptions;

    #[test]
    fn after_an_unknown_outcome_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let options = SledOptions::new(folder.path().join("s")).resolved::<Sled>().unwrap();
        let (opened, _) = crate::open::open(&options).unwrap();
        let shared = Arc::new(Shared::new(opened.files.clone(), options.codec.clone()));
        let mut writer = Writer::new(opened, shared.clone());
        let commit = |writer: &mut Writer| {
            let mut batch = WriteBatch::strict();
            batch.put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Join));
            writer.commit(&[Submission::new(batch, &Writing::default()).0])
        };
        assert_eq!(commit(&mut writer).unwrap()[0].as_ref().unwrap().revision, Revision(1));
        shared.poison();
        assert!(matches!(commit(&mut writer), Err(Failed::All(e)) if e.kind() == ErrorKind::Closed));
        writer.release();
        let (opened, recovery) = crate::open::open(&options).unwrap();
        assert_eq!((opened.head.revision, recovery), (Revision(1), None));
    }
}
