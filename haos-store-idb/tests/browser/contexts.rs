//! The feed between stores: each `Feed` is a context of its own to the channel.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use haos_store_api::backend::ChangeHub;
use haos_store_api::{Change, Changes, Revision, RoomId, Touched};
use haos_web::{Channel, sleep};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::durability::StoreId;
use crate::feed::{Feed, Stored};

/// One context.
pub(crate) struct Context {
    pub(crate) hub: ChangeHub,
    pub(crate) feed: Feed,
    pub(crate) changes: Changes,
    /// The database's revision of the store.
    stored: Rc<Cell<Revision>>,
}

pub(crate) fn context(name: &str, id: StoreId) -> Context {
    let hub = ChangeHub::new(64, Revision(4));
    let stored = Rc::new(Cell::new(Revision(4)));
    let asked = Rc::clone(&stored);
    let ask = move || -> Stored { Box::pin(std::future::ready(Some(asked.get()))) };
    let (feed, changes) = (Feed::open(name, id, hub.clone(), Rc::new(|| ()), ask), hub.subscribe());
    assert!(feed.is_shared());
    feed.saw(Revision(4));
    Context { hub, feed, changes, stored }
}

pub(crate) fn room(name: &str) -> BTreeSet<Touched> {
    BTreeSet::from([Touched::Room(RoomId::new(name).unwrap())])
}

fn commit(revision: u64, name: &str) -> Option<Change> {
    Some(Change::Commit { revision: Revision(revision), touched: room(name).into_iter().collect() })
}

fn resync(revision: u64) -> Option<Change> {
    Some(Change::Resync { revision: Revision(revision) })
}

#[wasm_bindgen_test]
async fn commits_are_told_in_turn() {
    let id = StoreId::random();
    let (mut a, mut b) = (context("turn", id), context("turn", id));
    a.feed.tell(Revision(5), room("!five"));
    assert_eq!(b.changes.next().await, commit(5, "!five"));
    b.feed.tell(Revision(6), room("!six"));
    for context in [&mut a, &mut b] {
        while context.hub.latest() < Revision(6) {
            sleep(1).await;
        }
    }
    assert_eq!((a.changes.try_next(), a.changes.try_next()), (commit(5, "!five"), commit(6, "!six")));
    assert_eq!((a.changes.try_next(), b.changes.try_next()), (None, commit(6, "!six")));
    assert_eq!(b.changes.try_next(), None, "its own is told once");
}

#[wasm_bindgen_test]
async fn what_was_missed_is_a_resync() {
    let id = StoreId::random();
    let (a, mut b) = (context("missed", id), context("missed", id));
    // 5 was another's, which is gone.
    b.stored.set(Revision(6));
    a.feed.tell(Revision(6), room("!six"));
    assert_eq!(b.changes.next().await, resync(6));
    a.feed.tell(Revision(7), room("!seven"));
    assert_eq!(b.changes.next().await, commit(7, "!seven"));
    b.feed.saw(Revision(7));
    assert_eq!(b.changes.try_next(), None);
    b.feed.saw(Revision(9));
    assert_eq!(b.changes.try_next(), resync(9));
    b.stored.set(Revision(10));
    let many = (0..501).map(|n| Touched::Room(RoomId::new(format!("!{n}")).unwrap())).collect();
    a.feed.tell(Revision(10), many);
    assert_eq!(b.changes.next().await, resync(10), "a large batch");
}

#[wasm_bindgen_test]
async fn other_stores_are_not_heard() {
    let id = StoreId::random();
    let (a, mut same) = (context("name", id), context("name", id));
    let (mut renamed, mut remade) = (context("other", id), context("name", StoreId::random()));
    a.feed.tell(Revision(5), room("!r"));
    assert_eq!(same.changes.next().await, commit(5, "!r"));
    sleep(20).await;
    assert_eq!((renamed.changes.try_next(), remade.changes.try_next()), (None, None));
}

#[wasm_bindgen_test]
async fn what_nobody_can_read_is_a_resync() {
    let id = StoreId::random();
    let mut a = context("strange", id);
    let stranger = Channel::open(&format!("haos-feed/{id}/strange"), |_| ()).unwrap();
    a.stored.set(Revision(6));
    let messages = [
        ("haos\x009\x006\0whatever".into(), resync(6)),
        (JsValue::from(7), resync(6)),
        (JsValue::UNDEFINED, resync(6)),
        (js_sys::Object::new().into(), resync(6)),
        ("x".repeat(1_000_000).into(), resync(6)),
        ("haos\x001\x007\0r\0!seven".into(), commit(7, "!seven")),
    ];
    for (message, told) in messages {
        stranger.post(&message).unwrap();
        assert_eq!(a.changes.next().await, told, "{message:?}");
    }
}

#[wasm_bindgen_test]
async fn what_nobody_committed_mutes_nothing() {
    let id = StoreId::random();
    let (a, mut b) = (context("forged", id), context("forged", id));
    let stranger = Channel::open(&format!("haos-feed/{id}/forged"), |_| ()).unwrap();
    for forged in ["haos\x001\x0018446744073709551615\0e", "haos\x009\x0018446744073709551615"] {
        stranger.post(&forged.into()).unwrap();
    }
    a.feed.tell(Revision(5), room("!five"));
    assert_eq!(b.changes.next().await, commit(5, "!five"));
    b.feed.tell(Revision(6), room("!six"));
    assert_eq!(b.changes.next().await, commit(6, "!six"));
}

#[wasm_bindgen_test]
async fn dropped_feed_ends_the_changes() {
    let Context { hub, feed, mut changes, .. } = context("dropped", StoreId::random());
    drop((hub, feed));
    assert_eq!(changes.next().await, None);
}
