//! The thread that writes: one connection, one transaction at a time, several batches in one commit
//! where they wait together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use haos_store_api::backend::files::StoreId;
use haos_store_api::backend::kv::Resealed;
use haos_store_api::backend::native::{
    self, Failed, Options, OutboxImage, Plan, StoredPending, Submission, closed,
};
use haos_store_api::backend::*;
use haos_store_api::*;
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::db::Db;
use crate::error::{Outcome, fault, outcome};
use crate::migration::make_views;
use crate::options::tuning;
use crate::rows::{RoomNumbers, SqlRows};
use crate::table::Sums;

/// No version that SQLite gives: the writer may have missed commits.
const UNSEEN: i64 = -1;

/// The writer's connection and its knowledge of the store.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    codec: Codec,
    hub: ChangeHub,
    numbers: RoomNumbers,
    revision: Revision,
    /// SQLite's counter of other connections' commits.
    data_version: i64,
    /// The failure that the connection's commits survive at present.
    durability: Durability,
    /// True if a commit's outcome is unknown: nothing may be written any more.
    poisoned: bool,
    /// The wait for another process.
    busy: Duration,
    log: Log,
}

/// The log of the commits. The writer copies it into the database itself, so that no caller waits for that.
#[derive(Debug)]
struct Log {
    /// The pages of the log after the latest commit.
    pages: Arc<AtomicU32>,
    /// The number of pages from which on it is copied.
    most: u32,
}

impl Log {
    fn of(conn: &mut Connection, options: &Options) -> Result<Self> {
        let most = tuning(options.profile).log_pages;
        // The first commit may make the log, which takes a wait on the disk.
        let pages = Arc::new(AtomicU32::new(most));
        let seen = pages.clone();
        // It takes the place of SQLite's own, which copies the log within a commit.
        let hook = move |_: &mut Wal, pages: i32| {
            seen.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        };
        conn.wal_hook(Some(hook)).map_err(|e| fault("open", e))?;
        Ok(Self { pages, most })
    }

    /// The log begins again with the next commit, which takes a wait on the disk.
    fn ended(&self) {
        self.pages.store(self.most, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.pages.load(Ordering::Relaxed) >= self.most
    }
}

impl Writer {
    pub(crate) fn new(
        mut conn: Connection,
        options: &Options,
        hub: ChangeHub,
        revision: Revision,
    ) -> Result<Self> {
        let log = Log::of(&mut conn, options)?;
        let (numbers, durability) = (RoomNumbers::new(), Durability::Relaxed);
        // It looks at the stored keyring before it writes.
        let codec = options.codec.lenient();
        let (data_version, poisoned, busy) = (UNSEEN, false, options.busy());
        Ok(Self { conn, codec, hub, numbers, revision, data_version, durability, poisoned, busy, log })
    }

    /// Copies a full log into the database, as far as readers allow.
    fn copy_log(&self) {
        if self.log.is_full()
            && let Err(error) = self.db("apply").number("PRAGMA wal_checkpoint(PASSIVE)", ())
        {
            tracing::debug!(%error, "the log is not copied: the next commit tries again");
        }
    }

    /// Copies the whole log into the database and empties it, without waiting for readers.
    pub(crate) fn truncate_log(&self) -> Result<()> {
        self.conn.busy_timeout(Duration::ZERO).map_err(|e| fault("maintain", e))?;
        let done = self.db("maintain").number("PRAGMA wal_checkpoint(TRUNCATE)", ()).map(drop);
        self.log.ended();
        self.conn.busy_timeout(self.busy).map_err(|e| fault("maintain", e))?;
        done
    }

    /// Tells whether another process has committed since the last look.
    fn others_committed(&self) -> Result<bool> {
        Ok(self.db("apply").number("PRAGMA data_version", ())? != self.data_version)
    }

    pub(crate) fn db(&self, operation: &'static str) -> Db<'_> {
        Db { conn: &self.conn, codec: &self.codec, operation }
    }

    /// Runs a strict transaction that changes no entity and gives no revision.
    pub(crate) fn transact<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.begin(Durability::Strict)?;
        let done = work(self).and_then(|done| self.db("maintain").mark().map(|()| done));
        let done = done.inspect_err(|_| self.roll_back())?;
        if let Err(cause) = self.conn.execute_batch("COMMIT") {
            self.roll_back();
            return Err(fault("maintain", cause));
        }
        self.copy_log();
        Ok(done)
    }

    pub(crate) fn make_views(&mut self) -> Result<()> {
        if self.codec.is_sealed() {
            let message = "no view can read the rows of a sealed store: unseal it first";
            return Err(Error::new(ErrorKind::Unsupported, "views", message));
        }
        self.transact(|writer| make_views(&writer.conn).map_err(|e| fault("views", e)))
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

    /// Applies each batch within the transaction, then writes the counters.
    fn apply_all(&mut self, group: &[Submission]) -> Result<(Vec<Result<Commit>>, Revision), Failed> {
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
            let applied = law::apply(&mut rows, request.batch(), revision.next());
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
        let error = fault("apply", cause);
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

    /// Notices another process's commits since the last look.
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
}

impl native::Writer for Writer {
    /// A table and a rowid.
    type Place = (usize, i64);

    /// Commits one transaction, or asks for the batches one by one.
    fn commit(&mut self, group: &[Submission]) -> Result<Vec<Result<Commit>>, Failed> {
        if self.poisoned {
            return Err(Failed::All(closed(
                "apply",
                "the outcome of a commit is unknown: close the store, open it again and look",
            )));
        }
        let strict = group.iter().any(|request| request.batch().durability() == Durability::Strict);
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

    fn rest(&mut self) {
        self.copy_log();
    }

    fn commit_at_once(&mut self, request: &Submission) -> Option<Result<Commit>> {
        // After another process, the log may begin again with this commit, which takes a wait on the disk.
        if self.poisoned || self.log.is_full() || self.others_committed().unwrap_or(true) {
            return None;
        }
        self.conn.busy_timeout(Duration::ZERO).ok()?;
        let results = self.commit(std::slice::from_ref(request));
        if self.conn.busy_timeout(self.busy).is_err() {
            tracing::debug!("the writer waits for no other process any more");
        }
        match results {
            Ok(results) => results.into_iter().next(),
            // Another process writes: nothing was done, and the thread may wait for it.
            Err(Failed::All(error) | Failed::Lost(error)) if error.kind() == ErrorKind::Busy => None,
            Err(Failed::All(error) | Failed::Lost(error)) => Some(Err(error)),
        }
    }

    fn poll(&mut self) {
        // The next look, or the next write, reports it again.
        if let Err(error) = self.notice_others() {
            tracing::debug!(%error, "cannot look for other processes' commits");
        }
    }

    fn codec(&self) -> &Codec {
        &self.codec
    }

    fn pending(&mut self, txns: &[TxnId]) -> Result<(Revision, Vec<Option<StoredPending>>)> {
        let db = self.db("outbox");
        let rows = txns.iter().map(|txn_id| db.stored_pending(txn_id)).collect::<Result<_>>()?;
        Ok((self.revision, rows))
    }

    fn outbox(&mut self) -> Result<OutboxImage> {
        self.db("outbox").snapshot(|db| {
            db.refresh_keys()?;
            Ok(OutboxImage {
                id: db.store_id()?,
                keyring: db.keyring()?,
                revision: db.store_revision()?,
                last_seq: db.last_seq()?,
                rows: db.all_stored_pending()?,
            })
        })
    }

    fn mend(&mut self, plan: &Plan, expected: Revision) -> Result<Option<Revision>> {
        self.transact(|writer| {
            let db = writer.db("outbox");
            if db.store_revision()? != expected {
                return Ok(None);
            }
            let revision = expected.max(plan.revision).next();
            // What is damaged may not be found through its indexes.
            db.run("REINDEX pending", ())?;
            for row in &plan.put {
                db.clear_pending(row)?;
            }
            let db = Db { conn: &writer.conn, codec: &writer.codec, operation: "outbox" };
            let mut rows = SqlRows::new(db, &mut writer.numbers, revision);
            plan.write(&mut rows)?;
            rows.end();
            db.set_last_seq(plan.last_seq.max(db.last_seq()?))?;
            db.set_store_revision(revision)?;
            writer.revision = revision;
            Ok(Some(revision))
        })
    }

    fn store_id(&self) -> Result<Option<StoreId>> {
        self.db("keys").store_id()
    }

    fn sealed_rows(&self) -> Result<u64> {
        self.db("maintain").sealed_rows()
    }

    fn reseal(&mut self, from: Option<(usize, i64)>) -> Result<Resealed<(usize, i64)>> {
        let (table, after) = from.unwrap_or((0, i64::MIN));
        self.reseal_after(table, after)
    }

    /// Stores the record where the old one stood, which is overwritten.
    fn store_keyring(&mut self, make: impl FnOnce() -> Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
        self.db("keys").number("PRAGMA secure_delete = ON", ())?;
        let written = self.transact(|writer| {
            let record = make()?;
            if let Some(record) = &record {
                writer.db("keys").run("UPDATE keyring SET payload = ?1 WHERE nr = 1", [record])?;
            }
            Ok(record)
        });
        self.db("keys").number("PRAGMA secure_delete = OFF", ())?;
        let record = written?;
        if record.is_some() {
            // Where readers prevent it, the log is reused.
            let _ = self.truncate_log();
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::backend::native::{Writer as _, Writing};

    use super::*;
    use crate::backend::Sqlite;
    use crate::options::SqliteOptions;

    /// Makes a store of its own, with a log of a thousand pages.
    fn writer() -> (tempfile::TempDir, Writer, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db")).low_memory();
        let options = options.resolved::<Sqlite>().unwrap();
        let conn = crate::open::open(&options).unwrap().conn;
        let other = Connection::open(options.path()).unwrap();
        let writer = Writer::new(conn, &options, ChangeHub::new(8, Revision::ZERO), Revision::ZERO).unwrap();
        (folder, writer, other)
    }

    fn request(name: &str) -> Submission {
        let mut batch = WriteBatch::relaxed();
        let room = Room::new(RoomId::new("!r").unwrap(), Membership::Join);
        batch.put_room(Room { name: Some(name.to_owned()), ..room });
        Submission::new(batch, &Writing::default()).0
    }

    #[test]
    fn after_an_unknown_outcome_nothing_is_written() {
        let (_folder, mut writer, _) = writer();
        writer.poisoned = true;
        assert!(
            matches!(writer.commit(&[request("a")]), Err(Failed::All(e)) if e.kind() == ErrorKind::Closed)
        );
        assert!(writer.commit_at_once(&request("a")).is_none());
        writer.poisoned = false;
        let results = writer.commit(&[request("a")]).unwrap();
        assert_eq!(results[0].as_ref().unwrap().revision, Revision(1));
    }

    #[test]
    fn a_caller_waits_for_no_other_process() {
        let (_folder, mut writer, other) = writer();
        assert!(writer.commit_at_once(&request("a")).is_none(), "the first commit makes the log");
        writer.commit(&[request("a")]).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(writer.commit_at_once(&request("b")).is_none());
        other.execute_batch("ROLLBACK").unwrap();
        let wait = writer.db("test").number("PRAGMA busy_timeout", ()).unwrap();
        assert_eq!(wait, 5000, "the thread waits as before");
        assert_eq!(writer.commit_at_once(&request("b")).unwrap().unwrap().revision, Revision(2));
        other.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(writer.commit_at_once(&request("c")).is_none(), "they may have emptied the log");
        writer.commit(&[request("c")]).unwrap();
        assert!(writer.commit_at_once(&request("d")).is_some());
    }

    #[test]
    fn an_emptied_log_is_begun_by_the_thread() {
        let (_folder, mut writer, other) = writer();
        writer.commit(&[request("a")]).unwrap();
        assert!(writer.commit_at_once(&request("b")).is_some());
        other.execute_batch("BEGIN; SELECT * FROM room").unwrap();
        let began = std::time::Instant::now();
        let _ = writer.truncate_log();
        assert!(began.elapsed() < writer.busy, "a reader is not waited for");
        other.execute_batch("COMMIT").unwrap();
        writer.truncate_log().unwrap();
        assert!(writer.commit_at_once(&request("c")).is_none());
        writer.commit(&[request("c")]).unwrap();
        assert!(writer.commit_at_once(&request("d")).is_some());
    }

    #[test]
    fn a_caller_copies_no_log() {
        let (_folder, mut writer, _) = writer();
        writer.commit(&[request("a")]).unwrap();
        let long = |n: u32| request(&format!("{n}{}", "x".repeat(60_000)));
        let full = (0..2000).find(|n| writer.commit_at_once(&long(*n)).is_none());
        assert!(full.is_some_and(|n| n > 50), "{full:?}: {:?}", writer.log);
        // Twice, since the log begins again with the commit after it was copied.
        for n in 0..2 {
            writer.commit(&[long(1000 + n)]).unwrap();
            writer.rest();
        }
        assert!(!writer.log.is_full());
        assert!(writer.commit_at_once(&request("a")).is_some());
    }
}
