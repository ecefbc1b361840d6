//! How much work a file may cause before anything vouches for it: a small one can be made to keep SQLite busy for
//! ever.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use haos_store_api::{Error, ErrorKind, Result};
use rusqlite::Connection;

use crate::damage::beside;
use crate::error::fault;

/// Steps of SQLite's machine between two looks.
const LOOK: u32 = 1000;
/// Steps that any file may cause, and more for each byte: a row has ten bytes at least, and takes some ten steps to
/// read and less than a hundred to check.
const STEPS: u64 = 64_000_000;
const STEPS_PER_BYTE: u64 = 16;
/// The same in time, for steps that take long each: slower than this is no device.
const SECONDS: u64 = 60;
const BYTES_PER_SECOND: u64 = 1 << 20;

/// What is left of it for a question to one file.
#[derive(Clone)]
pub(crate) struct Budget {
    looks: u64,
    time: Duration,
    left: Arc<Left>,
}

/// One thread has the connection; this is shared with SQLite's callback on it.
struct Left {
    looks: AtomicU64,
    began: Mutex<Instant>,
}

impl Budget {
    /// That of the file at `path` with its log.
    pub(crate) fn of(path: &Path) -> Self {
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        let bytes = size(path).saturating_add(size(&beside(path, "-wal")));
        let looks = STEPS.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)) / u64::from(LOOK);
        let time = Duration::from_secs(SECONDS + bytes / BYTES_PER_SECOND);
        let left = Left { looks: AtomicU64::new(looks), began: Mutex::new(Instant::now()) };
        Self { looks, time, left: Arc::new(left) }
    }

    /// Whatever runs on the connection from here on is taken from it, and cut off once it is spent or `stop` says so.
    pub(crate) fn guard(
        &self,
        conn: &mut Connection,
        mut stop: impl FnMut() -> bool + Send + 'static,
    ) -> Result<()> {
        let own = self.clone();
        let handler = move || own.look() || stop();
        conn.progress_handler(LOOK as i32, Some(handler)).map_err(|e| fault("open", e))
    }

    /// Takes some of it; whether it is spent.
    fn look(&self) -> bool {
        let Left { looks, began } = &*self.left;
        let began = *began.lock().unwrap_or_else(PoisonError::into_inner);
        let left = if began.elapsed() > self.time { 0 } else { looks.load(Relaxed).saturating_sub(1) };
        looks.store(left, Relaxed);
        left == 0
    }

    /// Nothing is bounded any more.
    pub(crate) fn lift(conn: &mut Connection) -> Result<()> {
        conn.progress_handler(0, None::<fn() -> bool>).map_err(|e| fault("open", e))
    }

    /// For another question to the same file.
    pub(crate) fn refill(&self) {
        self.left.looks.store(self.looks, Relaxed);
        *self.left.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What was cut off because it is spent is damage.
    pub(crate) fn judge<T>(&self, done: Result<T>) -> Result<T> {
        done.map_err(|error| match self.left.looks.load(Relaxed) {
            0 if error.kind() == ErrorKind::Closed => {
                let message = "reading the file takes more steps than that of any sound store of its size";
                Error::new(ErrorKind::Corrupt, error.operation(), message).with_source(error)
            }
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

    #[test]
    fn an_endless_question_ends_and_another_can_be_asked() {
        let mut conn = Connection::open_in_memory().unwrap();
        let budget = Budget::of(Path::new("there is none"));
        budget.guard(&mut conn, || false).unwrap();
        let ask = |conn: &Connection, sql: &str| {
            budget.judge(conn.query_row(sql, (), |row| row.get::<_, i64>(0)).map_err(|e| fault("open", e)))
        };
        assert_eq!(ask(&conn, ENDLESS).unwrap_err().kind(), ErrorKind::Corrupt);
        budget.refill();
        assert_eq!(ask(&conn, "SELECT 7").unwrap(), 7);
        Budget::lift(&mut conn).unwrap();

        budget.guard(&mut conn, || true).unwrap();
        assert_eq!(ask(&conn, ENDLESS).unwrap_err().kind(), ErrorKind::Closed, "who stops it is no damage");
    }
}
