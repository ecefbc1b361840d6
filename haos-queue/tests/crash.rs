//! Syncs, limited syncs and backfill on SQLite, cut off anywhere: futures dropped between any two steps,
//! the store closed or just let go of, and opened again. Whatever was under way is whole or not there.
//!
//! A store that is let go of still commits what it was handed: dropped work may land after the file was
//! opened again, as if another process had written it.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use haos_queue::{PlainProtocol, Synced, apply_page, apply_sync};
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use proptest::prelude::*;
use support::{Server, check, own, room_id, timeline};

#[derive(Debug, Clone)]
struct Turn {
    /// Messages that arrive first.
    arrive: usize,
    /// A sync with this limit, or a page of this size for the first gap.
    limit: usize,
    fill: bool,
    /// How often the work may wait before it is dropped; none: it is left to finish.
    cut: Option<usize>,
    /// Close the store before it is opened again, or let go of it at once.
    close: bool,
}

fn step() -> impl Strategy<Value = Turn> {
    (0..12usize, 1..6usize, any::<bool>(), proptest::option::of(0..24usize), any::<bool>())
        .prop_map(|(arrive, limit, fill, cut, close)| Turn { arrive, limit, fill, cut, close })
}

/// Polls `work` until it is done or has waited `cut` times, then drops it.
async fn cut_off<F: Future>(work: F, cut: Option<usize>) -> Option<F::Output> {
    let Some(cut) = cut else { return Some(work.await) };
    let mut work = pin!(work);
    let mut waits = 0;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if waits == cut => Poll::Ready(None),
        Poll::Pending => {
            waits += 1;
            Poll::Pending
        }
    })
    .await
}

async fn token(store: &SqliteStore) -> Option<u64> {
    store.sync_token().await.unwrap().map(|token| token[1..].parse().unwrap())
}

async fn run(steps: &[Turn]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let options = || SqliteOptions::new(folder.path().join("chat.db"));
    let me = own();
    let mut server = Server::default();
    let mut store = SqliteStore::open(options()).await.unwrap();
    for step in steps {
        (0..step.arrive).for_each(|_| server.message(0));
        let seen = token(&store).await;
        let gap = store.gaps(&room_id(0)).await.unwrap().pop().filter(|_| step.fill);
        let synced = match &gap {
            Some(gap) => {
                let page = server.page(0, gap.token.as_deref().unwrap(), step.limit);
                let work = apply_page(&store, gap, &page, Some(&me), &PlainProtocol);
                cut_off(work, step.cut).await.map(Result::unwrap);
                None
            }
            None => {
                let delta = server.sync(seen, step.limit);
                let work = apply_sync(&store, &delta, Some(&me), &PlainProtocol);
                cut_off(work, step.cut).await.map(Result::unwrap)
            }
        };
        if step.close {
            store.close().await.unwrap();
        }
        drop(store);
        store = SqliteStore::open(options()).await.unwrap();
        // The token never runs ahead of what is stored, nor behind what was acknowledged.
        let mut now = token(&store).await;
        if synced.is_some_and(|synced| synced != Synced::Stale) {
            prop_assert_eq!(now, Some(server.stream));
        }
        while let Err(wrong) = check(&store, &server, 0, now.unwrap_or(0)).await {
            let then = std::mem::replace(&mut now, token(&store).await);
            prop_assert_ne!(then, now, "{}", wrong);
        }
    }
    loop {
        let delta = server.sync(token(&store).await, 3);
        if apply_sync(&store, &delta, Some(&me), &PlainProtocol).await.unwrap() != Synced::Stale {
            break;
        }
    }
    while let Some(gap) = store.gaps(&room_id(0)).await.unwrap().pop() {
        let page = server.page(0, gap.token.as_deref().unwrap(), 7);
        apply_page(&store, &gap, &page, Some(&me), &PlainProtocol).await.unwrap();
    }
    let stored: Vec<_> =
        timeline(&store, 0).await.iter().filter_map(|item| item.as_message().map(|m| m.id.clone())).collect();
    let truth: Vec<_> =
        server.rooms.get(&0).into_iter().flatten().map(|(_, event)| event.id.clone()).collect();
    prop_assert_eq!(stored, truth);
    store.close().await.unwrap();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("HAOS_SCRIPTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000) / 20,
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_cut_leaves_all_or_nothing(steps in proptest::collection::vec(step(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(&steps))?;
    }
}
