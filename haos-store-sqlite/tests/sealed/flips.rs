//! A payload with one changed byte.

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::target::Row::{One, Twin};
use crate::target::{Target, assert_check_finds, assert_others_read};
use crate::vault::*;

/// `version | key id | …`
const KEY_ID: std::ops::Range<usize> = 1..3;

/// Opens a sealed store; media has few bytes, so that every one of them can be flipped.
async fn small(folder: &tempfile::TempDir) -> (SqliteStore, rusqlite::Connection) {
    let path = folder.path().join("s.db");
    let store = unsealed(&path).await;
    store.apply(twins(40)).await.unwrap();
    (store, raw(&path))
}

#[tokio::test]
async fn every_flipped_byte_of_every_table_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    assert_others_read(&store, &[]).await;
    for target in Target::SMALL {
        let payload = target.payload(&conn, One);
        assert!(payload.len() > 31, "{target:?}");
        for at in 0..payload.len() {
            for flip in [0x01, 0x80] {
                let mut bytes = payload.clone();
                bytes[at] ^= flip;
                target.set_payload(&conn, One, &bytes);
                let error = target.read(&store, One).await.expect_err("it goes unnoticed");
                // A gap loses only its token: it stays where it is.
                let is_unknown = KEY_ID.contains(&at) && target != Target::Gap;
                let kind = if is_unknown { ErrorKind::WrongKey } else { ErrorKind::Corrupt };
                assert_eq!(error.kind(), kind, "{target:?} byte {at}: {error}");
                assert!(error.to_string().contains(target.collection()), "{target:?} byte {at}: {error}");
            }
        }
        assert_others_read(&store, &[(target, One)]).await;
        target.set_payload(&conn, One, &payload);
        target.read(&store, One).await.unwrap();
    }
    assert_check_finds(&store, &[]).await;
}

#[tokio::test]
async fn a_payload_of_another_length_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    for target in Target::SMALL {
        let payload = target.payload(&conn, One);
        for len in 0..payload.len() {
            // A header alone has a key id, and nothing else to tell.
            target.set_payload(&conn, One, &payload[..len]);
            target.assert_corrupt(&store, One, &format!("{len} of {} bytes", payload.len())).await;
        }
        target.set_payload(&conn, One, &[payload.as_slice(), &[0]].concat());
        target.assert_corrupt(&store, One, "a byte more").await;
        target.set_payload(&conn, One, &payload);
    }
}

#[tokio::test]
async fn a_flip_in_a_closed_file_is_noticed_and_a_check_names_it_alone() {
    for target in Target::ALL {
        // An unreadable room is told apart below.
        if target == Target::Room {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        make(&path, key()).await;
        let conn = raw(&path);
        let mut bytes = target.payload(&conn, One);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        target.set_payload(&conn, One, &bytes);
        drop(conn);
        let store = unsealed(&path).await;
        target.assert_corrupt(&store, One, "a flip").await;
        assert_others_read(&store, &[(target, One)]).await;
        assert_check_finds(&store, &[target.collection()]).await;
    }
}

#[tokio::test]
async fn a_check_names_an_unreadable_room_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    let mut bytes = Target::Room.payload(&conn, One);
    bytes[20] ^= 1;
    Target::Room.set_payload(&conn, One, &bytes);
    assert_others_read(&store, &[(Target::Room, One)]).await;
    assert_check_finds(&store, &["rooms"]).await;
}

#[tokio::test]
async fn a_plain_row_in_a_sealed_store_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    let plain_folder = tempfile::tempdir().unwrap();
    let plain_path = plain_folder.path().join("plain.db");
    let plain = SqliteStore::open(haos_store_sqlite::SqliteOptions::new(&plain_path)).await.unwrap();
    plain.apply(twins(40)).await.unwrap();
    let plain = raw(&plain_path);
    for target in Target::SMALL {
        let sealed = target.payload(&conn, One);
        let sql =
            format!("SELECT CAST({} AS BLOB) FROM {} WHERE rowid = ?1", target.column(), target.table());
        let json: Vec<u8> = plain.query_row(&sql, [target.rowid(One)], |row| row.get(0)).unwrap();
        target.set_payload(&conn, One, &json);
        target.assert_corrupt(&store, One, "a plain row as bytes").await;
        if target != Target::Inline {
            let sql =
                format!("UPDATE {} SET payload = CAST(payload AS TEXT) WHERE rowid = ?1", target.table());
            conn.execute(&sql, [target.rowid(One)]).unwrap();
            target.assert_corrupt(&store, One, "a plain row as text").await;
        }
        assert_others_read(&store, &[(target, One)]).await;
        target.set_payload(&conn, One, &sealed);
    }
}

#[tokio::test]
async fn a_key_that_is_not_held_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    for target in Target::SMALL.into_iter().filter(|target| *target != Target::Gap) {
        let payload = target.payload(&conn, One);
        let mut bytes = payload.clone();
        bytes[KEY_ID].copy_from_slice(&4711_u16.to_be_bytes());
        target.set_payload(&conn, One, &bytes);
        let error = target.read(&store, One).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongKey, "{target:?}");
        assert!(error.to_string().contains("4711"), "{target:?}: {error}");
        assert!(error.to_string().contains(target.collection()), "{target:?}: {error}");
        target.read(&store, Twin).await.unwrap();
        target.set_payload(&conn, One, &payload);
    }
}

#[tokio::test]
async fn a_check_goes_on_behind_a_row_whose_key_is_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    for target in [Target::Message, Target::Pending, Target::State] {
        let mut bytes = target.payload(&conn, One);
        bytes[KEY_ID].copy_from_slice(&4711_u16.to_be_bytes());
        target.set_payload(&conn, One, &bytes);
    }
    assert_check_finds(&store, &["messages", "pending", "state"]).await;
}

/// One row that nobody can open does not keep the others under an old key.
#[tokio::test]
async fn a_rotation_goes_on_behind_a_row_whose_key_is_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    let target = Target::Message;
    let mut bytes = target.payload(&conn, One);
    bytes[KEY_ID].copy_from_slice(&4711_u16.to_be_bytes());
    target.set_payload(&conn, One, &bytes);
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(report.findings[0].contains("4711"), "{report:?}");
    assert_eq!(key_ids(&folder.path().join("s.db")), [2, 4711].into());
    assert_others_read(&store, &[(target, One)]).await;
}

#[tokio::test]
async fn a_rotation_reports_a_tampered_row_and_goes_on_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    let target = Target::State;
    let mut bytes = target.payload(&conn, One);
    bytes[20] ^= 1;
    target.set_payload(&conn, One, &bytes);
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(report.findings[0].contains("state"), "{report:?}");
    assert!(target.payload(&conn, One) == bytes, "it is not touched");
    assert_others_read(&store, &[(target, One)]).await;

    assert_eq!(key_ids(&folder.path().join("s.db")), [1, 2].into());
    let report = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(report.findings.len(), 1, "it does not keep the next rotation from its end: {report:?}");
    assert_eq!(key_ids(&folder.path().join("s.db")), [1, 3].into());
}

/// A page that claims to have 256 rows more has the same ones again and again, in no order.
#[tokio::test]
async fn a_rotation_ends_where_rows_come_again_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    store.close().await.unwrap();
    drop((store, conn));
    let path = folder.path().join("s.db");
    let sound = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for page in 1..sound.len() / 4096 {
        let mut bytes = sound.clone();
        bytes[page * 4096 + 3] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let Ok(store) = SqliteStore::open(with(&path, key())).await else { continue };
        let rotation = store.maintain(Maintenance::Rotate, Progress::none());
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), rotation).await;
        match ended.expect("it ends") {
            Ok(report) => assert!(report.findings.len() <= Report::MOST_FINDINGS, "page {page}"),
            Err(error) => refused += usize::from(error.kind() == ErrorKind::Corrupt),
        }
        let _ = store.close().await;
    }
    assert!(refused > 0, "no page had a table's rows");
}

/// Two bytes of a payload name its key: a flip there must not refuse more than a flip elsewhere.
#[tokio::test]
async fn a_list_goes_on_behind_a_row_whose_key_is_not_held() {
    let folder = tempfile::tempdir().unwrap();
    let (store, conn) = small(&folder).await;
    let room = crate::common::room_id("a");
    let mut bytes = Target::Message.payload(&conn, One);
    bytes[KEY_ID].copy_from_slice(&4711_u16.to_be_bytes());
    Target::Message.set_payload(&conn, One, &bytes);
    let slice = store.timeline(&room, Page::newest(50)).await.expect("the others are shown");
    assert_eq!(slice.messages().count(), 10, "of eleven");
    assert_eq!(store.info().damaged, 1);
}
