//! The size of a store.

use haos_store_api::{Collection, Result, Size, Usage};

use crate::db::Db;

impl Db<'_> {
    /// Counts the payload bytes of each collection. The sums of messages are kept by the writer and those of media are
    /// columns, so the cost does not grow with the history.
    pub(crate) fn usage_now(self) -> Result<Usage> {
        let db = self;
        let size = |sql: &str| -> Result<Size> {
            let size =
                db.first(sql, (), |row| Ok(Size { rows: db.count(row, 0)?, bytes: db.count(row, 1)? }))?;
            Ok(size.unwrap_or_default())
        };
        let messages = db.message_sums()?;
        let collections = vec![
            (Collection::Rooms, size("SELECT count(*), coalesce(sum(octet_length(payload)), 0) FROM room")?),
            (
                Collection::Messages,
                Size { rows: messages.rows.unsigned_abs(), bytes: messages.bytes.unsigned_abs() },
            ),
            (Collection::Gaps, size("SELECT count(*), coalesce(sum(octet_length(payload)), 0) FROM gap")?),
            (
                Collection::Pending,
                size("SELECT count(*), coalesce(sum(octet_length(payload)), 0) FROM pending")?,
            ),
            (
                Collection::Media,
                size("SELECT count(*), coalesce(sum(size + octet_length(payload)), 0) FROM media")?,
            ),
            (Collection::State, size("SELECT count(*), coalesce(sum(octet_length(payload)), 0) FROM state")?),
        ];
        let page = db.number("PRAGMA page_size", ())?.unsigned_abs();
        Ok(Usage {
            collections,
            total_bytes: db.number("PRAGMA page_count", ())?.unsigned_abs() * page,
            free_bytes: db.number("PRAGMA freelist_count", ())?.unsigned_abs() * page,
            quota_bytes: None,
        })
    }
}
