//! Two tabs that write at once.

use std::collections::HashSet;
use std::time::Instant;

use haos_e2e::browser::{BrowserEngine, BrowserOptions};
use serde_json::{Value, json};

use crate::{browse, engines, show, site, turn};

const COMMITS: i64 = 200;

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn two_tabs_write_at_once_and_hear_each_other() {
    let _turn = turn().await;
    for engine in engines(&BrowserEngine::ALL) {
        let site = site(|_| async { None }).await;
        let browser = browse(engine, BrowserOptions::default(), &site).await;
        let first = browser.tab().await.unwrap();
        let second = browser.new_tab().await.unwrap();
        let begun = Instant::now();
        for (tab, room) in [(&first, "!first"), (&second, "!second")] {
            browser.switch(tab).await.unwrap();
            show(&browser, &site).await;
            // Of the second one's first commits, the first hears before it has written its last.
            let write = "self.store = await Store.open('two');
                self.written = (async () => {
                    const revisions = [];
                    for (let n = 0; n < args[1]; n += 1) revisions.push(await store.messages(args[0], n, 1, 200));
                    return revisions;
                })();
                return JSON.parse(store.info()).shared";
            let shared = browser.run(write, &[room.into(), COMMITS.into()]).await.unwrap();
            assert_eq!(shared, true);
        }
        let mut revisions = Vec::new();
        for tab in [&first, &second] {
            browser.switch(tab).await.unwrap();
            let written = browser.run("return await written", &[]).await.unwrap();
            revisions.extend(written.as_array().unwrap().iter().filter_map(Value::as_i64));
        }
        revisions.sort_unstable();
        assert_eq!(
            revisions,
            (1..=2 * COMMITS).collect::<Vec<_>>(),
            "{engine}: each commit has a revision of its own"
        );
        for (tab, name) in [(&first, "first"), (&second, "second")] {
            browser.switch(tab).await.unwrap();
            let counts = "return [await store.count('!first'), await store.count('!second')]";
            assert_eq!(browser.run(counts, &[]).await.unwrap(), json!([COMMITS, COMMITS]));
            // The other's posts may still be on their way.
            let heard = "const heard = [];
                for (let i = 0; i < 1000; i += 1) {
                    heard.push(...JSON.parse(store.heard()));
                    if (Math.abs(heard.at(-1)) === args[0]) break;
                    await pause(20);
                }
                return heard";
            let heard = browser.run(heard, &[json!(2 * COMMITS)]).await.unwrap();
            let heard: Vec<_> = heard.as_array().unwrap().iter().filter_map(Value::as_i64).collect();
            covers(&heard, &format!("{engine}, {name}"));
        }
        eprintln!("{engine}: 2 x {COMMITS} commits at once in {:?}", begun.elapsed());
    }
}

/// Checks that every revision since the first one heard was told, or a resync told to read again at it or later.
fn covers(heard: &[i64], what: &str) {
    let told: HashSet<i64> = heard.iter().copied().filter(|revision| *revision > 0).collect();
    let resync = heard.iter().copied().filter(|revision| *revision < 0).map(|revision| -revision).max();
    let first = heard.iter().map(|revision| revision.abs()).min().unwrap_or(2 * COMMITS);
    let missed: Vec<_> =
        (first..=2 * COMMITS).filter(|r| !told.contains(r) && resync.is_none_or(|at| at < *r)).collect();
    assert!(missed.is_empty(), "{what}: never heard of {missed:?}; heard {heard:?}");
    assert!(heard.iter().map(|revision| revision.abs()).is_sorted(), "{what}: not in turn: {heard:?}");
    let resyncs = heard.iter().filter(|revision| **revision < 0).count();
    eprintln!("  {what}: heard {} commits and {resyncs} resyncs", told.len());
}
