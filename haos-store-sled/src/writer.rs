//! The thread that writes: several batches in one commit where they wait together.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use haos_store_api::kv::{self, Head};
use haos_store_api::*;
use tokio::sync::oneshot;

use crate::db::{Db, Draft, batch};
use crate::error::{again, fault, io};
use crate::home::Home;
use crate::marker::Mark;
use crate::open::Opened;
use crate::shared::{Shared, is_lasting};

/// Batches that share a commit at most.
const MOST_BATCHES: usize = 64;

/// What the writer is asked to do.
pub(crate) enum Job {
    /// Apply a batch.
    Apply(Request),
    /// Something else, between commits.
    Call(Box<dyn FnOnce(&mut Writer) + Send>),
}

/// A batch and the way back.
pub(crate) struct Request {
    pub(crate) batch: WriteBatch,
    pub(crate) touched: BTreeSet<Touched>,
    pub(crate) reply: oneshot::Sender<Result<Commit>>,
}

/// The store's files and what the writer knows of them.
pub(crate) struct Writer {
    opened: Opened,
    shared: Arc<Shared>,
    hub: ChangeHub,
}

impl Writer {
    pub(crate) fn new(opened: Opened, shared: Arc<Shared>, hub: ChangeHub) -> Self {
        Self { opened, shared, hub }
    }

    /// Works until every sender is gone, then waits for the readers and lets go of the files.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>, readers: &Receiver<Infallible>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
            match job {
                Job::Apply(request) => {
                    let mut group = vec![request];
                    while group.len() < MOST_BATCHES {
                        match jobs.try_recv() {
                            Ok(Job::Apply(request)) => group.push(request),
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.apply(group);
                }
                Job::Call(call) => call(&mut self),
            }
        }
        // Nothing is ever sent: it ends when the last reader does.
        let _ = readers.recv();
        drop(self.shared.end());
        self.opened.release();
    }

    /// Applies batches in one commit.
    fn apply(&mut self, group: Vec<Request>) {
        match self.commit(&group) {
            Ok(results) => {
                for (request, result) in group.into_iter().zip(results) {
                    if let Ok(commit) = &result
                        && commit.changed
                    {
                        self.hub.publish(commit.revision, request.touched);
                    }
                    // Nobody waits any more: the batch is applied all the same.
                    let _ = request.reply.send(result);
                }
            }
            Err(error) => {
                for request in group {
                    let _ = request.reply.send(Err(again(&error)));
                }
            }
        }
    }

    /// One atomic write. A batch that fails takes back only itself; the results are those of the batches.
    fn commit(&mut self, group: &[Request]) -> Result<Vec<Result<Commit>>> {
        let (opened, shared) = (&self.opened, &self.shared);
        let mut draft = Draft::new(opened.head);
        let results = shared.run("apply", || {
            let apply = |request: &Request| {
                let result = kv::apply(&opened.files.tree, shared.codec(), &mut draft, &request.batch);
                // What is not the batch's own fault ends the whole group.
                match result {
                    Err(error) if is_lasting(&error) => Err(error),
                    result => Ok(result),
                }
            };
            group.iter().map(apply).collect::<Result<Vec<_>>>()
        })?;
        let head = draft.head;
        if head.revision > opened.head.revision {
            let strict = group.iter().any(|request| request.batch.durability() == Durability::Strict);
            let done = shared.commit(batch(draft)).and_then(|()| {
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

    pub(crate) fn codec(&self) -> &Codec {
        self.shared.codec()
    }

    pub(crate) fn head(&self) -> Head {
        self.opened.head
    }

    pub(crate) fn home(&self) -> &Home {
        self.opened.home()
    }

    pub(crate) fn read<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(Db<'_>) -> Result<T>,
    ) -> Result<T> {
        self.shared.read(operation, read)
    }

    /// Writes a draft that gives no revision.
    pub(crate) fn write(&mut self, draft: Draft) -> Result<()> {
        let head = draft.head;
        let done = self.shared.commit(batch(draft)).and_then(|()| {
            self.opened.head = head;
            self.flush(true)
        });
        done.inspect_err(|_| self.shared.poison())
    }

    /// Hands everything to the system, and to the device where power loss must be survived; then notes
    /// how far the store has come.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::SledOptions;

    #[test]
    fn after_an_unknown_outcome_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let options = SledOptions::new(folder.path().join("s"));
        let (opened, _) = crate::open::open(&options).unwrap();
        let shared = Arc::new(Shared::new(opened.files.clone(), options.codec.clone()));
        let mut writer = Writer::new(opened, shared.clone(), ChangeHub::new(8, Revision::ZERO));
        let apply = |writer: &mut Writer| {
            let mut batch = WriteBatch::strict();
            batch.put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Join));
            let (reply, mut answer) = oneshot::channel();
            writer.apply(vec![Request { touched: touched(&batch), batch, reply }]);
            answer.try_recv().unwrap()
        };
        assert_eq!(apply(&mut writer).unwrap().revision, Revision(1));
        shared.poison();
        assert_eq!(apply(&mut writer).unwrap_err().kind(), ErrorKind::Closed);
        drop(shared.end());
        writer.opened.release();
        let (opened, recovery) = crate::open::open(&options).unwrap();
        assert_eq!((opened.head.revision, recovery), (Revision(1), None));
    }
}
