//! A connection with the codec of its payloads: statements are cached, errors are the contract's.

use std::ops::ControlFlow;

use haos_store_api::backend::{Codec, Key, Payload};
use haos_store_api::{Error, Result, Revision};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Params, Row};

use crate::error::fault;
use haos_store_api::backend::native::corrupt;

/// The common argument of all table functions.
#[derive(Clone, Copy)]
pub(crate) struct Db<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) codec: &'c Codec,
    /// Named in errors.
    pub(crate) operation: &'static str,
}

/// Continue with the next row, or stop.
pub(crate) type Flow = ControlFlow<()>;
pub(crate) const NEXT: Flow = ControlFlow::Continue(());
pub(crate) const STOP: Flow = ControlFlow::Break(());

impl<'c> Db<'c> {
    pub(crate) fn prepare(self, sql: &str) -> Result<CachedStatement<'c>> {
        self.conn.prepare_cached(sql).map_err(|e| self.fault(e))
    }

    /// Runs a statement that returns no rows; returns the number of changed rows.
    pub(crate) fn run(self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare(sql)?.execute(params).map_err(|e| self.fault(e))
    }

    /// Reads the first row, if any.
    pub(crate) fn first<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params).map_err(|e| self.fault(e))?;
        rows.next().map_err(|e| self.fault(e))?.map(read).transpose()
    }

    /// Reads row after row, until `read` stops.
    pub(crate) fn each(
        self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<Flow>,
    ) -> Result<()> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(params).map_err(|e| self.fault(e))?;
        while let Some(row) = rows.next().map_err(|e| self.fault(e))? {
            if read(row)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Reads every row.
    pub(crate) fn all<T>(
        self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, params, |row| {
            found.push(read(row)?);
            Ok(NEXT)
        })?;
        Ok(found)
    }

    /// Reads the number that a statement returns; 0 without a row.
    pub(crate) fn number(self, sql: &str, params: impl Params) -> Result<i64> {
        Ok(self.first(sql, params, |row| self.int(row, 0))?.unwrap_or_default())
    }

    /// Runs reads that must see one commit. They must not write.
    pub(crate) fn snapshot<T>(self, read: impl FnOnce(Self) -> Result<T>) -> Result<T> {
        struct End<'c>(Db<'c>);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                // Nothing was written, and the next BEGIN would report a failure.
                let _ = self.0.run("ROLLBACK", ());
            }
        }
        if !self.conn.is_autocommit() {
            // A pinned reader is within one already.
            return read(self);
        }
        self.run("BEGIN", ())?;
        let end = End(self);
        read(end.0)
    }

    pub(crate) fn fault(self, error: rusqlite::Error) -> Error {
        fault(self.operation, error)
    }

    pub(crate) fn corrupt(self, what: &str) -> Error {
        corrupt(self.operation, what)
    }

    // Columns

    /// Binds a payload: text that people can read, or sealed bytes.
    pub(crate) fn bind(self, payload: &Payload) -> ToSqlOutput<'_> {
        let bytes = payload.as_bytes();
        ToSqlOutput::Borrowed(if self.codec.is_sealed() {
            ValueRef::Blob(bytes)
        } else {
            ValueRef::Text(bytes)
        })
    }

    pub(crate) fn int(self, row: &Row<'_>, column: usize) -> Result<i64> {
        row.get(column).map_err(|e| self.fault(e))
    }

    pub(crate) fn count(self, row: &Row<'_>, column: usize) -> Result<u64> {
        u64::try_from(self.int(row, column)?).map_err(|_| self.corrupt("a stored count is negative"))
    }

    pub(crate) fn revision(self, row: &Row<'_>, column: usize) -> Result<Revision> {
        self.count(row, column).map(Revision)
    }

    pub(crate) fn bytes<'r>(self, row: &'r Row<'_>, column: usize) -> Result<&'r [u8]> {
        match row.get_ref(column).map_err(|e| self.fault(e))? {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
            _ => Err(self.corrupt("a stored payload is neither text nor bytes")),
        }
    }

    pub(crate) fn key(self, row: &Row<'_>, column: usize) -> Result<Key> {
        let bytes = self.bytes(row, column)?;
        let key = bytes.try_into().map_err(|_| self.corrupt("a stored key has another length"))?;
        Ok(Key::from_bytes(key))
    }
}

/// Converts to SQLite's signed integers; no count of ours comes near the end.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Converts a limit for SQLite.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
