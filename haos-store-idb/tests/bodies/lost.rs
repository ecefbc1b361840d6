//! Connections that end: by the browser, by another context, by the page, by us.

use futures_util::future::{join, join_all};
use haos_store_api::{Durability, ErrorKind};
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

use super::lifecycle::{count, open, open_next, put};
use super::raw;
use crate::connection::Loss;
use crate::engine::kv::Table;
use crate::idb::{Mode, to_js};

pub async fn an_upgrade_elsewhere_is_let_through() {
    let name = raw::name("change");
    let old = open(&name).await;
    put(&old, 1).await.unwrap();
    let new = open_next(&name).await.unwrap();
    for _ in 0..2 {
        assert_eq!(count(&old).await.err().unwrap().kind(), ErrorKind::NewerSchema);
    }
    assert!(!old.is_erased());
    assert_eq!(count(&new).await.unwrap(), 1.0);
    new.close();
    raw::delete(&name).await;
}

pub async fn a_commit_under_way_is_finished_before_an_upgrade() {
    let name = raw::name("finish");
    let old = open(&name).await;
    let tx = old.begin(&[Table::Segments.name()], Mode::Write(Durability::Strict), "apply").await.unwrap();
    tx.store(Table::Segments.name()).unwrap().put(&[1], &to_js(b"x")).unwrap();
    let (done, new) = join(tx.done(), open_next(&name)).await;
    done.unwrap();
    let new = new.unwrap();
    assert_eq!(count(&new).await.unwrap(), 1.0);
    new.close();
    raw::delete(&name).await;
}

pub async fn a_lost_connection_is_opened_again() {
    let name = raw::name("lost");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    for (loss, expected) in [(Loss::Told, 2.0), (Loss::Silent, 3.0)] {
        connection.lose(loss);
        put(&connection, expected as u8).await.unwrap();
        assert_eq!(count(&connection).await.unwrap(), expected);
    }
    connection.lose(Loss::Silent);
    let counts = join_all((0..5).map(|_| count(&connection))).await;
    assert!(counts.into_iter().all(|count| count.unwrap() == 3.0));
    connection.close();
    open_next(&name).await.unwrap().close();
    raw::delete(&name).await;
}

pub async fn the_browser_tells_of_a_forced_close() {
    let name = raw::name("forced");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    connection.fire("close");
    assert!(!connection.is_there());
    assert_eq!(count(&connection).await.unwrap(), 1.0);
    connection.close();
    raw::delete(&name).await;
}

pub async fn an_erased_store_is_not_made_anew() {
    let name = raw::name("erased");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    raw::delete(&name).await;
    for _ in 0..2 {
        let error = count(&connection).await.err().unwrap();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Closed, "page"));
        assert!(error.to_string().contains("erased"));
        assert!(connection.is_erased());
    }
    assert_eq!(connection.resume().await.err().unwrap().kind(), ErrorKind::Closed);
    assert!(!raw::exists(&name).await);
    let again = open(&name).await;
    assert_eq!(count(&again).await.unwrap(), 0.0);
    assert_eq!(count(&connection).await.err().unwrap().kind(), ErrorKind::Closed);
    again.close();
    raw::delete(&name).await;
}

pub async fn a_suspended_store_rests() {
    let name = raw::name("suspend");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    connection.suspend();
    let error = put(&connection, 2).await.err().unwrap();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Closed, "apply"));
    connection.resume().await.unwrap();
    connection.resume().await.unwrap();
    assert_eq!(count(&connection).await.unwrap(), 1.0);
    connection.suspend();
    let next = open_next(&name).await.unwrap();
    assert_eq!(connection.resume().await.err().unwrap().kind(), ErrorKind::NewerSchema);
    next.close();
    connection.close();
    connection.close();
    for error in [connection.resume().await.err(), put(&connection, 2).await.err()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::Closed);
    }
    raw::delete(&name).await;
}

pub async fn a_store_closed_while_it_opens_again_stays_closed() {
    let name = raw::name("race");
    let connection = open(&name).await;
    connection.lose(Loss::Told);
    let (counted, ()) = join(count(&connection), async { connection.close() }).await;
    assert_eq!(counted.err().unwrap().kind(), ErrorKind::Closed);
    assert!(!connection.is_there());
    open_next(&name).await.unwrap().close();
    raw::delete(&name).await;
}

/// A worker has no such event, but still reacts to it.
pub async fn a_page_that_is_put_away_lets_go() {
    let name = raw::name("bfcache");
    let connection = open(&name).await;
    put(&connection, 1).await.unwrap();
    tell_pagehide(false);
    assert!(connection.is_there());
    tell_pagehide(true);
    assert!(!connection.is_there());
    assert_eq!(count(&connection).await.unwrap(), 1.0);
    assert!(connection.is_there());
    tell_pagehide(true);
    open_next(&name).await.unwrap().close();
    raw::delete(&name).await;
}

fn tell_pagehide(persisted: bool) {
    let event = Event::new("pagehide").unwrap();
    Reflect::set(&event, &"persisted".into(), &JsValue::from_bool(persisted)).unwrap();
    js_sys::global().unchecked_into::<EventTarget>().dispatch_event(&event).unwrap();
}
