//! The one way to a connection. No part of a file's schema is run: it may come from anybody who packed the file.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

/// Set before the first statement, since that reads the schema.
const SETTINGS: [(DbConfig, bool); 10] = [
    (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    // A foreign key's action is a trigger.
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
    (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
    (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
    (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    // Without it, binding another value may compile a cached statement again, to reconsider its plan.
    (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
];

/// The most bytes of a value, those of the longest row that is decoded: an expression in a schema may make a value of
/// nothing.
const LONGEST: i32 = 256 << 20;

/// Connects to the file at `path`, or of that URI.
pub(crate) fn connection(path: impl AsRef<Path>, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    for (setting, on) in SETTINGS {
        conn.set_db_config(setting, on)?;
    }
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_and_views_do_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(
                "CREATE TABLE t (x); CREATE TABLE seen (x); CREATE VIEW v AS SELECT 1 AS x;
                 CREATE TRIGGER on_t AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (1); END;
                 CREATE TABLE child (x REFERENCES t (x) ON DELETE CASCADE);",
            )
            .unwrap();
        let conn = connection(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        conn.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        let seen: i64 = conn.query_row("SELECT count(*) FROM seen", (), |row| row.get(0)).unwrap();
        assert_eq!(seen, 0);
        let error = conn.query_row("SELECT x FROM v", (), |row| row.get::<_, i64>(0)).unwrap_err();
        assert!(error.to_string().contains("prohibited"), "{error}");
        for (setting, on) in SETTINGS {
            assert_eq!(conn.db_config(setting).unwrap(), on, "{setting:?}");
        }
    }

    #[test]
    fn no_expression_makes_a_longer_value() {
        let folder = tempfile::tempdir().unwrap();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let conn = connection(folder.path().join("x.db"), flags).unwrap();
        let length = |bytes: i32| {
            conn.query_row("SELECT length(zeroblob(?1))", [bytes], |row| row.get::<_, i32>(0))
                .map_err(|e| e.sqlite_error_code())
        };
        assert_eq!(length(LONGEST), Ok(LONGEST));
        assert_eq!(length(LONGEST + 1), Err(Some(rusqlite::ErrorCode::TooBig)));
    }

    #[test]
    fn there_is_no_other_way() {
        fn files(folder: &Path) -> Vec<std::path::PathBuf> {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let makes = |path: &std::path::PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            text.split("#[cfg(test)]").next().unwrap().contains("Connection::open")
        };
        let is_code = |path: &std::path::PathBuf| !path.ends_with("tests.rs");
        let found: Vec<_> = files(&source).into_iter().filter(is_code).filter(makes).collect();
        // The schemas to compare with are made in memory.
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().all(|path| ["connection.rs", "schema.rs", "roots.rs"]
                .iter()
                .any(|name| path.ends_with(name)))
        );
    }
}
