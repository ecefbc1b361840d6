//! Payloads in other rows' places, and payloads of another time.

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::common::*;
use crate::target::Row::{One, Twin};
use crate::target::{Target, assert_check_finds, assert_others_read};
use crate::vault::*;

async fn opened(folder: &tempfile::TempDir) -> (SqliteStore, Connection) {
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    (unsealed(&path).await, raw(&path))
}

/// One row's payload and another's twin, exchanged: rooms differ, and collections where they do.
#[tokio::test]
async fn payloads_exchanged_between_any_two_tables_or_rooms_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = opened(&folder).await;
    for one in Target::ALL {
        for other in Target::ALL {
            let (a, b) = (one.payload(&conn, One), other.payload(&conn, Twin));
            one.set_payload(&conn, One, &b);
            other.set_payload(&conn, Twin, &a);
            one.assert_corrupt(&store, One, &format!("the payload of {other:?}")).await;
            other.assert_corrupt(&store, Twin, &format!("the payload of {one:?}")).await;
            assert_others_read(&store, &[(one, One), (other, Twin)]).await;
            if one != Target::Room && other != Target::Room {
                assert_check_finds(&store, &[one.collection(), other.collection()]).await;
            }
            one.set_payload(&conn, One, &a);
            other.set_payload(&conn, Twin, &b);
        }
    }
    assert_check_finds(&store, &[]).await;
}

fn exchange(conn: &Connection, table: &str, first: i64, second: i64) {
    let select = format!("SELECT payload FROM {table} WHERE rowid = ?1");
    let payload = |rowid| conn.query_row(&select, [rowid], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let update = format!("UPDATE {table} SET payload = ?2 WHERE rowid = ?1");
    for (rowid, payload) in [(first, payload(second)), (second, payload(first))] {
        assert_eq!(conn.execute(&update, (rowid, payload)).unwrap(), 1);
    }
}

#[tokio::test]
async fn payloads_exchanged_within_a_room_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = opened(&folder).await;
    let room = room_id("a");
    for (table, first, second) in [
        ("message", Target::Message.rowid(One), Target::Message.rowid(One) + 1),
        ("pending", 1, 2),
        ("state", 2, 3),
        ("media_chunk", 1 << 24, 1 << 24 | 1),
    ] {
        exchange(&conn, table, first, second);
        let refused = match table {
            "message" => {
                store.message(&room, &event_id("a1")).await.unwrap_err();
                let slice = store.timeline(&room, Page::newest(50)).await.unwrap();
                assert_eq!(slice.messages().count(), 9, "of eleven");
                store.message(&room, &event_id("a0")).await.unwrap_err()
            }
            "pending" => store.pending(PendingQuery::default()).await.unwrap_err(),
            "state" => {
                let left = store.state(StateQuery::all(Scope::Room(room.clone()))).await.unwrap();
                assert_eq!(left, []);
                Target::State.read(&store, One).await.unwrap_err()
            }
            _ => store.media(&media_key("cat"), ByteRange::ALL).await.unwrap_err(),
        };
        assert_eq!(refused.kind(), ErrorKind::Corrupt, "{table}: {refused}");
        // One item, whose bytes are read in order: its first bad chunk is its finding.
        let findings = if table == "media_chunk" { 1 } else { 2 };
        assert_eq!(check(&store).await.len(), findings, "{table}: {:#?}", check(&store).await);
        exchange(&conn, table, first, second);
    }
    assert_check_finds(&store, &[]).await;
}

/// Makes a later version of each row, in a commit of its own.
fn later(target: Target) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    match target {
        Target::Room => drop(batch.put_room(Room { topic: Some("later".to_owned()), ..room("a") })),
        Target::Message => drop(batch.redact(Redact {
            room: room_id("a"),
            target: event_id("a0"),
            by: event_id("r"),
            content: Json::new("{}").unwrap(),
        })),
        Target::Gap => drop(batch.put_gap(gap("a", 20, "later"))),
        Target::Pending => drop(batch.put_pending(Pending { attempts: 1, ..pending("a", "t1") })),
        Target::Media => drop(batch.touch_media(vec![media_key("cat")], 99)),
        Target::Chunk | Target::Inline => drop(batch.append_media(media_key("cat"), 100_000, vec![1; 10])),
        Target::State => drop(batch.put_state(state(
            Scope::Room(room_id("a")),
            "m.room.member",
            "@ada:example.org",
            r#"{"n":3}"#,
        ))),
    }
    batch
}

#[tokio::test]
async fn an_older_version_put_back_is_noticed() {
    for target in Target::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (store, conn) = opened(&folder).await;
        // Of the bytes, the last chunk is the one that was rewritten.
        let place = if target == Target::Chunk { 1 << 24 | 1 } else { target.rowid(One) };
        let select = format!("SELECT payload FROM {} WHERE rowid = {place}", target.table());
        let read = || conn.query_row(&select, (), |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let old = read();
        assert!(store.apply(later(target)).await.unwrap().changed, "{target:?}");
        assert!(read() != old, "{target:?}");
        target.read(&store, One).await.unwrap();
        let update = format!("UPDATE {} SET payload = ?1 WHERE rowid = {place}", target.table());
        assert_eq!(conn.execute(&update, [&old]).unwrap(), 1);
        target.assert_corrupt(&store, One, "an older version").await;
        assert_others_read(&store, &[(target, One)]).await;
        if target != Target::Room {
            assert_check_finds(&store, &[target.collection()]).await;
        }
    }
}

/// From a copy of the store that was sealed with other keys.
#[tokio::test]
async fn a_payload_of_another_store_is_noticed() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (store, conn) = opened(&folders[0]).await;
    let (_other, theirs) = opened(&folders[1]).await;
    for target in Target::ALL {
        let payload = target.payload(&conn, One);
        target.set_payload(&conn, One, &target.payload(&theirs, One));
        target.assert_corrupt(&store, One, "another store's payload").await;
        target.set_payload(&conn, One, &payload);
        target.read(&store, Twin).await.unwrap();
    }
}
