use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};
use serde_json::json;

use crate::{each, page};

const OPEN: &str = "const open = () => new Promise((resolve, reject) => {
        const request = indexedDB.open('life', 1);
        request.onupgradeneeded = () => request.result.createObjectStore('s');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const db = await open();
    const tx = db.transaction('s', args.length ? 'readwrite' : 'readonly', { durability: 'strict' });
    const ended = new Promise((resolve, reject) => { tx.oncomplete = resolve; tx.onabort = () => reject(tx.error); });
    const request = args.length ? tx.objectStore('s').put(args[0], 1) : tx.objectStore('s').get(1);
    await ended;
    return request.result ?? null";

/// WebKit keeps nothing on disk under automation.
#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn what_was_committed_is_there_after_the_browser_was_killed() {
    let site = Site::start(SiteOptions::new(page())).await.unwrap();
    for engine in BrowserEngine::wanted_among(&[BrowserEngine::Chromium, BrowserEngine::Firefox]).unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let options = BrowserOptions::default().profile(folder.path().join("profile"));
        let browser = Browser::start(engine, options.clone()).await.unwrap();
        browser.goto(&site.url("/")).await.unwrap();
        browser.run(OPEN, &[json!("kept")]).await.unwrap();
        browser.kill();
        assert!(browser.run("return 1", &[]).await.is_err());
        drop(browser);
        let browser = Browser::start(engine, options).await.unwrap();
        browser.goto(&site.url("/")).await.unwrap();
        assert_eq!(browser.run(OPEN, &[]).await.unwrap(), json!("kept"), "{engine}");
        browser.quit().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_crashed_tab_leaves_the_browser_and_its_data() {
    each(SiteOptions::new(page()), async |site, browser| {
        browser.run(OPEN, &[json!("kept")]).await.unwrap();
        let other = browser.new_tab().await.unwrap();
        let crashed = browser.crash_tab().await;
        assert_eq!(crashed.is_ok(), browser.engine() == BrowserEngine::Chromium, "{crashed:?}");
        browser.switch(&other).await.unwrap();
        browser.goto(&site.url("/")).await.unwrap();
        assert_eq!(browser.run(OPEN, &[]).await.unwrap(), json!("kept"));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn chromium_takes_devtools_commands() {
    each(SiteOptions::new(page()), async |site, browser| {
        let params = json!({ "origin": site.origin(), "quotaSize": 1_000_000 });
        let taken = browser.devtools("Storage.overrideQuotaForOrigin", params).await;
        assert_eq!(taken.is_ok(), browser.engine() == BrowserEngine::Chromium, "{taken:?}");
    })
    .await;
}
