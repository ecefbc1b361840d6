//! The outbox is kept twice: whatever one place of a store, of its log or of its mirror is spoiled, every unsent row
//! comes back as it was, and none that was sent or cancelled does.

use std::collections::BTreeMap;
use std::path::Path;

use haos_store_api::backend::files::beside;
use haos_store_api::conformance::durable::{Random, event_id, message, pending, room, txn};
use haos_store_api::*;
use haos_store_sqlite::SqliteStore;
use rusqlite::Connection;

use crate::make::{MIRROR, UNSENT, options};
use crate::random::rounds;

const PAGE: usize = 4096;
/// The ends of the names of a store's files.
const FILES: [&str; 3] = ["", "-wal", MIRROR];

/// The files of a store, and its outbox.
struct Kept {
    sealed: bool,
    files: BTreeMap<&'static str, Vec<u8>>,
    rows: Vec<Pending>,
    /// The first page of each table and index.
    pages: BTreeMap<String, u32>,
}

/// The moment at which the files are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copied {
    /// The store is closed.
    Closed,
    /// It is open, as after a kill; a part of its history is in the log alone.
    Hot,
    /// It is open; its outbox is in the file, and the latest commit is of other rows.
    Settled,
}

impl Kept {
    /// Makes a store of which some rows were edited, sent, confirmed, cancelled, or cancelled and written again.
    async fn new(sealed: bool, copied: Copied) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = SqliteStore::open(options(&path, sealed)).await.unwrap();
        write(&store, "old").await;
        // Into the file.
        store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
        let rows = store.pending(PendingQuery::default()).await.unwrap();
        let mut batch = WriteBatch::relaxed();
        for row in &rows[..3] {
            batch.remove_pending(row.txn_id.clone());
        }
        batch.put_pending(Pending { content: Json::of("edited").unwrap(), ..rows[3].clone() });
        let sent = PendingState::Sent;
        batch.put_pending(Pending { state: sent, event_id: Some(event_id("e")), ..rows[4].clone() });
        store.apply(batch).await.unwrap();
        write(&store, "new").await;
        let mut batch = WriteBatch::strict();
        for row in &rows[..3] {
            batch.put_pending(pending("a", row.txn_id.as_str()));
        }
        store.apply(batch).await.unwrap();
        let rows = store.pending(PendingQuery::default()).await.unwrap();
        assert_eq!(rows.len() as u64, UNSENT);
        let mut kept = Self { sealed, files: BTreeMap::new(), rows, pages: BTreeMap::new() };
        if copied == Copied::Settled {
            store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
            store.apply(messages("newest", 2000)).await.unwrap();
        }
        if copied != Copied::Closed {
            kept.read(&path);
            assert_eq!(kept.files.len(), FILES.len());
        }
        store.close().await.unwrap();
        if copied == Copied::Closed {
            kept.read(&path);
        }
        let conn = Connection::open(&path).unwrap();
        let mut roots = conn.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0").unwrap();
        let roots = roots.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        kept.pages = roots.map(Result::unwrap).collect();
        kept
    }

    fn page_of(&self, table: &str) -> usize {
        self.pages[table] as usize
    }

    fn read(&mut self, path: &Path) {
        for end in FILES {
            let bytes = std::fs::read(beside(path, end)).ok().filter(|bytes| !bytes.is_empty());
            self.files.extend(bytes.map(|bytes| (end, bytes)));
        }
    }

    fn write(&self, path: &Path) {
        for (end, bytes) in &self.files {
            std::fs::write(beside(path, end), bytes).unwrap();
        }
    }

    /// Opens the store with one file as it is after damage; the outbox is as it was.
    async fn opened(&self, end: &str, damaged: &[u8], what: &str, refused: &mut u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        self.write(&path);
        std::fs::write(beside(&path, end), damaged).unwrap();
        if let Err(error) = SqliteStore::open(options(&path, self.sealed)).await {
            // The header says whose a file is and how new.
            let is_kept = [ErrorKind::NewerSchema, ErrorKind::Invalid].contains(&error.kind());
            assert!(end.is_empty() && is_kept, "{what}: {error:?}");
            assert!(std::fs::read(&path).unwrap() == damaged, "{what}: a refused file is changed");
            *refused += 1;
            for end in ["", "-wal"] {
                let _ = std::fs::remove_file(beside(&path, end));
            }
        }
        // The second time all of it is checked.
        for check in [false, true] {
            let store = SqliteStore::open(options(&path, self.sealed).check(check)).await;
            let store = store.unwrap_or_else(|error| panic!("{what}, check {check}: {error:?}"));
            let rows = store.pending(PendingQuery::default()).await;
            let rows = rows.unwrap_or_else(|error| panic!("{what}, check {check}: {error:?}"));
            assert_eq!(written(&rows), written(&self.rows), "{what}, check {check}");
            store.close().await.unwrap();
        }
    }
}

/// Writes messages, fifteen unsent rows, and cancels five of them.
async fn write(store: &SqliteStore, name: &str) {
    store.apply(messages(name, if name == "old" { 0 } else { 1000 })).await.unwrap();
    for n in 0..15 {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(pending("a", &format!("{name}{n}")));
        store.apply(batch).await.unwrap();
        let mut batch = WriteBatch::relaxed();
        if n % 3 == 2 {
            batch.remove_pending(txn(&format!("{name}{}", n - 1)));
        }
        store.apply(batch).await.unwrap();
    }
}

fn messages(name: &str, start: u64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room("a"));
    for n in 0..80 {
        batch.put_message(message("a", &format!("{name}{n}"), start + n));
    }
    batch
}

/// Rows but for the revision of a recovery.
fn written(rows: &[Pending]) -> Vec<Pending> {
    rows.iter().map(|row| Pending { revision: Revision::ZERO, ..row.clone() }).collect()
}

/// Spoils each file of a store by turns.
async fn spoiled(seed: u64, spoil: fn(&mut Random, &mut Vec<u8>)) {
    for sealed in [false, true] {
        for copied in [Copied::Closed, Copied::Hot, Copied::Settled] {
            let (kept, mut random, mut refused) = (Kept::new(sealed, copied).await, Random(seed), 0);
            let files: Vec<_> = kept.files.iter().collect();
            for round in 0..rounds() {
                let (end, bytes) = files[round as usize % files.len()];
                let mut damaged = bytes.clone();
                spoil(&mut random, &mut damaged);
                let what = format!(
                    "seed {seed}, sealed {sealed}, {copied:?}, round {round}, s.db{end} of {} bytes",
                    damaged.len()
                );
                kept.opened(end, &damaged, &what, &mut refused).await;
            }
            println!("seed {seed}, sealed {sealed}, {copied:?}: {} rounds, {refused} refused", rounds());
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_costs_no_unsent_row() {
    spoiled(31, |random, bytes| {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    })
    .await;
}

#[tokio::test]
async fn a_zeroed_page_costs_no_unsent_row() {
    spoiled(32, |random, bytes| {
        let start = random.below(bytes.len()) / PAGE * PAGE;
        let end = bytes.len().min(start + PAGE);
        bytes[start..end].fill(0);
    })
    .await;
}

#[tokio::test]
async fn a_cut_costs_no_unsent_row() {
    spoiled(33, |random, bytes| bytes.truncate(random.below(bytes.len()))).await;
}

/// Half of the bits are where the page joins its cells.
#[tokio::test]
async fn a_flipped_bit_in_the_outbox_s_page_costs_no_unsent_row() {
    for sealed in [false, true] {
        for copied in [Copied::Closed, Copied::Settled] {
            let (kept, mut random, mut refused) = (Kept::new(sealed, copied).await, Random(34), 0);
            for round in 0..rounds() {
                let mut damaged = kept.files[""].clone();
                let at = (kept.page_of("pending") - 1) * PAGE
                    + random.below(if round % 2 == 0 { 48 } else { PAGE });
                damaged[at] ^= 1 << random.below(8);
                let what = format!("sealed {sealed}, {copied:?}, round {round}, byte {}", at % PAGE);
                kept.opened("", &damaged, &what, &mut refused).await;
            }
            assert_eq!(refused, 0);
        }
    }
}

/// The first bytes of a sealed row name its key.
#[tokio::test]
async fn a_row_that_names_another_key_comes_back() {
    let kept = Kept::new(true, Copied::Closed).await;
    for at in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        kept.write(&path);
        let conn = Connection::open(&path).unwrap();
        let row = "SELECT payload FROM pending ORDER BY seq LIMIT 1";
        let mut payload: Vec<u8> = conn.query_row(row, (), |row| row.get(0)).unwrap();
        payload[at] ^= 4;
        let sql = "UPDATE pending SET payload = ?1 WHERE seq = (SELECT min(seq) FROM pending)";
        assert_eq!(conn.execute(sql, [payload]).unwrap(), 1);
        drop(conn);
        let damaged = std::fs::read(&path).unwrap();
        kept.opened("", &damaged, &format!("byte {at}"), &mut 0).await;
    }
}

/// Of its keyring's page the latter half is lost, which SQLite does not notice: without its keys, all would be lost.
#[tokio::test]
async fn a_keyring_that_is_cut_is_no_plain_store() {
    for copied in [Copied::Closed, Copied::Hot] {
        let kept = Kept::new(true, copied).await;
        let mut damaged = kept.files[""].clone();
        let end = kept.page_of("keyring") * PAGE;
        damaged[end - PAGE / 2..end].fill(0);
        kept.opened("", &damaged, &format!("{copied:?}"), &mut 0).await;
    }
}

/// A copy of a running store without its log is as of an earlier commit.
#[tokio::test]
async fn a_hot_copy_without_its_log_costs_no_unsent_row() {
    for sealed in [false, true] {
        let kept = Kept::new(sealed, Copied::Hot).await;
        kept.opened("-wal", &[], &format!("sealed {sealed}"), &mut 0).await;
    }
}
