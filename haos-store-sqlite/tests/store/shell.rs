//! A plain store is readable without this library.

use std::path::Path;
use std::process::Command;

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use crate::common::*;

/// Queries rows as the `sqlite3` shell prints them; through a plain connection if the shell is absent.
fn query(path: &Path, sql: &str) -> Vec<String> {
    if let Ok(output) = Command::new("sqlite3").arg("-readonly").arg(path).arg(sql).output() {
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        return String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    }
    haos_skip::skipped(
        "there is no sqlite3 shell, a plain connection stands in",
        "install SQLite's shell (Debian: apt-get install sqlite3)",
    );
    let conn = Connection::open(path).unwrap();
    let mut statement = conn.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |value: rusqlite::types::ValueRef<'_>| match value {
        rusqlite::types::ValueRef::Integer(n) => n.to_string(),
        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    let rows = statement.query_map((), |row| {
        let cells: Result<Vec<_>, _> = (0..columns).map(|n| row.get_ref(n).map(text)).collect();
        Ok(cells?.join("|"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

async fn with_views(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(SqliteOptions::new(path)).await.unwrap();
    store.make_views().await.unwrap();
    store
}

#[tokio::test]
async fn views_are_made_for_those_who_ask() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let views = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'";
    open(&path).await.close().await.unwrap();
    assert_eq!(query(&path, views), ["0"]);
    for _ in 0..2 {
        with_views(&path).await.close().await.unwrap();
        assert_eq!(query(&path, views), ["6"]);
    }
    let store = open(&path).await;
    assert_eq!(store.info().recovery, None);
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, [""; 0], "they are ours");
}

#[tokio::test]
async fn views_show_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = with_views(&path).await;
    store.apply(sample()).await.unwrap();
    let mut reaction = message("a", "thumb", 30);
    reaction.relation =
        Some(Relation { kind: RelationKind::Reaction, target: event_id("a0"), key: Some("+".to_owned()) });
    let mut batch = WriteBatch::relaxed();
    batch.put_message(reaction);
    batch.put_pending(Pending {
        state: PendingState::Parked(ParkReason::Forbidden),
        attempts: 2,
        ..pending("b", "t4")
    });
    store.apply(batch).await.unwrap();

    // While the store is open, and after.
    for closed in [false, true] {
        if closed {
            store.close().await.unwrap();
        }
        let sql =
            "SELECT sender, content->>'body' FROM messages WHERE room_id = '!a' ORDER BY position LIMIT 2";
        assert_eq!(query(&path, sql), ["@ada:example.org|text of a0", "@ada:example.org|text of a1"]);
        let sql =
            "SELECT event_id, relation, target, relation_key, type FROM messages WHERE relation IS NOT NULL";
        assert_eq!(query(&path, sql), ["$thumb|reaction|$a0|+|m.room.message"]);
        assert_eq!(
            query(&path, "SELECT room_id, name, membership FROM rooms ORDER BY 1")[1],
            "!b|Room b|join"
        );
        assert_eq!(query(&path, "SELECT room_id, token FROM gaps"), ["!a|older"]);
        let sql = "SELECT seq, txn_id, room_id, state, attempts, content->>'body' FROM outbox ORDER BY seq";
        assert_eq!(
            query(&path, sql),
            [
                "1|t1|!a|queued|0|unsent t1",
                "2|t2|!a|queued|0|unsent t2",
                "3|t3|!b|queued|0|unsent t3",
                r#"4|t4|!b|{"parked":"forbidden"}|2|unsent t4"#
            ]
        );
        assert_eq!(
            query(&path, "SELECT uri, size, mime FROM media_items"),
            ["mxc://example.org/cat|100000|image/png"]
        );
        let sql = "SELECT room_id, kind, key, value FROM states ORDER BY kind";
        assert_eq!(
            query(&path, sql)[1..],
            ["|haos.sync_token||\"s1\"", "!a|m.room.member|@ada:example.org|{\"n\":1}"]
        );
    }
}

/// One row that SQLite's functions could not read would make them refuse every query.
#[tokio::test]
async fn views_show_the_deepest_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = with_views(&path).await;
    store.apply(sample()).await.unwrap();
    let depth = MAX_JSON_DEPTH - 1;
    let deep = format!(r#"{{"body":"deep","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let deep = Json::new(deep).unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_message(Message {
        content: deep.clone(),
        extra: Some(deep.clone()),
        ..message("a", "deep", 40)
    });
    batch.put_pending(Pending { content: deep.clone(), wire: Some(deep.clone()), ..pending("a", "deep") });
    batch.put_state(StateEntry { value: deep, ..state(Scope::Account, "deep", "", "0") });
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    for sql in [
        "SELECT content->>'body' FROM messages WHERE event_id = '$deep'",
        "SELECT extra->>'body' FROM messages WHERE content->>'body' = 'deep'",
        "SELECT content->>'body' FROM outbox WHERE txn_id = 'deep'",
        "SELECT value->>'body' FROM states WHERE kind = 'deep'",
    ] {
        assert_eq!(query(&path, sql), ["deep"], "{sql}");
    }
}

#[tokio::test]
async fn a_rooms_messages_are_one_range() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = with_views(&path).await;
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT sender, content->>'body' FROM messages WHERE room_id = '!a'";
    let plan = query(&path, sql).join("\n");
    assert!(plan.contains("SEARCH m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{plan}");
    assert!(!plan.contains("SCAN m"), "{plan}");
    let gaps = query(&path, "EXPLAIN QUERY PLAN SELECT token FROM gaps WHERE room_id = '!a'").join("\n");
    assert!(gaps.contains("SEARCH g USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"), "{gaps}");
}
