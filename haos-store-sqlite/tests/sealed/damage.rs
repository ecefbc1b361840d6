//! Damaged sealed stores: carried over with the right secret, left alone without it.

use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sqlite::{OnDamage, SqliteOptions};
use rusqlite::Connection;

use crate::common::*;
use crate::vault::*;

const PAGE: usize = 4096;

/// Makes a closed sealed store with much history behind the sample.
async fn long(folder: &Path) -> PathBuf {
    let path = folder.join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let mut batch = WriteBatch::relaxed();
    for n in 0..1000 {
        batch.put_message(message("b", &format!("more{n}"), 100 + n));
    }
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    path
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, &bytes).unwrap();
}

fn root_page(path: &Path, table: &str) -> usize {
    let conn = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    conn.query_row(sql, [table], |row| row.get::<_, u32>(0)).unwrap() as usize
}

fn cut_short(path: &Path) {
    change(path, |bytes| bytes.truncate(bytes.len() / 2 / PAGE * PAGE));
}

fn overwrite_header(path: &Path) {
    change(path, |bytes| bytes[..60].fill(0xAA));
}

const DAMAGES: [fn(&Path); 2] = [cut_short, overwrite_header];

#[tokio::test]
async fn it_is_set_aside_and_its_outbox_carried_over_with_the_right_secret() {
    for damage in DAMAGES {
        let folder = tempfile::tempdir().unwrap();
        let path = long(folder.path()).await;
        damage(&path);
        let damaged = std::fs::read(&path).unwrap();
        let store = unsealed(&path).await;
        let recovery = store.info().recovery.expect("a recovery is reported");
        assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0), "{recovery:?}");
        assert!(std::fs::read(recovery.set_aside.unwrap()).unwrap() == damaged);
        assert!(store.info().sealed);
        let rows = store.pending(PendingQuery::default()).await.unwrap();
        assert_eq!(rows[0].content.text("body").unwrap(), "unsent t1");
        assert_eq!(check(&store).await, Vec::<String>::new());
        store.close().await.unwrap();

        assert_eq!(key_ids(&path), [1].into());
        assert_eq!(refusal(SqliteOptions::new(&path)).await, ErrorKind::Sealed);
        assert_eq!(refusal(with(&path, wrong_key())).await, ErrorKind::WrongKey);
        let store = unsealed(&path).await;
        assert_eq!(store.info().recovery, None, "it is reported once");
        assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
    }
}

#[tokio::test]
async fn every_secret_opens_what_was_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(folder.path()).await;
    let store = unsealed(&path).await;
    store.change_keys(KeyChange::SetPassphrase(words("words"), quick())).await.unwrap();
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    store.close().await.unwrap();
    overwrite_header(&path);
    for secret in [words("words"), key()] {
        let store = open_with(&path, secret).await;
        assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn with_a_wrong_secret_or_none_nothing_is_set_aside_or_changed() {
    for damage in DAMAGES {
        let folder = tempfile::tempdir().unwrap();
        let path = long(folder.path()).await;
        damage(&path);
        let before = lasting(folder.path());
        for (options, kind) in [
            (SqliteOptions::new(&path), ErrorKind::Sealed),
            (SqliteOptions::new(&path).check(true), ErrorKind::Sealed),
            (with(&path, wrong_key()), ErrorKind::WrongKey),
            (with(&path, words("wrong")).check(true), ErrorKind::WrongKey),
            (with(&path, key()).on_damage(OnDamage::Refuse), ErrorKind::Corrupt),
        ] {
            assert_eq!(refusal(options).await, kind);
            let now = lasting(folder.path());
            assert_eq!(now.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{kind:?}");
            assert!(now == before, "{kind:?}");
        }
        assert_eq!(txns(&unsealed(&path).await).await.len(), 3, "the right one still carries it over");
    }
}

/// A caller that cannot open a store does not replace it.
#[tokio::test]
async fn without_a_secret_a_store_whose_keyring_cannot_be_read_is_not_replaced_by_a_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(folder.path()).await;
    let page = root_page(&path, "keyring");
    change(&path, |bytes| {
        bytes[(page - 1) * PAGE..page * PAGE].fill(0xFF);
        let cut = bytes.len() - PAGE;
        bytes.truncate(cut);
    });
    let before = lasting(folder.path());
    for options in [SqliteOptions::new(&path), SqliteOptions::new(&path).check(true)] {
        let opened = haos_store_sqlite::SqliteStore::open(options).await;
        assert!(opened.is_err(), "a sealed store is replaced by a plain one: {:?}", opened.unwrap().info());
        assert!(before == lasting(folder.path()));
    }
}

/// Makes a sealed store, by opening it or of an older version's files, with a room and never an unsent row; zeroes a part
/// of its keyring.
async fn cut_keyring_of_one_that_never_sent(folder: &Path, without_mirror: bool) -> PathBuf {
    let path = folder.join("s.db");
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room_id("a"), Membership::Join));
    let store = unsealed(&path).await;
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    if without_mirror {
        forget_mirror(&path);
        unsealed(&path).await.close().await.unwrap();
    }
    let end = root_page(&path, "keyring") * PAGE;
    change(&path, |bytes| bytes[end - PAGE / 2..end].fill(0));
    path
}

#[tokio::test]
async fn the_keyring_of_a_store_that_never_sent_anything_is_restored() {
    for without_mirror in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = cut_keyring_of_one_that_never_sent(folder.path(), without_mirror).await;
        assert_eq!(refusal(with(&path, key()).on_damage(OnDamage::Refuse)).await, ErrorKind::Corrupt);
        assert_eq!(refusal(with(&path, wrong_key())).await, ErrorKind::WrongKey);
        let store = unsealed(&path).await;
        let recovery = store.info().recovery.expect("a recovery is reported");
        assert!(recovery.cause.contains("keyring"), "{recovery:?}");
        assert!(store.room(&room_id("a")).await.unwrap().is_some());
        assert_eq!(check(&store).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_unreadable_row_of_the_outbox_is_counted_and_stays_in_what_was_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(folder.path()).await;
    let conn = raw(&path);
    conn.execute_batch(
        "UPDATE pending SET payload = (SELECT payload FROM pending WHERE seq = 1) WHERE seq = 2;
         DROP TABLE state",
    )
    .unwrap();
    drop(conn);
    forget_mirror(&path);
    let store = unsealed(&path).await;
    let recovery = store.info().recovery.unwrap();
    assert_eq!((recovery.salvaged, recovery.unreadable), (2, 1), "{recovery:?}");
    assert_eq!(txns(&store).await, ["t1", "t3"]);
}

/// Random damage of a sealed file: no panic, and with a wrong secret not a byte is changed.
#[tokio::test]
async fn random_damage_and_a_wrong_secret() {
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read(long(folder.path()).await).unwrap();
    let mut seed = 3_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let mut bytes = sound.clone();
        let (from, len) = (random(bytes.len()), 1 + random(3 * PAGE));
        let to = (from + len).min(bytes.len());
        bytes[from..to].fill(random(256) as u8);
        std::fs::write(&path, &bytes).unwrap();
        let wrong = haos_store_sqlite::SqliteStore::open(with(&path, wrong_key())).await;
        // If the damage hit the keyring itself, nobody can tell a wrong secret from the right one.
        let set_aside = wrong.is_ok();
        drop(wrong);
        if set_aside {
            let aside = folder.path().join("s.db.damaged-1/s.db");
            assert!(std::fs::read(aside).unwrap() == bytes, "round {round}");
            continue;
        }
        assert!(std::fs::read(&path).unwrap() == bytes, "round {round}: a refused file is changed");
        assert_eq!(lasting(folder.path()).into_keys().collect::<Vec<_>>(), [path], "round {round}");
    }
}
