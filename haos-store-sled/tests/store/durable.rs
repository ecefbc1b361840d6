//! The durability suite of `haos-store-api`, for backends that keep their stores at a path.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::backend::files::{Sign, StoreId};
use haos_store_api::backend::kv::keys;
use haos_store_api::conformance::durable::{
    Damages, Disk, DurableHarness, Layout, Opening, Sealing, Tamper, this_test,
};
use haos_store_api::{Collection, Progress, Report, Result, StorageAdapter};
use haos_store_sled::SledStore;
use tempfile::TempDir;

use crate::common::Raw;

struct SledHarness(TempDir);

#[async_trait]
impl DurableHarness for SledHarness {
    fn layout(&self) -> Layout {
        Layout {
            fixed: &[
                "/HAOS",
                "/commits",
                "/keyring",
                "/outbox",
                "/switch",
                "/keyring.new",
                "/sled",
                "/sled/db",
                "/sled/conf",
                "/sled/snap.*",
                "/sled/snap.0000000000000000.generating",
                "/sled/blobs",
                "/sled/blobs/7",
            ],
            passing: &["/sled"],
            mirror: "/outbox",
            rights: &["", "/sled", "/commits"],
            ..Layout::folder("s")
        }
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    async fn open(&self, opening: Opening) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(SledStore::open(opening.into()).await?))
    }

    fn child(&self) -> Command {
        this_test("durable::child").unwrap()
    }

    /// A disk that fills up while sled is open is not tried: sled may then hold its files until the process ends.
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

/// A change to the tree, and the finding of a check for it.
type Change = (&'static str, fn(&Raw));

const CHANGES: [Change; 11] = [
    ("messages: an index does not find it", |raw| raw.remove(keys::EVENT)),
    ("an index of messages: an index names a row", |raw| raw.remove(keys::MESSAGE)),
    ("messages: its keys", |raw| raw.flip(keys::MESSAGE, 20)),
    ("messages: decode", |raw| raw.flip(keys::MESSAGE, 80)),
    ("messages: its room is not stored", |raw| raw.remove(keys::NUMBER)),
    ("rooms: an index does not find it", |raw| raw.remove(keys::ACTIVITY)),
    ("rooms: decode", |raw| raw.flip(keys::ROOM, 5)),
    ("gaps: the sums", |raw| raw.remove(keys::GAP)),
    ("lacks some of its bytes", |raw| raw.remove(keys::CHUNK)),
    ("chunks belong to no item", |raw| raw.remove(keys::MEDIA)),
    ("state: decode", |raw| raw.flip(keys::STATE, 20)),
];

/// Returns the start of a row's payload, by the first byte of its key.
fn payload_at(tag: u8, value: &[u8]) -> Option<usize> {
    Some(match tag {
        keys::ROOM => 20,
        // A flag for each present key.
        keys::MESSAGE => 49 + 16 * (value[48] & 3).count_ones() as usize,
        keys::GAP | keys::STATE => 8,
        keys::PENDING => 48,
        keys::MEDIA => 33,
        keys::CHUNK => 0,
        _ => return None,
    })
}

impl Damages for SledHarness {
    /// Hides a row from its room's index: it would not be sent, without a report to anybody.
    fn spoil(&self, path: &Path) {
        Raw::open(path).remove(keys::PENDING_ROOM);
    }

    fn spoil_row(&self, path: &Path, of: Collection) {
        let tag = match of {
            Collection::Pending => keys::PENDING,
            Collection::State => keys::STATE,
            _ => panic!("no case spoils one of {of:?}"),
        };
        Raw::open(path).spoil_last(tag);
    }

    fn make_newer(&self, path: &Path) {
        // In the form of a later version: the format, and the sum over the line.
        let sign = Sign::new("offline store on sled, format 99", StoreId([7; 16]));
        std::fs::write(path.join("HAOS"), sign.line()).unwrap();
    }

    fn tampers(&self) -> Vec<Tamper> {
        CHANGES.map(|(finding, _)| Tamper { name: finding, finding, at_open: true }).to_vec()
    }

    fn tamper(&self, path: &Path, name: &str) {
        let (_, change) = CHANGES.iter().find(|(finding, _)| *finding == name).unwrap();
        change(&Raw::open(path));
    }
}

#[async_trait]
impl Sealing for SledHarness {
    async fn seal(&self, opening: Opening, progress: Progress) -> Result<Report> {
        SledStore::seal(opening.into(), progress).await
    }

    async fn unseal(&self, opening: Opening, progress: Progress) -> Result<Report> {
        SledStore::unseal(opening.into(), progress).await
    }

    fn id(&self, path: &Path) -> StoreId {
        Sign::read(path).unwrap().id
    }

    fn keyring(&self, path: &Path) -> Vec<u8> {
        std::fs::read(path.join("keyring")).unwrap()
    }

    fn set_keyring(&self, path: &Path, record: &[u8]) {
        std::fs::write(path.join("keyring"), record).unwrap();
    }

    fn payloads(&self, path: &Path) -> Vec<Vec<u8>> {
        let raw = Raw::open(path);
        let rows = raw.tree.iter().map(Result::unwrap);
        rows.filter_map(|(key, row)| payload_at(key[0], &row).map(|at| row[at..].to_vec())).collect()
    }
}

haos_store_api::durable_suite!(tokio::test, SledHarness(tempfile::tempdir().unwrap()));
