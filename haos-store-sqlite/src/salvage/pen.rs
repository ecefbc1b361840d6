//! Transactions of bounded size.

use haos_store_api::Result;

use crate::db::Db;

/// The approximate limits of one transaction: rows and bytes.
const STEP_ROWS: u64 = 1024;
const STEP_BYTES: usize = 1 << 20;
/// Rows between two words about the progress.
const WORD: u64 = 100 * STEP_ROWS;

/// Begins a transaction whenever the one before is full.
pub(super) struct Pen<'c> {
    pub(super) db: Db<'c>,
    rows: u64,
    bytes: usize,
}

impl<'c> Pen<'c> {
    pub(super) fn new(db: Db<'c>) -> Result<Self> {
        db.run("BEGIN IMMEDIATE", ())?;
        Ok(Self { db, rows: 0, bytes: 0 })
    }

    /// Counts a row that is written.
    pub(super) fn step(&mut self, bytes: usize) -> Result<()> {
        self.rows += 1;
        self.bytes += bytes;
        if self.rows.is_multiple_of(STEP_ROWS) || self.bytes >= STEP_BYTES {
            self.bytes = 0;
            self.db.run("COMMIT", ())?;
            self.db.run("BEGIN IMMEDIATE", ())?;
        }
        if self.rows.is_multiple_of(WORD) {
            tracing::info!(rows = self.rows, "a damaged store is carried over");
        }
        Ok(())
    }

    pub(super) fn end(self) -> Result<()> {
        self.db.run("COMMIT", ()).map(drop)
    }
}
