//! The schema of a file beside the one that the migrations make.
//!
//! Each part that our statements use has to be ours to the letter: a column, constraint or index of somebody else runs
//! their expressions within our statements. Tables, views and triggers of others do nothing here, since we never query
//! them and triggers are off, and may be somebody's property: they stay, and a check names them.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::migration::{make_views, migrate};

/// The digests of the schema as the migrations make it, roots included: without the views and with them.
const MADE: [&str; 2] = [
    "6d3d9897de793ed051898668074018f29b6c235fb41df0b0be165235607ff5d0",
    "192fdc0b359ec7f0c7029322b4b345f3ef739f8c423bb6179b5b7bfc22793eba",
];

/// The tables of `ANALYZE`. Each of our statements is written for one index, so they decide nothing.
const STATISTICS: [&str; 2] =
    ["CREATE TABLE sqlite_stat1(tbl,idx,stat)", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"];

/// The differences from the migrations' schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Our objects that are absent or altered, and those of others that our statements use.
    pub(crate) altered: Vec<String>,
    /// Objects of others that do nothing here.
    pub(crate) foreign: Vec<String>,
}

/// A row of `sqlite_schema`.
struct Object {
    kind: String,
    name: String,
    table: String,
    root: i64,
    sql: String,
}

impl Object {
    fn is_view(&self) -> bool {
        self.kind == "view"
    }
}

impl Difference {
    /// Compares schemas, cheaply for equal ones.
    pub(crate) fn of(conn: &Connection) -> rusqlite::Result<Self> {
        let found = objects(conn)?;
        if MADE.contains(&digest(&found).as_str()) {
            return Ok(Self::default());
        }
        let mut made = Connection::open_in_memory()?;
        migrate(&mut made)?;
        make_views(&made)?;
        Ok(compare(&objects(&made)?, &found))
    }
}

fn objects(conn: &Connection) -> rusqlite::Result<Vec<Object>> {
    let sql = "SELECT coalesce(type, ''), coalesce(name, ''), coalesce(tbl_name, ''), coalesce(rootpage, 0), coalesce(sql, '')
               FROM sqlite_schema ORDER BY rowid";
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map((), |row| {
        let (kind, name, table) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Object { kind, name, table, root: row.get(3)?, sql: row.get(4)? })
    })?;
    rows.collect()
}

fn digest(objects: &[Object]) -> String {
    let mut hash = Sha256::new();
    for Object { kind, name, table, root, sql } in objects {
        hash.update(format!("{kind}\0{name}\0{table}\0{root}\0{sql}\0"));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compare(made: &[Object], found: &[Object]) -> Difference {
    // SQLite takes names that differ in their case for the same.
    let mut missing: BTreeMap<_, _> = made.iter().map(|ours| (ours.name.to_lowercase(), ours)).collect();
    let tables: BTreeSet<_> = made.iter().map(|ours| ours.table.to_lowercase()).collect();
    let (mut roots, mut difference) = (BTreeSet::new(), Difference::default());
    for object in found {
        let (name, table) = (object.name.to_lowercase(), object.table.to_lowercase());
        let is_new_root = object.root == 0 || roots.insert(object.root);
        // Nobody reads a view, so another one of its name is merely foreign.
        let ours = missing.remove(&name).filter(|ours| !ours.is_view() || ours.sql == object.sql);
        let is_sound = match (ours, object.kind.as_str()) {
            (Some(ours), kind) => (&*ours.kind, &ours.table, &ours.sql) == (kind, &object.table, &object.sql),
            (None, "table") => !name.starts_with("sqlite_") || STATISTICS.contains(&object.sql.as_str()),
            (None, "index") => !tables.contains(&table),
            (None, kind) => matches!(kind, "view" | "trigger"),
        };
        let shown = format!("{} {}", object.kind, object.name.escape_debug());
        if !(is_sound && is_new_root) {
            difference.altered.push(shown);
        } else if ours.is_none() {
            difference.foreign.push(shown);
        }
    }
    let missing = missing.values().filter(|ours| !ours.is_view());
    difference.altered.extend(missing.map(|ours| format!("{} {}", ours.kind, ours.name)));
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Connection {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn).unwrap();
        conn
    }

    #[test]
    fn the_digest_is_that_of_the_migrations() {
        let conn = made();
        assert_eq!(digest(&objects(&conn).unwrap()), MADE[0], "write this into `MADE`");
        make_views(&conn).unwrap();
        assert_eq!(digest(&objects(&conn).unwrap()), MADE[1], "write this into `MADE`");
    }

    /// Each change to a sound schema shows as altered or as foreign.
    #[test]
    fn what_takes_part_is_altered_and_what_does_not_is_foreign() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("", &[], &[]),
            ("CREATE VIEW mine AS SELECT 1", &[], &["view mine"]),
            ("CREATE TABLE mine (x UNIQUE)", &[], &["table mine", "index sqlite_autoindex_mine_1"]),
            ("CREATE TABLE mine (x); CREATE INDEX by_x ON mine (x)", &[], &["table mine", "index by_x"]),
            (
                "CREATE TRIGGER spy AFTER UPDATE ON keyring BEGIN SELECT 1; END",
                &[],
                &["trigger spy"],
            ),
            ("ANALYZE", &[], &["table sqlite_stat1", "table sqlite_stat4"]),
            ("CREATE INDEX spy ON Keyring (payload)", &["index spy"], &[]),
            ("CREATE INDEX slow ON room (hex(payload))", &["index slow"], &[]),
            ("DROP INDEX room_by_key", &["index room_by_key"], &[]),
            ("DROP VIEW rooms", &[], &[]),
            ("DROP VIEW rooms; CREATE TABLE Rooms (x)", &[], &["table Rooms"]),
            ("DROP VIEW rooms; CREATE VIEW rooms AS SELECT 1", &[], &["view rooms"]),
            ("DROP TABLE gap; CREATE VIEW gap AS SELECT 1 AS pos", &["view gap"], &[]),
            ("ALTER TABLE room ADD COLUMN x ANY AS (hex(payload))", &["table room"], &[]),
            ("ALTER TABLE room ADD COLUMN x ANY CHECK (x IS NULL)", &["table room"], &[]),
            (
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage =
                 (SELECT rootpage FROM sqlite_schema WHERE name = 'keyring') WHERE name = 'gap'",
                &["table gap"],
                &[],
            ),
            (
                "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES
                 ('table', 'sqlite_stat1', 'sqlite_stat1', 99, 'CREATE TABLE sqlite_stat1(tbl,idx,stat AS (1))')",
                &["table sqlite_stat1"],
                &[],
            ),
        ];
        for (sql, altered, foreign) in cases {
            let conn = made();
            make_views(&conn).unwrap();
            conn.execute_batch(sql).unwrap();
            let found = Difference::of(&conn).unwrap();
            assert_eq!(
                (&*found.altered, &*found.foreign),
                (&owned(altered)[..], &owned(foreign)[..]),
                "{sql}"
            );
        }
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }
}
