//! The driver of browsers itself, in the engines that `HAOS_BROWSERS` names.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod life;
mod pages;

use std::path::{Path, PathBuf};

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/page")
}

/// The site, and one browser after the other that shows its page.
async fn each(options: SiteOptions, test: impl AsyncFn(&Site, Browser)) {
    let site = Site::start(options).await.unwrap();
    for engine in BrowserEngine::wanted().unwrap() {
        let browser = Browser::start(engine, BrowserOptions::default()).await.unwrap();
        browser.goto(&site.url("/")).await.unwrap();
        eprintln!("{engine} {}", browser.version());
        test(&site, browser).await;
    }
}
