//! The thread that writes: one connection, one transaction at a time, several batches in one commit
//! where they wait together.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use haos_store_api::files::beside;
use haos_store_api::*;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::db::Db;
use crate::error::{Outcome, again, closed, outcome};
use crate::near::Writing;
use crate::open::connect_again;
use crate::options::SqliteOptions;
use crate::read_only::Access;
use crate::rows::{RoomNumbers, SqlRows};
use crate::table::Sums;

/// How often an idle writer looks for commits of other processes, while somebody follows the changes.
const POLL: Duration = Duration::from_millis(200);
/// No version that SQLite gives: there may be commits that the writer has not seen.
const UNSEEN: i64 = -1;
/// Batches that share a commit at most.
const MOST_BATCHES: usize = 64;

/// What the writer is asked to do.
pub(crate) enum Job {
    /// Apply a batch.
    Apply(Request),
    /// Something else on its connection, between transactions.
    Call(Box<dyn FnOnce(&mut Writer) + Send>),
    /// Somebody follows the changes from now on.
    Wake,
    /// The store ends: close what its short reads were done with. That may take long.
    Close(Vec<Connection>),
}

/// A batch and the way back.
pub(crate) struct Request {
    pub(crate) batch: WriteBatch,
    pub(crate) touched: BTreeSet<Touched>,
    pub(crate) reply: oneshot::Sender<Result<Commit>>,
    /// Readers leave the writer a processor as long as this lives.
    pub(crate) _writing: Writing,
}

/// The writer's connection and what it knows of the store.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    codec: Codec,
    hub: ChangeHub,
    numbers: RoomNumbers,
    revision: Revision,
    /// SQLite's counter of other connections' commits.
    data_version: i64,
    /// What the connection's commits survive at present.
    durability: Durability,
    /// A commit's outcome is unknown: nothing may be written any more.
    poisoned: bool,
}

/// Why a group of batches was not applied as one.
enum Failed {
    /// All of them fail.
    All(Error),
    /// SQLite took the whole transaction back because of one of them.
    Lost(Error),
}

impl Writer {
    /// Does jobs on a connection of its own, to a store that was at `revision` when it was opened. The first job opens
    /// it: SQLite's threads share locks, and whoever opens a store waits for its first page.
    pub(crate) fn serve(
        options: &SqliteOptions,
        codec: &Codec,
        hub: &ChangeHub,
        revision: Revision,
        jobs: &Receiver<Job>,
    ) {
        let connect = || connect_again(options, options.tuning().cache_kib);
        while let Ok(job) = jobs.recv() {
            if let Job::Close(readers) = job {
                drop(readers);
                continue;
            }
            match (connect(), job) {
                (Ok(conn), job) => return Self::new(conn, codec, hub.clone(), revision).run(job, jobs),
                (Err(error), Job::Apply(request)) => drop(request.reply.send(Err(error))),
                (Err(error), _) => tracing::error!(%error, "the store cannot be opened to write"),
            }
        }
        // Readers that close at once each take another for the last, which clears the log away.
        if options.access == Access::Write
            && beside(options.path(), "-wal").exists()
            && let Ok(conn) = connect()
        {
            finish(conn);
        }
    }

    fn new(conn: Connection, codec: &Codec, hub: ChangeHub, revision: Revision) -> Self {
        let (numbers, durability) = (RoomNumbers::new(), Durability::Relaxed);
        // It looks at the stored keyring before it writes.
        let codec = codec.lenient();
        Self { conn, codec, hub, numbers, revision, data_version: UNSEEN, durability, poisoned: false }
    }

    pub(crate) fn db(&self, operation: &'static str) -> Db<'_> {
        Db { conn: &self.conn, codec: &self.codec, operation }
    }

    /// Works until every sender is gone, then tidies up.
    fn run(mut self, first: Job, jobs: &Receiver<Job>) {
        let mut next = Some(first);
        loop {
            let job = match next.take() {
                Some(job) => job,
                None if self.hub.has_subscribers() => match jobs.recv_timeout(POLL) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout) => {
                        self.poll();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                },
                None => match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => break,
                },
            };
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
                Job::Wake => self.poll(),
                Job::Close(readers) => drop(readers),
            }
        }
        finish(self.conn);
    }

    /// Applies batches in one commit, or one by one where they cannot share it.
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
            Err(Failed::Lost(_)) if group.len() > 1 => {
                group.into_iter().for_each(|request| self.apply(vec![request]));
            }
            Err(Failed::Lost(error) | Failed::All(error)) => {
                for request in group {
                    let _ = request.reply.send(Err(again(&error)));
                }
            }
        }
    }

    /// One transaction. A batch that fails takes back only itself; the results are those of the batches.
    fn commit(&mut self, group: &[Request]) -> Result<Vec<Result<Commit>>, Failed> {
        if self.poisoned {
            return Err(Failed::All(closed(
                "apply",
                "the outcome of a commit is unknown: close the store, open it again and look",
            )));
        }
        let strict = group.iter().any(|request| request.batch.durability() == Durability::Strict);
        let durability = if strict { Durability::Strict } else { Durability::Relaxed };
        self.begin(durability).map_err(Failed::All)?;
        match self.apply_all(group) {
            Ok((results, revision)) if revision > self.revision => {
                self.finish_commit()?;
                self.revision = revision;
                Ok(results)
            }
            Ok((results, _)) => {
                self.roll_back();
                Ok(results)
            }
            Err(failed) => {
                self.roll_back();
                Err(failed)
            }
        }
    }

    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        self.codec.keyring()
    }

    /// A strict transaction that changes no entity and gives no revision.
    pub(crate) fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(Durability::Strict)?;
        let done = work(self).and_then(|done| self.db("maintain").mark().map(|()| done));
        let done = done.inspect_err(|_| self.roll_back())?;
        if let Err(cause) = self.conn.execute_batch("COMMIT") {
            self.roll_back();
            return Err(crate::error::fault("maintain", cause));
        }
        Ok(done)
    }

    fn begin(&mut self, durability: Durability) -> Result<()> {
        if durability != self.durability {
            self.db("apply").run(
                match durability {
                    Durability::Strict => "PRAGMA synchronous = FULL",
                    Durability::Relaxed => "PRAGMA synchronous = NORMAL",
                },
                (),
            )?;
            self.durability = durability;
        }
        self.db("apply").run("BEGIN IMMEDIATE", ())?;
        self.notice_others().inspect_err(|_| self.roll_back())
    }

    /// Within the transaction: applies each batch, then writes the counters.
    fn apply_all(&mut self, group: &[Request]) -> Result<(Vec<Result<Commit>>, Revision), Failed> {
        let alone = group.len() == 1;
        let db = Db { conn: &self.conn, codec: &self.codec, operation: "apply" };
        let mut revision = self.revision;
        let mut sums = Sums::default();
        let mut results = Vec::with_capacity(group.len());
        for request in group {
            if !alone {
                db.run("SAVEPOINT batch", ()).map_err(Failed::All)?;
            }
            let mut rows = SqlRows::new(db, &mut self.numbers, revision.next());
            let applied = law::apply(&mut rows, &request.batch, revision.next());
            let changed_by = rows.end();
            match applied {
                Ok(applied) => {
                    if applied.changed {
                        revision = revision.next();
                        sums += changed_by;
                    }
                    results.push(Ok(Commit {
                        revision,
                        changed: applied.changed,
                        assigned: applied.assigned,
                    }));
                }
                Err(error) => {
                    self.numbers.clear();
                    if self.conn.is_autocommit() {
                        return Err(Failed::Lost(error));
                    }
                    if !alone {
                        db.run("ROLLBACK TO batch", ()).map_err(Failed::All)?;
                    }
                    results.push(Err(error));
                }
            }
            if !alone {
                db.run("RELEASE batch", ()).map_err(Failed::All)?;
            }
        }
        if revision > self.revision {
            db.advance(revision, sums).map_err(Failed::Lost)?;
        }
        Ok((results, revision))
    }

    fn finish_commit(&mut self) -> Result<(), Failed> {
        let committed = self.conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute(()));
        let Err(cause) = committed else { return Ok(()) };
        let outcome = outcome(&cause);
        let error = crate::error::fault("apply", cause);
        self.roll_back();
        match outcome {
            Outcome::NotCommitted => Err(Failed::Lost(error)),
            Outcome::Unknown => {
                self.poisoned = true;
                tracing::error!(%error, "a commit failed with an unknown outcome: no more writes");
                Err(Failed::All(error))
            }
        }
    }

    /// Ends the transaction, if SQLite has not done so itself.
    fn roll_back(&mut self) {
        self.numbers.clear();
        if !self.conn.is_autocommit()
            && let Err(error) = self.db("apply").run("ROLLBACK", ())
        {
            tracing::error!(%error, "a rollback failed");
        }
    }

    /// Sees whether another process has committed since the last look.
    fn notice_others(&mut self) -> Result<()> {
        let db = self.db("apply");
        let version = db.number("PRAGMA data_version", ())?;
        if version == self.data_version {
            return Ok(());
        }
        db.refresh_keys()?;
        let revision = db.store_revision()?;
        self.data_version = version;
        self.numbers.clear();
        if revision != self.revision {
            self.revision = revision;
            self.hub.resync(revision);
        }
        Ok(())
    }

    fn poll(&mut self) {
        // The next look, or the next write, tells again.
        if let Err(error) = self.notice_others() {
            tracing::debug!(%error, "cannot look for other processes' commits");
        }
    }
}

/// Leaves the file tidy, as far as it goes without waiting for anybody. Without `PRAGMA optimize`: each statement is
/// written for one index, and statistics could only talk the planner out of it.
fn finish(conn: Connection) {
    let tidy = "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE);";
    if let Err(error) = conn.execute_batch(tidy) {
        tracing::debug!(%error, "the store is closed as it is");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> (Request, oneshot::Receiver<Result<Commit>>) {
        let mut batch = WriteBatch::strict();
        batch.put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Join));
        let (reply, answer) = oneshot::channel();
        (Request { touched: touched(&batch), batch, reply, _writing: Writing::default() }, answer)
    }

    #[test]
    fn a_connection_that_cannot_be_opened_is_opened_later() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db"));
        let hub = ChangeHub::new(8, Revision::ZERO);
        let (jobs, inbox) = std::sync::mpsc::channel();
        let (to, codec) = (&options, &options.codec);
        std::thread::scope(|threads| {
            threads.spawn(move || Writer::serve(to, codec, &hub, Revision::ZERO, &inbox));
            let apply = || {
                let (request, answer) = request();
                jobs.send(Job::Apply(request)).unwrap();
                answer.blocking_recv().unwrap()
            };
            assert_eq!(apply().unwrap_err().kind(), ErrorKind::Io, "there is no file");
            drop(crate::open::open(&options).unwrap().conn);
            assert_eq!(apply().unwrap().revision, Revision(1));
            drop(jobs);
        });
    }

    #[test]
    fn after_an_unknown_outcome_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db"));
        let conn = crate::open::open(&options).unwrap().conn;
        let hub = ChangeHub::new(8, Revision::ZERO);
        let mut writer = Writer::new(conn, &options.codec, hub, Revision::ZERO);
        let apply = |writer: &mut Writer| {
            let (request, mut answer) = request();
            writer.apply(vec![request]);
            answer.try_recv().unwrap()
        };
        writer.poisoned = true;
        assert_eq!(apply(&mut writer).unwrap_err().kind(), ErrorKind::Closed);
        writer.poisoned = false;
        assert_eq!(apply(&mut writer).unwrap().revision, Revision(1));
    }
}
