//! A browser, or a tab, that takes the database away.

use std::time::Duration;

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, Tab};
use serde_json::{Value, json};

use crate::{browse, engines, json, show, site, turn};

/// The kind and the message of a call's error, or what it gave.
const COUNT: &str =
    "try { return await store.count('!room1') } catch (error) { return [error.name, error.message] }";
const COMMIT: &str =
    "try { return await store.commit(args[0]) } catch (error) { return [error.name, error.message] }";
const DELETE: &str = "await new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase(args[0]);
        request.onsuccess = resolve;
        request.onerror = () => reject(request.error);
    })";

/// A store with three rooms and two unsent messages.
async fn filled(engine: BrowserEngine, site: &Site) -> Browser {
    let browser = browse(engine, BrowserOptions::default(), site).await;
    let script = "self.store = await Store.open('erased');
        for (let n = 1; n <= 8; n += 1) await store.commit(n);
        return store.info()";
    let info = json(&browser, script, &[]).await;
    assert_eq!(info["recovery"], Value::Null);
    // The counts beside the database are written in the background.
    let until = "for (let i = 0; i < 500; i += 1) {
            const kept = Object.keys(localStorage).map((key) => localStorage.getItem(key)).join();
            if (kept) { await pause(600); return kept }
            await pause(20);
        }
        throw new Error('no counts beside the database')";
    browser.run(until, &[]).await.unwrap();
    browser
}

/// Two tabs: a [`filled`] store is open in the first, and the second is in front.
async fn two_tabs(engine: BrowserEngine) -> (Site, Browser, [Tab; 2]) {
    let site = site(|_| async { None }).await;
    let browser = filled(engine, &site).await;
    let first = browser.tab().await.unwrap();
    let second = browser.new_tab().await.unwrap();
    browser.switch(&second).await.unwrap();
    show(&browser, &site).await;
    (site, browser, [first, second])
}

/// The open store says what happened, and so does the next one.
async fn told(browser: &Browser, what: &str) {
    for script in [COUNT, COMMIT] {
        let said = browser.run(script, &[9.into()]).await.unwrap();
        assert_eq!(said[0], "Closed", "{what}: {said}");
        assert!(said[1].as_str().is_some_and(|text| text.contains("erased")), "{what}: {said}");
    }
    let script = "self.store = await Store.open('erased'); return store.info()";
    let info = json(browser, script, &[]).await;
    let cause = info["recovery"]["cause"].as_str().unwrap_or_default();
    eprintln!("  {what}: {cause:?}");
    assert!(cause.contains("3 rooms and 2 unsent messages"), "{what}: {info}");
    assert_eq!(browser.run(COUNT, &[]).await.unwrap(), 0);
    assert_eq!(browser.run(COMMIT, &[1.into()]).await.unwrap(), 1);
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_store_that_the_browser_erases_says_so() {
    let _turn = turn().await;
    for engine in engines(&[BrowserEngine::Chromium]) {
        let site = site(|_| async { None }).await;
        let browser = filled(engine, &site).await;
        let params = json!({ "origin": site.origin(), "storageTypes": "indexeddb" });
        browser.devtools("Storage.clearDataForOrigin", params).await.unwrap();
        told(&browser, "cleared by devtools").await;
    }
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_store_that_another_tab_deletes_says_so() {
    let _turn = turn().await;
    for engine in engines(&BrowserEngine::ALL) {
        let (_site, browser, [first, _]) = two_tabs(engine).await;
        browser.run(DELETE, &["erased".into()]).await.unwrap();
        browser.switch(&first).await.unwrap();
        told(&browser, &format!("{engine}: deleted by another tab")).await;
    }
}

/// The worst: by the time the first tab looks, a new store is there under the old name.
#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_store_made_anew_by_another_tab_is_not_taken_for_the_old_one() {
    let _turn = turn().await;
    for engine in engines(&BrowserEngine::ALL) {
        let (_site, browser, [first, second]) = two_tabs(engine).await;
        browser.run(DELETE, &["erased".into()]).await.unwrap();
        let script = "self.store = await Store.open('erased'); return store.info()";
        let info = json(&browser, script, &[]).await;
        let cause = info["recovery"]["cause"].as_str().unwrap_or_default();
        assert!(cause.contains("3 rooms and 2 unsent messages"), "{engine}: {info}");
        browser.run(COMMIT, &[1.into()]).await.unwrap();
        browser.switch(&first).await.unwrap();
        for script in [COUNT, COMMIT] {
            let said = browser.run(script, &[9.into()]).await.unwrap();
            assert_eq!(said[0], "Closed", "{engine}: the open store went on with another one: {said}");
        }
        browser.switch(&second).await.unwrap();
        assert_eq!(
            browser.run(COMMIT, &[2.into()]).await.unwrap(),
            2,
            "{engine}: nothing else was committed"
        );
    }
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn an_upgrade_by_another_tab_is_let_through_and_told() {
    let _turn = turn().await;
    for engine in engines(&BrowserEngine::ALL) {
        let (_site, browser, [first, _]) = two_tabs(engine).await;
        // A later version of the library; it keeps its connection.
        let upgrade = "return await new Promise((resolve, reject) => {
            const request = indexedDB.open('erased', 1000);
            request.onblocked = () => { self.blocked = true };
            request.onsuccess = () => { self.later = request.result; resolve(self.blocked ?? false) };
            request.onerror = () => reject(request.error);
        })";
        tokio::time::timeout(Duration::from_secs(60), browser.run(upgrade, &[])).await.unwrap().unwrap();
        browser.switch(&first).await.unwrap();
        for script in [COUNT, COMMIT] {
            let said = browser.run(script, &[9.into()]).await.unwrap();
            assert_eq!(said[0], "NewerSchema", "{engine}: {said}");
        }
        // And the other way round: the later version does not let go.
        let delete =
            "try { await Store.delete('erased'); return 'deleted' } catch (error) { return error.name }";
        assert_eq!(browser.run(delete, &[]).await.unwrap(), "Blocked", "{engine}");
    }
}
