//! Opening: databases that are made, refused, shared, and given up in time.

use std::cell::Cell;
use std::future::Future;
use std::task::{Context, Poll, Waker};

use futures_util::future::join_all;
use haos_store_api::{Durability, ErrorKind};
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use super::raw;
use crate::IdbOptions;
use crate::connection::Connection;
use crate::engine::kv::Table;
use crate::error::Failure;
use crate::idb::{Mode, Upgrade, delete_database, to_js};
use crate::schema::{ALL, CURRENT, FORMAT, META, Migration, Schema};

/// A format after this one, for upgrades to come.
const NEXT: Schema = Schema { migrations: &[CURRENT.migrations[0], CURRENT.migrations[1], next] };
const BROKEN: Schema = Schema { migrations: &[CURRENT.migrations[0], CURRENT.migrations[1], broken] };
const COUNTED: Schema = Schema { migrations: &[CURRENT.migrations[0], counted as Migration] };

thread_local! {
    static COUNT: Cell<u32> = const { Cell::new(0) };
}

fn next(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    upgrade.create_store("next", false)
}

fn broken(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    upgrade.create_store("next", false)?;
    Err(Failure::new(ErrorKind::Corrupt, "on purpose"))
}

fn counted(upgrade: &Upgrade<'_>) -> Result<(), Failure> {
    COUNT.set(COUNT.get() + 1);
    CURRENT.migrations[1](upgrade)
}

pub(super) fn options(name: &str) -> IdbOptions {
    IdbOptions::new(name).blocked_ms(100)
}

pub(super) async fn open(name: &str) -> Connection {
    Connection::open(&options(name)).await.unwrap()
}

pub(super) async fn open_next(name: &str) -> haos_store_api::Result<Connection> {
    Connection::open_as(&options(name), NEXT).await
}

pub(super) async fn put(connection: &Connection, key: u8) -> haos_store_api::Result<()> {
    let tx = connection.begin(&[Table::Segments.name()], Mode::Write(Durability::Strict), "apply").await?;
    tx.store(Table::Segments.name())?.put(&[key], &to_js(&[key]))?;
    tx.done().await
}

pub(super) async fn count(connection: &Connection) -> haos_store_api::Result<f64> {
    let tx = connection.begin(&[Table::Segments.name()], Mode::Read, "page").await?;
    let count = tx.store(Table::Segments.name())?.count(None)?.await?;
    Ok(count.as_f64().unwrap())
}

pub(super) async fn kind_of_opening(options: IdbOptions) -> ErrorKind {
    Connection::open(&options).await.err().unwrap().kind()
}

pub async fn a_new_database_has_all_stores() {
    let name = raw::name("new");
    let connection = open(&name).await;
    let tx = connection.begin(&ALL, Mode::Read, "page").await.unwrap();
    for store in ALL {
        assert_eq!(tx.store(store).unwrap().count(None).unwrap().await.unwrap(), 0);
    }
    let meta = connection.begin(&[META], Mode::Write(Durability::Strict), "apply").await.unwrap();
    meta.store(META).unwrap().put_named("head", &JsValue::from(1)).unwrap();
    meta.done().await.unwrap();
    connection.close();
    let (version, stores) = raw::look(&name).await;
    assert_eq!((version, stores.len()), (f64::from(FORMAT), ALL.len()));
    raw::delete(&name).await;
}

pub async fn a_missing_database_is_not_made_unasked() {
    let name = raw::name("missing");
    let error = Connection::open(&options(&name).create(false)).await.err().unwrap();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Io, "open"));
    assert!(error.to_string().contains("there is no store"));
    assert!(!raw::exists(&name).await);
    open(&name).await.close();
    Connection::open(&options(&name).create(false)).await.unwrap().close();
    raw::delete(&name).await;
}

pub async fn a_newer_database_is_refused() {
    let name = raw::name("newer");
    raw::open(&name, FORMAT + 1).await.0.close();
    assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::NewerSchema);
    let (version, stores) = raw::look(&name).await;
    assert_eq!((version, stores), (f64::from(FORMAT + 1), vec!["foreign".to_owned()]));
    raw::delete(&name).await;
}

pub async fn a_foreign_database_is_refused() {
    let name = raw::name("foreign");
    raw::open(&name, FORMAT).await.0.close();
    assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::Invalid);
    assert_eq!(open_next(&name).await.err().unwrap().kind(), ErrorKind::Invalid);
    let (version, stores) = raw::look(&name).await;
    assert_eq!((version, stores), (f64::from(FORMAT), vec!["foreign".to_owned()]));
    raw::delete(&name).await;
}

pub async fn a_database_that_was_never_released_is_refused() {
    let name = raw::name("unreleased");
    let upgrade = |upgrade: &Upgrade<'_>| {
        ["meta", "rooms", "timeline", "outbox", "outbox_ids", "media", "chunks", "state"]
            .into_iter()
            .try_for_each(|store| upgrade.create_store(store, false))
    };
    let opening = crate::idb::Opening { name: name.clone(), version: 1, upgrade, blocked: || {} };
    drop(crate::idb::Database::open(opening).await.ok().unwrap());
    let error = Connection::open(&options(&name)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("never released: delete it"), "{error}");
    assert_eq!(raw::look(&name).await.1.len(), 8, "nothing changed");
    raw::delete(&name).await;
}

pub async fn a_migration_keeps_what_is_there() {
    let name = raw::name("migration");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    connection.close();
    let failed = Connection::open_as(&options(&name), BROKEN).await;
    assert_eq!(failed.err().unwrap().kind(), ErrorKind::Corrupt);
    let connection = open(&name).await;
    assert_eq!(count(&connection).await.unwrap(), 1.0);
    connection.close();
    let connection = open_next(&name).await.unwrap();
    assert_eq!(count(&connection).await.unwrap(), 1.0);
    connection.close();
    assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::NewerSchema);
    raw::delete(&name).await;
}

pub async fn an_old_version_elsewhere_blocks() {
    let name = raw::name("blocked");
    open(&name).await.close();
    // It does not close when it is asked to.
    let (holder, _) = raw::open(&name, FORMAT).await;
    assert_eq!(open_next(&name).await.err().unwrap().kind(), ErrorKind::Blocked);
    let (first, second) = futures_util::future::join(open_next(&name), open_next(&name)).await;
    assert_eq!(first.err().unwrap().kind(), ErrorKind::Blocked);
    assert_eq!(second.err().unwrap().kind(), ErrorKind::Blocked);
    holder.close();
    let connection = open_next(&name).await.unwrap();
    assert_eq!(count(&connection).await.unwrap(), 0.0);
    connection.close();
    raw::delete(&name).await;
}

pub async fn an_opening_that_takes_too_long_is_given_up() {
    let name = raw::name("late");
    let (holder, _) = raw::open(&name, FORMAT).await;
    // Waits for the holder, and everything after waits for it.
    let deleted = raw::deleting(&name);
    assert_eq!(kind_of_opening(options(&name).open_ms(50)).await, ErrorKind::Busy);
    holder.close();
    deleted.await;
    // The unclaimed opening was closed again, so an upgrade is not blocked.
    let connection = open_next(&name).await.unwrap();
    connection.close();
    raw::delete(&name).await;
}

pub async fn a_database_is_deleted_when_it_is_let_go() {
    let name = raw::name("delete");
    let connection = open(&name).await;
    let (holder, _) = raw::open(&name, FORMAT).await;
    let held = delete_database(&name, 50).await.err().unwrap();
    assert_eq!((held.kind(), held.operation()), (ErrorKind::Blocked, "delete"));
    holder.close();
    delete_database(&name, 60_000).await.unwrap();
    delete_database(&name, 60_000).await.unwrap();
    assert!(count(&connection).await.is_err() && connection.is_erased());
    assert!(!raw::exists(&name).await);
}

pub async fn openings_at_once_are_one() {
    let name = raw::name("single");
    COUNT.set(0);
    let options = options(&name);
    let opened = join_all((0..4).map(|_| Connection::open_as(&options, COUNTED))).await;
    assert_eq!(COUNT.get(), 1);
    let opened: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    assert!(opened.iter().all(|connection| connection.shares_line(&opened[0])));
    // Each of them is closed by itself.
    opened[0].close();
    put(&opened[1], 1).await.unwrap();
    assert_eq!(count(&opened[0]).await.err().unwrap().kind(), ErrorKind::Closed);
    drop(opened);
    open_next(&name).await.unwrap().close();
    raw::delete(&name).await;
}

pub async fn an_opening_may_be_dropped() {
    let name = raw::name("dropped");
    let options = options(&name);
    {
        let mut opening = Box::pin(Connection::open(&options));
        let polled = opening.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    connection.close();
    {
        let mut opening = Box::pin(Connection::open(&options));
        let polled = opening.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    // Nobody took it, and it is closed: the upgrade is not blocked.
    open_next(&name).await.unwrap().close();
    raw::delete(&name).await;
}

/// Replaces `indexedDB` while `test` runs.
async fn with_factory(descriptor: &Object, test: impl Future<Output = ()>) {
    let global = js_sys::global();
    let key = JsValue::from_str("indexedDB");
    let factory = Reflect::get(&global, &key).unwrap();
    Reflect::set(descriptor, &"configurable".into(), &JsValue::TRUE).unwrap();
    assert!(Reflect::define_property(&global, &key, descriptor).unwrap());
    test.await;
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"configurable".into(), &JsValue::TRUE).unwrap();
    Reflect::set(&descriptor, &"value".into(), &factory).unwrap();
    assert!(Reflect::define_property(&global, &key, &descriptor).unwrap());
}

pub async fn no_indexeddb_is_unavailable() {
    let name = raw::name("none");
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"value".into(), &JsValue::UNDEFINED).unwrap();
    with_factory(&descriptor, async {
        assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::Unavailable);
    })
    .await;

    let forbidden = Function::new_no_args("throw new DOMException('not here', 'SecurityError')");
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"get".into(), &forbidden).unwrap();
    with_factory(&descriptor, async {
        assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::Unavailable);
    })
    .await;

    // As in an origin that may have no storage: the factory is there, and `open` throws.
    let factory = Object::new();
    let open =
        Closure::<dyn FnMut() -> Result<JsValue, JsValue>>::new(move || forbidden.call0(&JsValue::NULL));
    Reflect::set(&factory, &"open".into(), open.as_ref()).unwrap();
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"value".into(), &factory).unwrap();
    with_factory(&descriptor, async {
        assert_eq!(kind_of_opening(options(&name)).await, ErrorKind::Unavailable);
    })
    .await;
    open_and_delete(&name).await;
}

async fn open_and_delete(name: &str) {
    open(name).await.close();
    raw::delete(name).await;
}
