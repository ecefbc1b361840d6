//! A SQLite store that somebody else packed: schema, rows and pages changed at will. Opening and using it ends, without
//! a panic; and a sealed store tells only rows that were sealed.

use std::path::Path;
use std::sync::LazyLock;


use haos_store_api::*;
use haos_store_sqlite::{OnDamage, SqliteOptions, SqliteStore};
use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, config::DbConfig};

use crate::{block_on, folder};

/// The changes of one input.
const MOST_CHANGES: usize = 12;
/// Steps that a change itself may take, and the bytes of a value that it may make.
const MOST_STEPS: i32 = 200_000;
const MOST_BYTES: i32 = 1 << 20;

/// The bytes of a plain and of a sealed store, each closed.
static STORES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [false, true].map(make));

const TABLES: [&str; 9] =
    ["meta", "keyring", "room", "message", "gap", "pending", "media", "media_chunk", "state"];
const COLUMNS: [&str; 14] = [
    "payload",
    "key",
    "nr",
    "pos",
    "seq",
    "room",
    "scope",
    "kind",
    "written",
    "revision",
    "value",
    "size",
    "pinned",
    "timestamp_ms",
];
/// Expressions for schemas.
const EXPRESSIONS: [&str; 6] = [
    "hex(zeroblob(100000000))",
    "abs(-9223372036854775807 - 1)",
    "payload ->> '$.a.b'",
    "(SELECT x FROM endless)",
    "1 / 0",
    "replace(hex(zeroblob(10000)), '0', hex(zeroblob(10000)))",
];

/// The first byte chooses whether the store is sealed and how it is opened; each three that follow are a change.
pub fn run(data: &[u8]) {
    let Some((choice, changes)) = data.split_first() else { return };
    let sealed = choice & 1 == 1;
    let folder = folder();
    let path = folder.path().join("s.db");
    std::fs::write(&path, &STORES[usize::from(sealed)]).expect("a file");
    let changes: Vec<[u8; 3]> =
        changes.chunks_exact(3).take(MOST_CHANGES).map(|c| [c[0], c[1], c[2]]).collect();
    for change in changes {
        apply(&path, change);
    }
    let options = SqliteOptions::new(&path).low_memory().busy_ms(0).check(choice & 2 == 2);
    let options = if sealed { options.secret(secret()) } else { options };
    for on_damage in [OnDamage::Refuse, OnDamage::SetAside] {
        let before = std::fs::read(&path).expect("a file");
        match block_on(SqliteStore::open(options.clone().on_damage(on_damage))) {
            Ok(store) => block_on(using(&store, sealed)),
            Err(error) => {
                // Only the mode of its journal, which is in the header, may differ.
                let (now, from) = (std::fs::read(&path).expect("a file"), before.len().min(100));
                assert!(
                    now.get(from..) == before.get(from..),
                    "a refused file is changed ({on_damage:?}): {error:?}"
                );
            }
        }
    }
}

/// Runs every call of the contract; each answer is an error or, of a sealed store, true.
async fn using(store: &SqliteStore, sealed: bool) {
    let known = |found: &dyn std::fmt::Debug, is_known: bool| {
        assert!(!sealed || is_known, "a sealed store tells rows that were not sealed: {found:?}");
    };
    for room in store.rooms(RoomQuery::default()).await.unwrap_or_default() {
        known(&room, [0, 1].iter().any(|nr| room == Room { revision: room.revision, ..self::room(*nr) }));
    }
    for nr in 0..2 {
        let id = room_id(nr);
        for item in store.timeline(&id, Page::newest(50)).await.map(|slice| slice.items).unwrap_or_default() {
            if let Item::Message(found) = item {
                known(&found, (0..8).chain([20]).any(|n| found == message(nr, n)));
            }
        }
        let _ = (store.gaps(&id).await, store.count(&id, None).await);
        let _ = store.related(RelationQuery::of(&id, &event_id(nr, 0))).await;
        let _ = store.messages(MessageQuery::Ids { room: id.clone(), events: vec![event_id(nr, 0)] }).await;
        for entry in store.state(StateQuery::all(Scope::Room(id))).await.unwrap_or_default() {
            known(&entry, entry == state(nr));
        }
    }
    let query = PendingQuery { skip_damaged: true, ..PendingQuery::default() };
    for row in store.pending(query).await.unwrap_or_default() {
        known(&row, row.txn_id == txn(9) || (0..3).any(|n| row.content == pending(n).content));
    }
    if let Ok(Some(found)) = store.media(&media_key(), ByteRange::ALL).await {
        known(&"media", found.bytes == [7; 5000]);
    }
    let _ = (store.media_index(MediaQuery::default()).await, store.usage().await);
    let _ = store.maintain(Maintenance::Check, Progress::none()).await;
    let mut batch = WriteBatch::relaxed();
    batch.put_message(message(0, 20)).put_pending(pending(9));
    let _ = store.apply(batch).await;
    if sealed {
        let _ = store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([2; 32]))).await;
        let _ = store.maintain(Maintenance::Rotate, Progress::none()).await;
    }
    let _ = store.maintain(Maintenance::Compact, Progress::none()).await;
    store.close().await.expect("it closes");
}

fn apply(path: &Path, [kind, what, how]: [u8; 3]) {
    match kind % 6 {
        0 | 1 => pages(path, kind, what, how),
        2 => rows(path, what, how),
        3 => objects(path, what, how),
        4 => schema(path, what, how),
        _ => cells(path, what, how),
    }
}

/// Changes a byte of a page, or the length of the file.
fn pages(path: &Path, kind: u8, what: u8, how: u8) {
    let mut bytes = std::fs::read(path).expect("a file");
    let pages = (bytes.len() / 4096).max(1);
    if kind % 12 == 1 {
        let keep = bytes.len() * usize::from(how) / 255;
        bytes.truncate(keep);
    } else {
        // Page headers and the cells at the end are what matters.
        let place = match kind % 4 {
            0 => usize::from(how),
            _ => 4095 - usize::from(how),
        };
        let at = usize::from(what) % pages * 4096 + place;
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= kind | 1;
        }
    }
    std::fs::write(path, bytes).expect("a file");
}

/// Writes a value that this column never has.
fn rows(path: &Path, what: u8, how: u8) {
    let (table, column) = (pick(&TABLES, what), pick(&COLUMNS, how));
    let value = match how / 16 {
        0 => Value::Null,
        1 => Value::Integer(i64::MAX),
        2 => Value::Integer(i64::MIN),
        3 => Value::Integer(-1),
        4 => Value::Integer(0),
        5 => Value::Real(1e300),
        6 => Value::Blob(Vec::new()),
        7 => Value::Blob(vec![0xA1; 16]),
        8 => Value::Blob(vec![0x7B; 70_000]),
        9 => Value::Text("[".repeat(100_000)),
        10 => Value::Text("{}".to_owned()),
        11 => Value::Text("\u{0}\u{202e}".to_owned()),
        12 => Value::Integer(1 << 40),
        13 => Value::Integer(1 << 62),
        14 => Value::Blob(vec![0; 1]),
        _ => Value::Integer(i64::from(how)),
    };
    let order = if what & 0x80 == 0 { "ASC" } else { "DESC" };
    let id = if table == "meta" { "name" } else { "rowid" };
    let sql = format!(
        "UPDATE {table} SET {column} = ?1 WHERE {id} = (SELECT {id} FROM {table} ORDER BY {id} {order} LIMIT 1)"
    );
    with(path, |conn| drop(conn.execute(&sql, [value])));
}

/// Adds objects of somebody else.
fn objects(path: &Path, what: u8, how: u8) {
    let (table, expression) = (pick(&TABLES, how), pick(&EXPRESSIONS, what / 16));
    let sql = match what % 16 {
        0 => format!("CREATE TRIGGER t1 AFTER INSERT ON {table} BEGIN SELECT {expression}; END"),
        1 => format!("CREATE TRIGGER t2 BEFORE UPDATE ON {table} BEGIN SELECT RAISE(IGNORE); END"),
        2 => format!("CREATE TRIGGER t3 AFTER DELETE ON {table} BEGIN DELETE FROM pending; END"),
        3 => "CREATE VIEW endless AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
            .to_owned(),
        4 => format!("DROP TABLE {table}; CREATE VIEW {table} AS SELECT * FROM endless"),
        // SQLite itself would compute it for each row.
        5 => format!(
            "CREATE INDEX i1 ON {table} (hex(1)); UPDATE sqlite_schema
             SET sql = 'CREATE INDEX i1 ON {table} (' || {} || ')' WHERE name = 'i1'",
            quoted(expression)
        ),
        6 => format!("CREATE UNIQUE INDEX i2 ON {table} (1)"),
        7 => format!("ALTER TABLE {table} ADD COLUMN more ANY AS ({expression})"),
        8 => format!("ALTER TABLE {table} ADD COLUMN more ANY CHECK ({expression})"),
        9 => "ANALYZE".to_owned(),
        10 => format!("CREATE TABLE own AS SELECT * FROM {table}"),
        11 => format!("DROP TABLE {table}"),
        12 => format!("DELETE FROM {table}"),
        13 => "CREATE VIRTUAL TABLE words USING fts5 (x)".to_owned(),
        14 => format!("ALTER TABLE {table} RENAME TO other"),
        _ => "DROP INDEX room_by_key; DROP INDEX state_by_place; DROP VIEW messages".to_owned(),
    };
    with(path, |conn| drop(conn.execute_batch(&sql)));
}

/// Changes a row of the schema itself.
fn schema(path: &Path, what: u8, how: u8) {
    let nr = what % 32;
    let other = pick(&TABLES, how);
    let change = match how / 16 {
        0 => format!("rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = '{other}')"),
        1 => "rootpage = 1".to_owned(),
        2 => "rootpage = 99999".to_owned(),
        3 => "sql = NULL".to_owned(),
        4 => "sql = replace(sql, 'STRICT', '')".to_owned(),
        5 => "sql = replace(sql, 'NOT NULL', '')".to_owned(),
        6 => "sql = replace(sql, 'INTEGER PRIMARY KEY', 'ANY PRIMARY KEY')".to_owned(),
        7 => format!("sql = replace(sql, 'ANY NOT NULL', 'ANY AS ({})')", pick(&EXPRESSIONS, what).replace('\'', "''")),
        8 => "type = 'view'".to_owned(),
        9 => format!("name = '{other}'"),
        10 => format!("tbl_name = '{other}'"),
        11 => "name = upper(name), tbl_name = upper(tbl_name)".to_owned(),
        12 => "sql = replace(sql, 'UNIQUE', '')".to_owned(),
        13 => "name = 'sqlite_stat1', tbl_name = 'sqlite_stat1', sql = 'CREATE TABLE sqlite_stat1(tbl,idx,stat)'".to_owned(),
        14 => "sql = zeroblob(9)".to_owned(),
        _ => "rootpage = rootpage + 1".to_owned(),
    };
    let sql = format!("UPDATE sqlite_schema SET {change} WHERE rowid = {nr}");
    with(path, |conn| drop(conn.execute_batch(&sql)));
}

/// Exchanges cells between two rows of a table.
fn cells(path: &Path, what: u8, how: u8) {
    let (table, column) = (pick(&TABLES[2..], what), pick(&COLUMNS, how));
    let sql = format!(
        "UPDATE {table} SET {column} = (SELECT {column} FROM {table} AS o WHERE o.rowid <> {table}.rowid LIMIT 1)
         WHERE rowid = (SELECT max(rowid) FROM {table})"
    );
    with(path, |conn| drop(conn.execute_batch(&sql)));
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn pick<'t>(of: &[&'t str], nr: u8) -> &'t str {
    of[usize::from(nr) % of.len()]
}

/// Changes a file as SQLite allows it, in bounded time.
fn with(path: &Path, change: impl FnOnce(&Connection)) {
    let Ok(mut conn) = Connection::open(path) else { return };
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true).expect("a setting");
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).expect("a setting");
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_BYTES).expect("a limit");
    let mut left = MOST_STEPS / 1000;
    let stop = move || {
        left -= 1;
        left < 0
    };
    conn.progress_handler(1000, Some(stop)).expect("a handler");
    let _ = conn.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY");
    change(&conn);
}

fn make(sealed: bool) -> Vec<u8> {
    let folder = folder();
    let path = folder.path().join("s.db");
    let options = SqliteOptions::new(&path);
    let options = if sealed { options.secret(secret()) } else { options };
    block_on(async {
        let store = SqliteStore::open(options).await.expect("a store");
        let mut batch = WriteBatch::strict();
        for nr in 0..2 {
            batch.put_room(room(nr)).put_state(state(nr));
            for n in 0..8 {
                batch.put_message(message(nr, n));
            }
        }
        for n in 0..3 {
            batch.put_pending(pending(n));
        }
        let info = MediaInfo {
            key: media_key(),
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: 1,
            fetched_at_ms: 1,
            pinned: false,
        };
        batch.put_media(info, vec![7; 5000]);
        store.apply(batch).await.expect("a commit");
        store.close().await.expect("it closes");
    });
    std::fs::read(&path).expect("a file")
}

const VALID: &str = "it is valid";

fn secret() -> Secret {
    Secret::key([1; 32])
}

fn room_id(nr: u64) -> RoomId {
    RoomId::new(format!("!{nr}")).expect(VALID)
}

fn event_id(room: u64, nr: u64) -> EventId {
    EventId::new(format!("${room}-{nr}")).expect(VALID)
}

fn kind() -> EventType {
    EventType::new("m.room.message").expect(VALID)
}

fn room(nr: u64) -> Room {
    Room { last_activity_ms: 7, name: Some(format!("room {nr}")), ..Room::new(room_id(nr), Membership::Join) }
}

fn message(room: u64, nr: u64) -> Message {
    Message {
        room: room_id(room),
        id: event_id(room, nr),
        position: Position::FIRST.newer(nr).expect(VALID),
        sender: UserId::new("@ada:example.org").expect(VALID),
        timestamp_ms: 1_700_000_000_000 + nr as i64,
        kind: kind(),
        state_key: None,
        content: Json::new(format!(r#"{{"body":"{room}-{nr}"}}"#)).expect(VALID),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn txn(nr: u64) -> TxnId {
    TxnId::new(format!("t{nr}")).expect(VALID)
}

fn pending(nr: u64) -> Pending {
    Pending::new(txn(nr), room_id(0), kind(), Json::new(format!(r#"{{"body":"{nr}"}}"#)).expect(VALID), 1)
}

fn media_key() -> MediaKey {
    MediaKey {
        uri: MediaUri::new("mxc://example.org/a").expect(VALID),
        format: MediaFormat::new("").expect(VALID),
    }
}

fn state(nr: u64) -> StateEntry {
    StateEntry {
        scope: Scope::Room(room_id(nr)),
        kind: EventType::new("m.tag").expect(VALID),
        key: StateKey::new("").expect(VALID),
        event_id: None,
        value: Json::new(format!(r#"{{"n":{nr}}}"#)).expect(VALID),
    }
}
