//! A bound on the work that a file may cause before anything vouches for it: a small one can be made to keep SQLite
//! busy for ever.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use haos_store_api::backend::files::beside;
use haos_store_api::backend::native::{Options, Reader};
use haos_store_api::backend::{Codec, Reads};
use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::Connection;

use crate::db::Db;
use crate::error::fault;

/// Steps of SQLite's machine between two looks.
const LOOK: u32 = 1000;
/// Steps that any file may cause, and more for each byte: a row has ten bytes at least, and takes some ten steps to
/// read and less than a hundred to check.
const STEPS: u64 = 4_000_000;
const STEPS_PER_BYTE: u64 = 16;
/// The same in time, for steps that take long each: slower than this is no device.
const SECONDS: u64 = 60;
const BYTES_PER_SECOND: u64 = 1 << 20;

/// The rest of the budget for a question to one file.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Inner>);

/// One thread has the connection; this is shared with SQLite's callback on it.
#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// The checks that the file's size was found to be worth.
    granted: AtomicU64,
    left: AtomicU64,
    time: Duration,
    began: Mutex<Instant>,
}

impl Budget {
    /// Makes the budget of the file at `path` with its log.
    pub(crate) fn of(path: &Path) -> Self {
        let bytes = size(path);
        let (granted, left) = (AtomicU64::new(looks(bytes)), AtomicU64::new(looks(bytes)));
        let time = Duration::from_secs(SECONDS + bytes / BYTES_PER_SECOND);
        Self(Arc::new(Inner {
            path: path.to_owned(),
            granted,
            left,
            time,
            began: Mutex::new(Instant::now()),
        }))
    }

    /// Charges all work on the connection from here on, and cuts it off once the budget is spent or `stop` is set.
    pub(crate) fn guard(
        &self,
        conn: &mut Connection,
        mut stop: impl FnMut() -> bool + Send + 'static,
    ) -> Result<()> {
        let own = self.clone();
        let handler = move || own.look() || stop();
        conn.progress_handler(LOOK as i32, Some(handler)).map_err(|e| fault("open", e))
    }

    /// Takes some of it; tells whether it is spent.
    fn look(&self) -> bool {
        let Inner { path, granted, left, time, began } = &*self.0;
        let mut now = left.load(Relaxed).saturating_sub(1);
        if now == 0 {
            // The file may have grown since.
            let worth = looks(size(path));
            now = worth.saturating_sub(granted.swap(worth, Relaxed));
        }
        if began.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > *time {
            now = 0;
        }
        left.store(now, Relaxed);
        now == 0
    }

    /// Lifts the bound: the file is known to be sound as far as opening can tell.
    pub(crate) fn lift(conn: &mut Connection) -> Result<()> {
        conn.progress_handler(0, None::<fn() -> bool>).map_err(|e| fault("open", e))
    }

    /// Refills it for another question to the same file.
    pub(crate) fn refill(&self) {
        let Inner { granted, left, began, .. } = &*self.0;
        left.store(granted.load(Relaxed), Relaxed);
        *began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Turns work that was cut off by the budget into damage.
    pub(crate) fn judge<T>(&self, done: Result<T>) -> Result<T> {
        done.map_err(|error| match self.0.left.load(Relaxed) {
            0 if error.kind() == ErrorKind::Closed => {
                let message = "reading the file takes more steps than that of any sound store of its size";
                Error::new(ErrorKind::Corrupt, error.operation(), message).with_source(error)
            }
            _ => error,
        })
    }
}

/// A connection that reads, each time with the whole budget of its file.
#[derive(Debug)]
pub(crate) struct Bounded {
    conn: Connection,
    codec: Codec,
    budget: Budget,
}

impl Bounded {
    pub(crate) fn new(mut conn: Connection, options: &Options) -> Result<Self> {
        let budget = Budget::of(options.path());
        budget.guard(&mut conn, || false)?;
        Ok(Self { conn, codec: options.codec.clone(), budget })
    }

    pub(crate) fn db(&self, operation: &'static str) -> Db<'_> {
        Db { conn: &self.conn, codec: &self.codec, operation }
    }
}

impl Reader for Bounded {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        self.budget.refill();
        self.budget.judge(self.db(operation).with_keys(|db| read(&db)))
    }
}

/// A connection within a transaction that only reads, and so keeps to one commit until it is dropped.
#[derive(Debug)]
pub(crate) struct Pinned(Bounded);

impl Pinned {
    pub(crate) fn new(bounded: Bounded) -> Result<Self> {
        let db = bounded.db("snapshot");
        db.run("BEGIN", ())?;
        // The transaction begins with its first read.
        db.store_revision()?;
        Ok(Self(bounded))
    }
}

impl Reader for Pinned {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        self.0.read(operation, read)
    }
}

fn size(path: &Path) -> u64 {
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    size(path).saturating_add(size(&beside(path, "-wal")))
}

fn looks(bytes: u64) -> u64 {
    STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)) / u64::from(LOOK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

    #[test]
    fn an_endless_question_ends_and_another_can_be_asked() {
        let mut conn = Connection::open_in_memory().unwrap();
        let budget = Budget::of(Path::new("absent"));
        budget.guard(&mut conn, || false).unwrap();
        let ask = |conn: &Connection, sql: &str| {
            budget.judge(conn.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(|e| fault("open", e)))
        };
        assert_eq!(ask(&conn, ENDLESS).unwrap_err().kind(), ErrorKind::Corrupt);
        budget.refill();
        assert_eq!(ask(&conn, "SELECT 7").unwrap(), 7);

        budget.guard(&mut conn, || true).unwrap();
        assert_eq!(ask(&conn, ENDLESS).unwrap_err().kind(), ErrorKind::Closed, "who stops it is no damage");
    }
}
