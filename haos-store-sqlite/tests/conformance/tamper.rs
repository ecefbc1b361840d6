//! Rows given to each other's parents, by SQL.

use std::path::Path;

use haos_store_api::Collection;
use haos_store_api::conformance::Move;
use rusqlite::Connection;
use rusqlite::types::Value;

/// A swap between the two rows of a table. A plain store has no seal over its columns: reads compare the keys of the
/// rows found, and a change that only an index shows is left to the check.
struct Swap {
    /// `table.column`.
    name: &'static str,
    of: Collection,
    plain: Plain,
}

/// The part of a plain store that notices.
#[derive(PartialEq, Eq)]
enum Plain {
    Read,
    Check,
    Nothing,
}

use Collection::{Gaps, Media, Messages, Pending, Rooms, State};
use Plain::{Check, Nothing, Read};

const SWAPS: [Swap; 16] = [
    Swap { name: "room.nr", of: Messages, plain: Read },
    Swap { name: "room.key", of: Rooms, plain: Read },
    Swap { name: "message.pos", of: Messages, plain: Read },
    Swap { name: "message.key", of: Messages, plain: Read },
    Swap { name: "message.sender", of: Messages, plain: Check },
    Swap { name: "message.target", of: Messages, plain: Check },
    Swap { name: "message.txn", of: Messages, plain: Check },
    Swap { name: "gap.pos", of: Gaps, plain: Read },
    Swap { name: "pending.key", of: Pending, plain: Read },
    Swap { name: "pending.room", of: Pending, plain: Read },
    Swap { name: "media.key", of: Media, plain: Read },
    Swap { name: "media.nr", of: Media, plain: Nothing },
    Swap { name: "media_chunk.pos", of: Media, plain: Nothing },
    Swap { name: "state.scope", of: State, plain: Read },
    Swap { name: "state.kind", of: State, plain: Check },
    Swap { name: "state.key", of: State, plain: Read },
];

pub(crate) fn moves(sealed: bool) -> Vec<Move> {
    let noticed = SWAPS.iter().filter(|swap| sealed || swap.plain != Nothing);
    noticed.map(|swap| Move { name: swap.name, of: swap.of, on_read: sealed || swap.plain == Read }).collect()
}

pub(crate) fn make(path: &Path, name: &str) {
    let (table, column) = name.split_once('.').unwrap();
    let conn = Connection::open(path).unwrap();
    let sql = format!("SELECT rowid, {column} FROM {table} ORDER BY rowid");
    let mut rows = conn.prepare(&sql).unwrap();
    let rows = rows.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(i64, Value)> = rows.map(Result::unwrap).collect();
    let [(one, first), (two, second)] = rows.as_slice() else { panic!("two rows of {table}") };
    assert_ne!(first, second, "{name}");
    // Neither value may stand in the table twice, not even for a moment.
    let free = if matches!(first, Value::Blob(_)) { Value::Blob(vec![0; 16]) } else { Value::Integer(-1) };
    let set = |rowid: i64, value: &Value| {
        let sql = format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1");
        assert_eq!(conn.execute(&sql, (rowid, value)).unwrap(), 1);
    };
    set(*one, &free);
    set(*two, first);
    let is_rowid = *first == Value::Integer(*one);
    set(if is_rowid { -1 } else { *one }, second);
}
