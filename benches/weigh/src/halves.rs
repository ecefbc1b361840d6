//! What a first page needs, as seen in a browser; and whether the halves work there.

use std::collections::BTreeSet;
use std::path::Path;

use haos_bundle::{Bundle, ran};
use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};
use serde_json::{Value, json};

use crate::{NAME, Result};

/// Splits a bundle into `halves` by what a first page needs, and gives the numbers of these functions.
pub(crate) fn split(bundle: &Bundle, page: &Path, watched: &Path, halves: &Path) -> Result<BTreeSet<u32>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|e| e.to_string())?.block_on(async {
        bundle.watched(watched).map_err(|e| e.to_string())?;
        let first = first(page, watched).await?;
        bundle.halves(halves, &first).map_err(|e| e.to_string())?;
        work(page, halves).await?;
        Ok(first)
    })
}

async fn first(page: &Path, watched: &Path) -> Result<BTreeSet<u32>> {
    let seen = Seen::start(page, watched).await?;
    seen.run("fill", &["first".into()]).await?;
    // The page and its module as new.
    seen.load().await?;
    let told = seen.run("first", &["first".into()]).await?;
    seen.browser.quit().await.map_err(|e| e.to_string())?;
    ran(&told["ran"]).ok_or_else(|| "nothing ran for a first page".to_owned())
}

/// A first page needs the first half alone; what needs the rest has it loaded, awaited or not, on a page and in a worker.
async fn work(page: &Path, halves: &Path) -> Result {
    let seen = Seen::start(page, halves).await?;
    let (first_half, rest) = (format!("{NAME}_bg.wasm"), format!("{NAME}_rest.wasm"));
    seen.run("fill", &["plain".into()]).await?;
    seen.load().await?;
    let shown = seen.run("first", &["plain".into()]).await?;
    is("a first page", &shown["loaded"], &json!([first_half]))?;
    has("a first page", &shown["newest"], "message 149")?;
    for number in 0..8 {
        let (in_worker, is_sealed, is_awaited) = (number & 4 != 0, number & 2 != 0, number & 1 != 0);
        let passphrase = is_sealed.then_some("secret");
        let what =
            format!("writing, in a worker: {in_worker}, sealed: {is_sealed}, rest awaited: {is_awaited}");
        seen.load().await?;
        let args = [format!("written{number}").into(), passphrase.into(), is_awaited.into()];
        let told = match in_worker {
            false => seen.run("write", &args).await?,
            true => seen.run("inWorker", &[&["write".into()], &args[..]].concat()).await?,
        };
        has(&what, &told["newest"], "of another")?;
        has(&what, &told["sent"], "of mine")?;
        let mut loaded: Vec<_> = told["loaded"].as_array().into_iter().flatten().cloned().collect();
        loaded.sort_by_key(Value::to_string);
        is(&what, &loaded.into(), &json!([first_half, rest]))?;
    }
    seen.load().await?;
    let told = seen.run("opensEarly", &["plain".into(), "absent".into()]).await?;
    is("what was opened early", &told, &json!({ "made": false, "gone": true, "left": false }))?;
    seen.browser.quit().await.map_err(|e| e.to_string())
}

fn is(what: &str, seen: &Value, expected: &Value) -> Result {
    if seen == expected { Ok(()) } else { Err(format!("{what}: {seen}, and not {expected}")) }
}

fn has(what: &str, seen: &Value, words: &str) -> Result {
    let has = seen.as_str().is_some_and(|text| text.contains(words));
    if has { Ok(()) } else { Err(format!("{what}: {seen} has not the words `{words}`")) }
}

/// A browser with the page.
struct Seen {
    browser: Browser,
    site: Site,
}

impl Seen {
    async fn start(page: &Path, package: &Path) -> Result<Self> {
        let site = Site::start(
            SiteOptions::new(page)
                .mount("/pkg/", package)
                .mount("/store/", page.join("../../../haos-store-idb/js")),
        )
        .await
        .map_err(|e| e.to_string())?;
        let browser = Browser::start(BrowserEngine::Chromium, BrowserOptions::default()).await;
        let seen = Self { browser: browser.map_err(|e| e.to_string())?, site };
        seen.load().await?;
        Ok(seen)
    }

    async fn load(&self) -> Result {
        self.browser.goto("about:blank").await.map_err(|e| e.to_string())?;
        self.browser.goto(&self.site.url("/index.html")).await.map_err(|e| e.to_string())
    }

    async fn run(&self, call: &str, args: &[Value]) -> Result<Value> {
        self.browser.run(&format!("return await {call}(...args)"), args).await.map_err(|e| e.to_string())
    }
}
