//! A frontend's store and outbox in real browsers, driven from outside: several contexts at a time, which die at
//! any moment; a quota that ends; a browser that erases. In the engines that `HAOS_BROWSERS` names, each test in
//! those that can be made to do what it is about.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure is a panic")]

mod chance;
mod erased;
mod hang;
mod kill;
mod outbox;
mod package;
mod quota;
mod server;
mod two;

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteAnswer, SiteRequest};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

/// One test at a time: each has browsers of its own.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Those of these engines that are wanted.
fn engines(able: &[BrowserEngine]) -> Vec<BrowserEngine> {
    BrowserEngine::wanted_among(able).unwrap()
}

/// Starts a browser, with a page of the site that is ready.
async fn browse(engine: BrowserEngine, options: BrowserOptions, site: &Site) -> Browser {
    let browser = Browser::start(engine, options).await.unwrap();
    show(&browser, site).await;
    browser
}

/// A page counts as loaded before its module has run, now and then, where the machine is busy.
const READY: &str =
    "for (let n = 0; n < 1000 && !self.ready; n++) await new Promise(go => setTimeout(go, 10));
    await ready";

/// Loads the page.
async fn show(browser: &Browser, site: &Site) {
    browser.goto(&site.url("/index.html")).await.unwrap();
    browser.run(READY, &[]).await.unwrap();
}

/// Runs a script that gives JSON text.
async fn json(browser: &Browser, script: &str, args: &[Value]) -> Value {
    let text = browser.run(script, args).await.unwrap();
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// The site, with what answers it.
async fn site<H, A>(handler: H) -> Site
where
    H: Fn(SiteRequest) -> A + Send + Sync + 'static,
    A: Future<Output = Option<SiteAnswer>> + Send + 'static,
{
    Site::start(package::options().await.handler(handler)).await.unwrap()
}
