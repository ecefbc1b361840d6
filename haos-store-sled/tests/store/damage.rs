//! Damaged folders: never a panic, never a wrong row; a rollback is reported, the outbox is carried over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use haos_store_api::backend::*;

use haos_store_api::*;
use haos_store_sled::{OnDamage, SledOptions, SledStore};

use crate::common::*;

/// The number of damaged files: `HAOS_DAMAGE=1000 cargo test … damage` for a long run.
const DAMAGES: &str = "HAOS_DAMAGE";
/// Commits of the store that is damaged.
const COMMITS: u64 = 60;
/// The latest commits, whose messages are unsent.
const UNSENT: u64 = 20;

/// Makes commit `n`, which shows in the room's name and in the token.
fn commit(n: u64) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    batch.put_room(Room { name: Some(n.to_string()), ..room("a") });
    for part in 0..20 {
        batch.put_message(message("a", &format!("m{n}.{part}"), n * 100 + part));
    }
    batch.put_state(state(Scope::Account, "haos.sync_token", "", &n.to_string()));
    batch.put_state(state(Scope::Room(room_id("a")), "haos.draft", "", &n.to_string()));
    batch.put_pending(pending("a", &n.to_string()));
    if n > UNSENT {
        batch.remove_pending(txn(&(n - UNSENT).to_string()));
    }
    batch.put_media(media("cat"), pattern(n as usize * 2000));
    batch
}

async fn make_long(options: SledOptions) {
    let store = SledStore::open(options).await.unwrap();
    for n in 1..=COMMITS {
        store.apply(commit(n)).await.unwrap();
    }
    store.close().await.unwrap();
}

fn restore(path: &Path, sound: &BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        std::fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    for (file, bytes) in sound {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    std::fs::create_dir_all(path.join("sled/blobs")).unwrap();
}

/// Returns the answer, unless it is an error that names the damage.
fn allowed<T>(result: Result<T>, what: &str) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Closed), "{what}: {error:?}");
            None
        }
    }
}

/// The outbox is kept twice: every unsent row is there, as it was, and none that was cancelled.
async fn outbox_is_whole(store: &SledStore, what: &str) {
    let rows = store.pending(PendingQuery::default()).await;
    let mut rows = rows.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    // That of `nothing_is_wrong`.
    rows.retain(|row| row.txn_id.as_str() != "later");
    assert_eq!(rows.len() as u64, UNSENT, "{what}: {rows:?}");
    for (row, seq) in rows.into_iter().zip(COMMITS - UNSENT + 1..) {
        assert_eq!(row, Pending { seq, revision: row.revision, ..pending("a", &seq.to_string()) }, "{what}");
    }
}

/// Every readable row is one that some commit wrote.
async fn nothing_is_wrong(store: &SledStore, what: &str) {
    if let Some(Some(found)) = allowed(store.room(&room_id("a")).await, what) {
        let n: u64 = found.name.as_ref().unwrap().parse().unwrap();
        assert_eq!(found, Room { name: Some(n.to_string()), revision: Revision(n), ..room("a") }, "{what}");
    }
    for page in [Page::newest(5000), Page::oldest(30)] {
        let slice = allowed(store.timeline(&room_id("a"), page).await, what).unwrap_or_default();
        for found in slice.messages() {
            let offset = found.position.get() - Position::FIRST.get();
            assert_eq!(
                *found,
                message("a", &format!("m{}.{}", offset / 100, offset % 100), offset),
                "{what}"
            );
        }
    }
    if let Some(Some(found)) = allowed(store.media(&media_key("cat"), ByteRange::ALL).await, what) {
        assert!(found.bytes == pattern(found.bytes.len()) && found.bytes.len() % 2000 == 0, "{what}");
    }
    allowed(store.maintain(Maintenance::Check, Progress::none()).await, what);
    let mut batch = WriteBatch::strict();
    batch.put_room(room("new")).put_pending(pending("new", "later"));
    if let Some(commit) = allowed(store.apply(batch).await, what) {
        assert!(commit.revision > Revision(COMMITS), "{what}: a revision is given twice");
        assert!(commit.assigned[0].1 > COMMITS, "{what}: a sequence number is given twice");
    }
}

/// Damages plain stores, then sealed ones.
#[allow(clippy::redundant_closure, reason = "its lifetime is more general")]
async fn both(seed: u64, damage: impl Fn(&mut Random, &mut Vec<u8>)) {
    many(|path| SledOptions::new(path), seed, &damage).await;
    many(|path| SledOptions::new(path).secret(Secret::key([3; 32])), seed, &damage).await;
}

/// Damages one file at a time, some of them twice as often: sled's log holds the rows.
async fn many(options: impl Fn(&Path) -> SledOptions, seed: u64, damage: impl Fn(&mut Random, &mut Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make_long(options(&path)).await;
    let sound = files(&path);
    let names: Vec<_> = sound.keys().filter(|file| !sound[*file].is_empty()).cloned().collect();
    let log = path.join("sled/db");
    let mut random = Random(seed);
    let mut keyrings = 0;
    let (mut rolled_back, mut set_aside, mut salvaged, mut whole, mut torn, mut refused) = (0, 0, 0, 0, 0, 0);
    let rounds = std::env::var(DAMAGES).map_or(40, |n| n.parse().unwrap());
    for round in 0..rounds {
        restore(&path, &sound);
        let file = if round % 2 == 0 { &log } else { &names[random.below(names.len())] };
        let mut bytes = sound[file].clone();
        damage(&mut random, &mut bytes);
        std::fs::write(file, &bytes).unwrap();
        let what = format!("round {round}, {}", file.strip_prefix(folder.path()).unwrap().display());
        if round % 5 == 4 {
            let refuse = options(&path).on_damage(OnDamage::Refuse);
            if let Some(store) = allowed_at_open(SledStore::open(refuse).await, &what) {
                outbox_is_whole(&store, &what).await;
                nothing_is_wrong(&store, &what).await;
                continue;
            }
        }
        let Some(store) = allowed_at_open(SledStore::open(options(&path)).await, &what) else {
            refused += 1;
            println!("{what}: refused");
            continue;
        };
        outbox_is_whole(&store, &what).await;
        match store.info().recovery {
            Some(Recovery { set_aside: Some(aside), salvaged: rows, collections, .. }) => {
                counts_are_true(&store, &collections, rows, &what).await;
                salvaged += u32::from(rows > 0);
                assert!(Path::new(&aside).join("HAOS").exists(), "{what}");
                set_aside += 1;
            }
            Some(recovery) if recovery.cause.contains("keyring") => {
                assert_eq!(store.info().opened_at, Revision(COMMITS), "{what}: {recovery:?}");
                keyrings += 1;
            }
            Some(recovery) => {
                assert!(recovery.cause.contains("rolled back"), "{what}: {recovery:?}");
                rolled_back += 1;
            }
            None => {
                assert_eq!(store.info().opened_at, Revision(COMMITS), "{what}: a rollback goes untold");
                let report = allowed(store.maintain(Maintenance::Check, Progress::none()).await, &what);
                let is_torn = report.is_none_or(|report| !report.findings.is_empty());
                torn += u32::from(is_torn);
                whole += u32::from(!is_torn);
            }
        }
        nothing_is_wrong(&store, &what).await;
        store.close().await.unwrap();
        // What was not read yet may be damaged.
        let store = SledStore::open(options(&path).check(true)).await;
        let store = store.unwrap_or_else(|error| panic!("{what}: {error:?}"));
        outbox_is_whole(&store, &what).await;
        store.close().await.unwrap();
    }
    println!(
        "rolled back {rolled_back}, set aside {set_aside} ({salvaged} with rows of the outbox), \
         seen by a check {torn}, \
         keyrings restored {keyrings}, whole {whole}, refused {refused}"
    );
}

#[tokio::test]
async fn the_keyring_of_a_store_that_never_sent_anything_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat");
    let options = || SledOptions::new(&path).secret(Secret::key([3; 32]));
    let room = RoomId::new("!a").unwrap();
    let store = SledStore::open(options()).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room.clone(), Membership::Join));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    let record = std::fs::read(path.join("keyring")).unwrap();
    std::fs::write(path.join("keyring"), &record[..record.len() / 2]).unwrap();
    let store = SledStore::open(options()).await.unwrap();
    let recovery = store.info().recovery.expect("a recovery is reported");
    assert!(recovery.cause.contains("keyring"), "{recovery:?}");
    assert!(store.room(&room).await.unwrap().is_some());
    assert!(std::fs::read(path.join("keyring")).unwrap() == record);
}

/// What is told of each collection is what the store holds.
async fn counts_are_true(
    store: &SledStore,
    collections: &[(Collection, CarriedOver)],
    salvaged: u64,
    what: &str,
) {
    let usage = store.usage().await.unwrap();
    for (of, counts) in collections {
        let stored = usage.collections.iter().find(|(other, _)| other == of).unwrap().1.rows;
        match of {
            Collection::Pending => assert_eq!((counts.rows, stored), (salvaged, salvaged), "{what}"),
            // Rooms that were made of their ids, and gaps where something is missing.
            Collection::Rooms | Collection::Gaps => assert!(counts.rows <= stored, "{what}"),
            // The token may be left out.
            Collection::State => assert!(stored + 1 >= counts.rows, "{what}"),
            _ => assert_eq!(counts.rows, stored, "{what}: {of:?}"),
        }
    }
}

fn allowed_at_open(result: Result<SledStore>, what: &str) -> Option<SledStore> {
    match result {
        Err(error) if error.kind() == ErrorKind::NewerSchema => None,
        other => allowed(other, what),
    }
}

#[tokio::test]
async fn flipped_bits() {
    both(11, |random, bytes| {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    })
    .await;
}

#[tokio::test]
async fn overwritten_pages() {
    both(13, |random, bytes| {
        let (from, len, with) = (random.below(bytes.len()), 1 + random.below(9000), random.below(256) as u8);
        let to = (from + len).min(bytes.len());
        bytes[from..to].fill(with);
    })
    .await;
}

#[tokio::test]
async fn files_cut_short() {
    both(12, |random, bytes| bytes.truncate(random.below(bytes.len()))).await;
}

#[tokio::test]
async fn a_log_that_is_gone_is_a_rollback_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make_long(SledOptions::new(&path)).await;
    for entry in std::fs::read_dir(path.join("sled")).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            std::fs::remove_file(file).unwrap();
        }
    }
    let error = SledStore::open(SledOptions::new(&path).on_damage(OnDamage::Refuse)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let store = open(&path).await;
    let recovery = store.info().recovery.unwrap();
    assert!(recovery.cause.contains(&format!("from commit {COMMITS} to 0")), "{recovery:?}");
    assert_eq!(store.info().opened_at, Revision(COMMITS + 1));
    outbox_is_whole(&store, "an empty store").await;
    nothing_is_wrong(&store, "an empty store").await;
    store.close().await.unwrap();
    assert_eq!(open(&path).await.info().recovery, None, "it is told once");
}

#[tokio::test]
async fn an_older_copy_of_the_log_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let store = open(&path).await;
    store.apply(commit(1)).await.unwrap();
    store.close().await.unwrap();
    let old = files(&path.join("sled"));
    let store = open(&path).await;
    store.apply(commit(2)).await.unwrap();
    store.close().await.unwrap();
    for (file, bytes) in old {
        std::fs::write(file, bytes).unwrap();
    }
    let store = open(&path).await;
    let recovery = store.info().recovery.unwrap();
    assert!(recovery.cause.contains("from commit 2 to 1"), "{recovery:?}");
    assert_eq!((recovery.set_aside, store.info().opened_at), (None, Revision(3)));
    assert_eq!(recovery.salvaged, 1);
    assert_eq!(txns(&store).await, ["1", "2"], "the mirror of the outbox is not rolled back");
    is_sound(&store).await;
}

/// Opening does not notice an index that names an absent row.
#[tokio::test]
async fn a_row_of_the_outbox_is_skipped_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    make(&path).await;
    let room_a = Codec::plain().room_key(&room_id("a"));
    Raw::open(&path)
        .tree
        .insert(haos_store_api::backend::kv::keys::pending_room(&room_a, 9), vec![])
        .unwrap();

    let store = open(&path).await;
    assert_eq!(store.info().recovery, None);
    let query = PendingQuery { room: Some(room_id("a")), ..PendingQuery::default() };
    let error = store.pending(query.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "an outbox is refused rather than shortened");
    let rows = store.pending(PendingQuery { skip_damaged: true, ..query }).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.txn_id.as_str()).collect::<Vec<_>>(), ["t1", "t2"]);
    assert_eq!(store.info().damaged, 1);
}

/// As after a mix-up of copies: what another store has not sent yet is nobody's here.
#[tokio::test]
async fn the_outbox_of_another_store_is_not_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("s"), folder.path().join("other"));
    make(&path).await;
    let store = open(&other).await;
    store.apply(commit(1)).await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "foreign"));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    std::fs::copy(other.join("outbox"), path.join("outbox")).unwrap();
    let room_a = Codec::plain().room_key(&room_id("a"));
    Raw::open(&path).tree.insert(kv::keys::pending_room(&room_a, 9), vec![]).unwrap();

    let store = SledStore::open(SledOptions::new(&path).check(true)).await.unwrap();
    assert!(store.info().recovery.is_some_and(|told| told.set_aside.is_some()));
    assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
    store.close().await.unwrap();
}
