use haos_store_api::backend::files::StoreId;
use haos_store_api::{Result, Revision};

use super::Sums;
use crate::db::{Db, signed};
use crate::log::next_mark;

impl Db<'_> {
    /// Reads the revision of the latest commit.
    pub(crate) fn store_revision(self) -> Result<Revision> {
        self.meta("revision").map(Revision)
    }

    pub(crate) fn set_store_revision(self, revision: Revision) -> Result<()> {
        self.set_meta("revision", revision.0)
    }

    /// Gives a new sequence number. It is part of the transaction: a rollback takes it back.
    pub(crate) fn next_seq(self) -> Result<u64> {
        let sql = "UPDATE meta SET value = value + 1 WHERE name = 'last_seq' RETURNING value";
        self.first(sql, (), |row| self.count(row, 0))?.ok_or_else(|| self.corrupt("`last_seq` is missing"))
    }

    pub(crate) fn last_seq(self) -> Result<u64> {
        self.meta("last_seq")
    }

    pub(crate) fn set_last_seq(self, seq: u64) -> Result<()> {
        self.set_meta("last_seq", seq)
    }

    /// Reads rows and payload bytes of all messages, kept by the writer: counting them would read them all.
    pub(crate) fn message_sums(self) -> Result<Sums> {
        Ok(Sums { rows: signed(self.meta("message_rows")?), bytes: signed(self.meta("message_bytes")?) })
    }

    pub(crate) fn set_message_sums(self, sums: Sums) -> Result<()> {
        self.set_meta("message_rows", sums.rows.unsigned_abs())?;
        self.set_meta("message_bytes", sums.bytes.unsigned_abs())
    }

    /// Reads the store's own id; absent in one that an earlier version made.
    pub(crate) fn store_id(self) -> Result<Option<StoreId>> {
        self.first("SELECT value FROM meta WHERE name = 'id'", (), |row| {
            let bytes = self.bytes(row, 0)?.try_into();
            bytes.map(StoreId).map_err(|_| self.corrupt("the store's id is damaged"))
        })
    }

    pub(crate) fn set_store_id(self, id: StoreId) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('id', ?1)";
        self.run(sql, [id.0.as_slice()]).map(drop)
    }

    /// Ends every commit of a batch.
    pub(crate) fn advance(self, revision: Revision, delta: Sums) -> Result<()> {
        if delta == Sums::default() {
            let sql = concat!(
                "UPDATE meta SET value = CASE name WHEN 'revision' THEN ?1 ELSE ",
                next_mark!(),
                " END WHERE name IN ('revision', 'commit')"
            );
            return self.run(sql, [signed(revision.0)]).map(drop);
        }
        let sql = concat!(
            "UPDATE meta SET value = CASE name WHEN 'revision' THEN ?1 WHEN 'message_rows' THEN value + ?2
             WHEN 'message_bytes' THEN value + ?3 ELSE ",
            next_mark!(),
            " END WHERE name IN ('revision', 'message_rows', 'message_bytes', 'commit')"
        );
        self.run(sql, (signed(revision.0), delta.rows, delta.bytes)).map(drop)
    }

    /// Ends every other commit.
    pub(crate) fn mark(self) -> Result<()> {
        self.run(concat!("UPDATE meta SET value = ", next_mark!(), " WHERE name = 'commit'"), ()).map(drop)
    }

    fn meta(self, name: &str) -> Result<u64> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        let value = self.first(sql, [name], |row| self.count(row, 0))?;
        value.ok_or_else(|| self.corrupt(&format!("`{name}` is missing")))
    }

    fn set_meta(self, name: &str, value: u64) -> Result<()> {
        self.run("UPDATE meta SET value = ?2 WHERE name = ?1", (name, signed(value)))?;
        Ok(())
    }
}
