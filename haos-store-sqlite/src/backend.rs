//! SQLite as a backend of the shell of native stores.

use std::path::Path;
use std::sync::Arc;

use haos_store_api::backend::files::beside;
use haos_store_api::backend::native::{Backend, Found, Opened, Options, Shell, Stop, Unlocked, with_keyring};
use haos_store_api::backend::{ChangeHub, Form};
use haos_store_api::{Progress, Report, Result, Revision};
use rusqlite::Connection;

use crate::check::check;
use crate::companions::MIRROR;
use crate::db::Db;
use crate::keys::unlock;
use crate::maintain::compact;
use crate::migration::FORMAT;
use crate::near::NearReaders;
use crate::open::{Place, accept, open};
use crate::read_only::Access;
use crate::scratch::tidy;
use crate::writer::Writer;

/// A store that is open, on the thread that writes it.
#[derive(Debug)]
pub(crate) struct Sqlite {
    place: Place,
    found: Revision,
    /// Opened by the first job: SQLite's threads share locks, and the caller of `open` waits for its first page.
    writer: Option<Writer>,
}

impl Backend for Sqlite {
    const NAME: &'static str = "sqlite";
    const FORMAT: u32 = FORMAT;
    const SHARED: bool = true;
    const PLACE: &'static str = "file";
    const MIRROR: &'static str = MIRROR;
    const FORM: Form = Form::Text;
    const BUSY_MS: u32 = 5000;
    type Readers = NearReaders;
    type Writer = Writer;

    /// Opens a single connection, which reads from then on: the caller sees the first page before the writer has its
    /// own connection.
    fn open(options: &Options) -> Result<Opened<Self>> {
        let crate::open::Opened { conn, recovery, access } = open(options)?;
        let Unlocked { codec, is_restored } = unlock(&conn, options)?;
        if access == Access::Write {
            accept(&conn)?;
        }
        let db = Db { conn: &conn, codec: &codec, operation: "open" };
        let id = db.store_id()?;
        let (revision, set_aside) = (db.store_revision()?, tidy(options.path(), id));
        let place = Place { options: options.clone().unlocked(codec.clone()), access };
        let readers = NearReaders::new(conn, place.clone())?;
        let read_only = access != Access::Write;
        Ok(Opened {
            backend: Self { place, found: revision, writer: None },
            readers: Arc::new(readers),
            found: Found {
                codec,
                id,
                revision,
                recovery: with_keyring(recovery, is_restored),
                set_aside,
                read_only,
            },
        })
    }

    fn writer(&mut self, hub: &ChangeHub) -> Result<&mut Writer> {
        let Self { place, found, writer } = self;
        match writer {
            Some(writer) => Ok(writer),
            none => Ok(none.insert(Writer::new(place.writer()?, &place.options, hub.clone(), *found)?)),
        }
    }

    fn finish(self) {
        let Self { place, writer, .. } = self;
        match writer {
            Some(writer) => tidy_up(writer.conn),
            // Readers that close at once each take another for the last, which clears the log away.
            None if place.access == Access::Write && beside(place.options.path(), "-wal").exists() => {
                drop(place.writer().map(tidy_up));
            }
            None => {}
        }
    }

    async fn compact(shell: &Shell<Self>, progress: &Progress) -> Result<Report> {
        compact(shell, progress).await
    }

    fn check(readers: &NearReaders, progress: &Progress, stop: &Stop) -> Result<Report> {
        check(&readers.place, progress, stop)
    }

    /// Counts the log and the mirror of the outbox.
    fn bytes_beside(path: &Path) -> u64 {
        let size = |ending| std::fs::metadata(beside(path, ending)).map_or(0, |file| file.len());
        size("-wal") + size(MIRROR)
    }
}

/// Tidies the file, as far as possible without waiting. Without `PRAGMA optimize`: each statement is written for one
/// index, and statistics could only talk the planner out of it.
fn tidy_up(conn: Connection) {
    let tidy = "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE);";
    if let Err(error) = conn.execute_batch(tidy) {
        tracing::debug!(%error, "the store is closed as it is");
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::ErrorKind;

    use super::*;
    use crate::options::SqliteOptions;

    #[test]
    fn a_connection_that_cannot_be_opened_is_opened_later() {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("s.db")).resolved::<Sqlite>().unwrap();
        let place = Place { options: options.clone(), access: Access::Write };
        let mut backend = Sqlite { place, found: Revision::ZERO, writer: None };
        let hub = ChangeHub::new(8, Revision::ZERO);
        assert_eq!(backend.writer(&hub).unwrap_err().kind(), ErrorKind::Io, "there is no file");
        drop(open(&options).unwrap().conn);
        backend.writer(&hub).unwrap();
    }
}
