//! Opening: a new store is made in one transaction, an existing one is unlocked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use haos_store_api::backend::*;
use haos_store_api::*;
use tokio::sync::Mutex;

use super::{IdbTx, Inner, Stage};
use crate::connection::Connection;
use crate::durability::{self, Canary, StoreId, Verdict};
use crate::engine::head::Head;
use crate::engine::kv::{HEAD, KEYRING, Kv};
use crate::engine::memory::Memory;
use crate::engine::reload;
use crate::idb::{Mode, delete_database};
use crate::options::IdbOptions;
use crate::schema::{FORMAT, LOG, META};

/// The changes kept for slow subscribers.
const KEPT_CHANGES: usize = 1024;
/// The wait of a deletion for other tabs.
const DELETE_MS: u32 = 5000;
/// The named record with the store's own id.
pub(super) const ID: &str = "id";

/// The store's own records.
struct Meta {
    head: Vec<u8>,
    id: StoreId,
    keyring: Option<Vec<u8>>,
    log: Vec<Vec<u8>>,
}

/// Opens a store. Not to be inlined: a crate that awaits a future compiles its code, with all that it awaits in turn,
/// once more.
#[inline(never)]
pub(super) fn open(options: IdbOptions) -> LocalBoxFuture<'static, Result<Rc<Inner>>> {
    Box::pin(open_now(options))
}

async fn open_now(options: IdbOptions) -> Result<Rc<Inner>> {
    let connection = Connection::open(&options).await?;
    let opened = unlock(&connection, &options).await;
    // From here on the keys suffice.
    let IdbOptions { name, memory_bytes, .. } = options;
    let (meta, codec, recovery) = opened.inspect_err(|_| connection.close())?;
    let Meta { head, id, log, .. } = meta;
    let memory = RefCell::new(Memory::default());
    reload::begin(&memory, &codec, Some(head), log).inspect_err(|_| connection.close())?;
    let opened_at = memory.borrow().head.revision;
    let hub = ChangeHub::new(KEPT_CHANGES, opened_at);
    let info = StoreInfo {
        backend: "idb",
        format: FORMAT,
        location: Some(name.clone()),
        persistent: true,
        sealed: codec.is_sealed(),
        shared: true,
        evictable: true,
        read_only: false,
        opened_at,
        recovery,
        set_aside: Vec::new(),
        damaged: 0,
    };
    let inner = Rc::new(Inner {
        canary: Canary::start(&name, id),
        name,
        connection,
        codec,
        stage: Cell::new(Stage::Open),
        opened: Cell::new(1),
        hub: RefCell::new(Some(hub)),
        feed: RefCell::default(),
        info: RefCell::new(info),
        id,
        idle: Default::default(),
        memory,
        memory_bytes,
        stale: Cell::new(true),
        readings: Cell::default(),
        flight: RefCell::default(),
        loads: Cell::default(),
        turn: Mutex::default(),
        ballast: Cell::default(),
        accepted: Arc::default(),
    });
    inner.join_feed();
    inner.plan_fold();
    durability::learn_persistence();
    Ok(inner)
}

/// Reads the store's own records, its rows' codec, and the browser's erasure of the one before it.
async fn unlock(connection: &Connection, options: &IdbOptions) -> Result<(Meta, Codec, Option<Recovery>)> {
    let found = {
        let tx = connection.begin(&[META, LOG], Mode::Read, "open").await?;
        read(&IdbTx::new(&tx)).await?
    };
    let verdict = durability::check(&options.name, found.as_ref().map(|meta| meta.id)).await;
    let recovery = if let Verdict::Erased(erased) = verdict { Some(erased.recovery()) } else { None };
    if let Some(meta) = found {
        let codec = codec_of(&meta, options)?;
        return Ok((meta, codec, recovery));
    }
    let (meta, codec) = create(connection, options).await?;
    Ok((meta, codec, recovery))
}

/// Makes a store. In a box: who opens one that is there does not need it.
#[inline(never)]
fn create<'a>(
    connection: &'a Connection,
    options: &'a IdbOptions,
) -> LocalBoxFuture<'a, Result<(Meta, Codec)>> {
    Box::pin(async move {
        let make = |secret: &Rc<Secret>| Keyring::create_within(secret, options.kdf, options.kdf_limits);
        let keyring = options.secret.as_ref().map(make).transpose()?;
        let record = keyring.as_ref().map(Keyring::record).transpose()?;
        let tx = connection.begin(&[META, LOG], Mode::Write(Durability::Strict), "open").await?;
        let kv = IdbTx::new(&tx);
        // Another context may have made it meanwhile.
        if let Some(meta) = read(&kv).await? {
            let codec = codec_of(&meta, options)?;
            return Ok((meta, codec));
        }
        let head = Head::default().encode();
        let meta = Meta { head, id: StoreId::random(), keyring: record, log: Vec::new() };
        kv.put_named(HEAD, &meta.head)?;
        kv.put_named(ID, &meta.id.to_bytes())?;
        if let Some(record) = &meta.keyring {
            kv.put_named(KEYRING, record)?;
        }
        tx.done().await?;
        let codec = keyring.map_or_else(Codec::plain, Codec::sealed).padded(options.padding);
        Ok((meta, codec))
    })
}

async fn read(kv: &IdbTx<'_>) -> Result<Option<Meta>> {
    let (head, id, keyring, log) = (kv.named(HEAD), kv.named(ID), kv.named(KEYRING), kv.log(0));
    let Some(head) = head.await? else { return Ok(None) };
    let id = id.await?.and_then(|id| id.try_into().ok()).map_or_else(
        || Err(crate::engine::corrupt("open", "the store has lost its id")),
        |id| Ok(StoreId::from_bytes(id)),
    )?;
    Ok(Some(Meta { head, id, keyring: keyring.await?, log: log.await? }))
}

fn codec_of(meta: &Meta, options: &IdbOptions) -> Result<Codec> {
    match (&meta.keyring, &options.secret) {
        (None, None) => Ok(Codec::plain()),
        (Some(record), Some(secret)) => {
            let keyring = Keyring::unlock_within(record, secret, options.kdf_limits)?;
            Ok(Codec::sealed(keyring).padded(options.padding))
        }
        (Some(_), None) => {
            let message = "the store is sealed: give its passphrase or key";
            Err(Error::new(ErrorKind::Sealed, "open", message))
        }
        (None, Some(_)) => {
            let message = "the store is plain and a key was given: open it without one, or use another name";
            Err(Error::new(ErrorKind::NotSealed, "open", message))
        }
    }
}

pub(super) async fn delete(name: &str) -> Result<()> {
    delete_database(name, DELETE_MS).await?;
    durability::forget(name).await;
    Ok(())
}
