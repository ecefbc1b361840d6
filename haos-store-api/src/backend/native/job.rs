//! The writing thread's work: batches that wait together share a commit, and calls run in between.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::backend::{Backend, Readers};
use super::desk::Desk;
use super::error::again;
use super::mirror::{Keeper, OutboxImage, Plan, StoredPending};
use crate::files::StoreId;
use crate::kv::Resealed;
use crate::{
    ChangeHub, Codec, Commit, Error, ErrorKind, Keyring, Result, Revision, Touched, TxnId, WriteBatch,
};

/// The interval at which an idle writer looks for commits of other processes, while the changes have followers.
const POLL: Duration = Duration::from_millis(200);
/// The most batches that share a commit.
const MOST_BATCHES: usize = 64;

/// A job for the writer.
pub(super) enum Job<B: Backend> {
    /// Apply a batch.
    Apply(Submission),
    /// Run a call between commits.
    Call(Call<B::Writer>),
    /// Look for commits of other processes from now on, and tidy up.
    Wake,
    /// Close the resources of short reads: the store ends.
    Close(Arc<B::Readers>),
}

/// A call, with its answer's way back inside.
type Call<W> = Box<dyn FnOnce(&mut W, &mut Keeper) + Send>;

/// A batch on its way; readers see that as long as it lives.
#[derive(Debug, Clone, Default)]
pub struct Writing(Arc<()>);

impl Writing {
    /// Tells whether others share it.
    pub(super) fn is_going_on(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// A batch and the way back.
#[derive(Debug)]
pub struct Submission {
    batch: WriteBatch,
    touched: BTreeSet<Touched>,
    reply: oneshot::Sender<Result<Commit>>,
    /// Readers leave the writer a processor as long as this lives.
    _writing: Writing,
}

impl Submission {
    /// Makes a request of a batch, and the receiver of its answer.
    pub fn new(batch: WriteBatch, writing: &Writing) -> (Self, oneshot::Receiver<Result<Commit>>) {
        let (reply, answer) = oneshot::channel();
        (Self { touched: crate::touched(&batch), batch, reply, _writing: writing.clone() }, answer)
    }

    /// Returns the batch.
    pub fn batch(&self) -> &WriteBatch {
        &self.batch
    }

    /// Tells the followers of a commit.
    pub(super) fn publish(&mut self, hub: &ChangeHub, commit: &Commit) {
        if commit.changed {
            hub.publish(commit.revision, std::mem::take(&mut self.touched));
        }
    }
}

/// The reason for which a group of batches was not applied as one.
#[derive(Debug)]
pub enum Failed {
    /// All of them fail.
    All(Error),
    /// The whole commit was taken back because of one of them: they are applied one by one.
    Lost(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::All(error)
    }
}

/// The writing side of a store.
pub trait Writer: Sized + Send + 'static {
    /// A place among the rows of a sealed store.
    type Place: Send + 'static;

    /// Applies batches in one commit. A batch that fails takes back only itself; the results are those of the batches.
    fn commit(&mut self, group: &[Submission]) -> Result<Vec<Result<Commit>>, Failed>;

    /// Applies a short batch on the caller's thread, which must not wait: `None` if that would have to, and then
    /// nothing was done. A backend without this way always returns `None`.
    fn commit_at_once(&mut self, _: &Submission) -> Option<Result<Commit>> {
        None
    }

    /// Does what is left after a commit, once its callers have their answers.
    fn rest(&mut self) {}

    /// Looks for commits of other processes.
    fn poll(&mut self) {}

    /// Returns the codec of the store's rows.
    fn codec(&self) -> &Codec;

    /// Reads these rows of the outbox, absent ones too, and then or earlier the revision of the latest commit. For
    /// the mirror: each row is as the store has it.
    fn pending(&mut self, txns: &[TxnId]) -> Result<(Revision, Vec<Option<StoredPending>>)>;

    /// Reads the whole outbox, of one commit.
    ///
    /// # Errors
    /// `Corrupt` for an unreadable row, and those of the store.
    fn outbox(&mut self) -> Result<OutboxImage>;

    /// Changes the outbox as the mirror's recovery says, at a revision later than the store's and the plan's; no number
    /// of the plan is given again. Returns that revision, or `None` if the store is at another one than `expected`.
    fn mend(&mut self, plan: &Plan, expected: Revision) -> Result<Option<Revision>>;

    /// Reads the store's own id.
    fn store_id(&self) -> Result<Option<StoreId>>;

    /// Stores the record of a keyring that `make` gives, over the one before; returns it, or `None` if `make` gave
    /// none.
    fn store_keyring(&mut self, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>>;

    /// Counts the sealed rows, approximately.
    fn sealed_rows(&self) -> Result<u64>;

    /// Seals some rows with the present key, from a place on or from the first.
    fn reseal(&mut self, from: Option<Self::Place>) -> Result<Resealed<Self::Place>>;

    /// Stores the record that `make` gives, unless it gives none, and takes it over.
    ///
    /// # Errors
    /// `NotSealed` in a plain store, those of `make` and of the store.
    fn change_keyring(&mut self, make: impl FnOnce(&Keyring) -> Result<Option<Vec<u8>>>) -> Result<()> {
        let Some(keyring) = self.codec().keyring().cloned() else {
            return Err(Error::new(ErrorKind::NotSealed, "keys", "the store is plain: it has no keys"));
        };
        match self.store_keyring(|| make(&keyring))? {
            Some(record) => keyring.adopt(&record).map(drop),
            None => Ok(()),
        }
    }
}

/// The answer to a batch, and its way back.
type Answer = (oneshot::Sender<Result<Commit>>, Result<Commit>);

/// Applies batches and tells of the commits; gives the answers.
fn apply(writer: &mut impl Writer, hub: &ChangeHub, group: Vec<Submission>) -> Vec<Answer> {
    match writer.commit(&group) {
        Ok(results) => {
            let answer = |(mut request, result): (Submission, Result<Commit>)| {
                if let Ok(commit) = &result {
                    request.publish(hub, commit);
                }
                (request.reply, result)
            };
            group.into_iter().zip(results).map(answer).collect()
        }
        Err(Failed::Lost(_)) if group.len() > 1 => {
            group.into_iter().flat_map(|request| apply(writer, hub, vec![request])).collect()
        }
        Err(Failed::Lost(error) | Failed::All(error)) => {
            group.into_iter().map(|request| (request.reply, Err(again(&error)))).collect()
        }
    }
}

/// Does jobs until every sender is gone, then closes the store.
pub(super) fn serve<B: Backend>(desk: &Desk<B>, jobs: &Receiver<Job<B>>) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| receive(jobs, desk.is_followed())) {
        if let Job::Close(readers) = job {
            readers.close();
            continue;
        }
        let mut turn = desk.lock();
        match (turn.tools(&desk.hub), job) {
            (Err(error), Job::Apply(request)) => {
                let _ = request.reply.send(Err(error));
            }
            (Err(error), _) => tracing::error!(%error, "the store cannot be opened to write"),
            (Ok((writer, keeper)), Job::Apply(request)) => {
                let (group, other) = gather(request, jobs);
                next = other;
                let txns = keeper.before(writer, &group);
                let answers = apply(writer, &desk.hub, group);
                keeper.after(writer, &txns);
                // The next short batch of whoever is answered finds the turn free.
                drop(turn);
                for (reply, answer) in answers {
                    // The caller may have stopped waiting: the batch is applied all the same.
                    let _ = reply.send(answer);
                }
                if let Ok((writer, keeper)) = desk.lock().tools(&desk.hub) {
                    writer.rest();
                    keeper.rest(writer);
                }
            }
            (Ok((writer, keeper)), Job::Call(call)) => call(writer, keeper),
            (Ok((writer, keeper)), _) => {
                writer.poll();
                keeper.rest(writer);
            }
        }
    }
    desk.finish();
}

/// Waits for the next job; a due poll counts as one.
fn receive<B: Backend>(jobs: &Receiver<Job<B>>, is_followed: bool) -> Option<Job<B>> {
    if !is_followed {
        return jobs.recv().ok();
    }
    match jobs.recv_timeout(POLL) {
        Err(RecvTimeoutError::Timeout) => Some(Job::Wake),
        received => received.ok(),
    }
}

/// Takes the batches that wait behind the first one, and the job that came after them.
fn gather<B: Backend>(first: Submission, jobs: &Receiver<Job<B>>) -> (Vec<Submission>, Option<Job<B>>) {
    let mut group = vec![first];
    while group.len() < MOST_BATCHES {
        match jobs.try_recv() {
            Ok(Job::Apply(request)) => group.push(request),
            other => return (group, other.ok()),
        }
    }
    (group, None)
}
