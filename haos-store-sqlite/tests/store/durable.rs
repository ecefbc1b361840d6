//! The durability suite of `haos-store-api`, for backends that keep their stores at a path.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::backend::files::StoreId;
use haos_store_api::conformance::durable::{
    Damages, Disk, DurableHarness, Layout, Opening, Sealing, Tamper, this_test,
};
use haos_store_api::{Collection, Progress, Report, Result, StorageAdapter};
use haos_store_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;

struct SqliteHarness(TempDir);

#[async_trait]
impl DurableHarness for SqliteHarness {
    fn layout(&self) -> Layout {
        Layout {
            shared: true,
            reads_only: true,
            fixed: &["-wal", "-shm", "-journal", ".outbox"],
            fixed_in_salvage: &[".recovery"],
            while_open: &["", "-shm", "-wal", ".outbox"],
            mirror: ".outbox",
            passing: &["-shm"],
            ..Layout::file("s.db")
        }
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(SqliteStore::open(opening.into()).await?))
    }

    fn child(&self) -> Command {
        this_test("durable::child").unwrap()
    }

    #[cfg(target_os = "linux")]
    fn disk(&self, size: &str) -> Option<Disk> {
        let disk = haos_skip::Disk::mount(size)?;
        Some(Disk::new(disk.path().to_owned(), move |options| disk.remount(options)))
    }

    fn damages(&self) -> Option<&dyn Damages> {
        Some(self)
    }

    fn sealing(&self) -> Option<&dyn Sealing> {
        Some(self)
    }
}

/// Statements, and the finding of a check for each.
const TAMPERS: [(&str, &str); 13] = [
    (
        "UPDATE message SET key = randomblob(16) WHERE pos = (SELECT min(pos) FROM message)",
        "it stands under another's key",
    ),
    ("UPDATE message SET sender = 5 WHERE pos = (SELECT min(pos) FROM message)", "messages: row"),
    ("UPDATE message SET payload = '{}' WHERE pos = (SELECT min(pos) FROM message)", "damaged"),
    ("DELETE FROM message WHERE pos = (SELECT min(pos) FROM message)", "sums"),
    ("UPDATE gap SET pos = (SELECT min(pos) FROM message)", "a message stands at its position"),
    ("DELETE FROM room WHERE nr = 1", "its room is not stored"),
    ("UPDATE room SET payload = json_set(payload, '$.room_id', '!x') WHERE nr = 1", "under another's key"),
    ("UPDATE room SET revision = 99", "later than the store's"),
    ("UPDATE pending SET room = 5 WHERE seq = 1", "pending: decode: a row of pending is damaged"),
    ("UPDATE pending SET seq = 77 WHERE seq = 1", "never given"),
    ("DELETE FROM media_chunk", "lacks some of its bytes"),
    ("UPDATE media SET nr = 9", "belong to no item"),
    ("UPDATE state SET kind = 5", "state: row"),
];

fn raw(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

impl Damages for SqliteHarness {
    fn spoil(&self, path: &Path) {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[..60].fill(0xAA);
        std::fs::write(path, bytes).unwrap();
    }

    fn spoil_row(&self, path: &Path, of: Collection) {
        let table = of.name().trim_end_matches('s');
        let sql =
            format!("UPDATE {table} SET payload = x'00' WHERE rowid = (SELECT max(rowid) FROM {table})");
        assert_eq!(raw(path).execute(&sql, ()).unwrap(), 1);
    }

    fn make_newer(&self, path: &Path) {
        raw(path).pragma_update(None, "user_version", 99).unwrap();
    }

    fn tampers(&self) -> Vec<Tamper> {
        TAMPERS.map(|(name, finding)| Tamper { name, finding, at_open: false }).to_vec()
    }

    fn tamper(&self, path: &Path, name: &str) {
        raw(path).execute_batch(name).unwrap();
    }
}

#[async_trait]
impl Sealing for SqliteHarness {
    async fn seal(&self, opening: Opening, progress: Progress) -> Result<Report> {
        SqliteStore::seal(opening.into(), progress).await
    }

    async fn unseal(&self, opening: Opening, progress: Progress) -> Result<Report> {
        SqliteStore::unseal(opening.into(), progress).await
    }

    fn id(&self, path: &Path) -> StoreId {
        let sql = "SELECT value FROM meta WHERE name = 'id'";
        StoreId(raw(path).query_row(sql, (), |row| row.get(0)).unwrap())
    }

    fn keyring(&self, path: &Path) -> Vec<u8> {
        raw(path).query_row("SELECT payload FROM keyring", (), |row| row.get(0)).unwrap()
    }

    fn set_keyring(&self, path: &Path, record: &[u8]) {
        raw(path).execute("UPDATE keyring SET payload = ?1", [record]).unwrap();
    }

    fn payloads(&self, path: &Path) -> Vec<Vec<u8>> {
        let conn = raw(path);
        let tables = ["room", "message", "gap", "pending", "media", "media_chunk", "state"];
        let selects = tables.map(|table| format!("SELECT payload FROM {table}")).join(" UNION ALL ");
        let mut select = conn.prepare(&selects).unwrap();
        let payloads = select.query_map((), |row| row.get(0)).unwrap();
        payloads.map(Result::unwrap).collect()
    }
}

haos_store_api::durable_suite!(tokio::test, SqliteHarness(tempfile::tempdir().unwrap()));
