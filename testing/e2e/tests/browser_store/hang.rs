//! A leader that neither dies nor does anything.

use std::time::{Duration, Instant};

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, Tab};
use serde_json::{Value, json};

use crate::server::Server;
use crate::{browse, engines, show, site, turn};

const HANGS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE_MS: u32 = 1500;

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_leader_that_hangs_is_stood_in_for() {
    let _turn = turn().await;
    for engine in engines(&[BrowserEngine::Chromium, BrowserEngine::Firefox]) {
        let pair = Pair::new(engine).await;
        pair.browser.switch(&pair.first).await.unwrap();
        pair.browser.run("return commands.hang({ ms: 8000 })", &[]).await.unwrap();
        let waited = pair.sent_by_the_other("beside").await;
        let role = pair.browser.run("return commands.role()", &[]).await.unwrap();
        eprintln!("{engine}: beside a leader that hangs, a message was taken after {waited:?}, by {role}");
        pair.leads_again_once().await;
    }
}

/// Chromium's devtools freeze a page as the browser does with one that was hidden for long.
#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_frozen_leader_is_replaced() {
    let _turn = turn().await;
    for engine in engines(&[BrowserEngine::Chromium]) {
        let pair = Pair::new(engine).await;
        pair.browser.switch(&pair.first).await.unwrap();
        let frozen = json!({ "state": "frozen" });
        pair.browser.devtools("Page.setWebLifecycleState", frozen).await.unwrap();
        let waited = pair.sent_by_the_other("instead").await;
        let role = pair.browser.run("return commands.role()", &[]).await.unwrap();
        eprintln!("{engine}: instead of a frozen leader, a message was taken after {waited:?}, by {role}");
        pair.browser.switch(&pair.first).await.unwrap();
        let active = json!({ "state": "active" });
        pair.browser.devtools("Page.setWebLifecycleState", active).await.unwrap();
        pair.leads_again_once().await;
    }
}

/// Two pages; the first one leads.
struct Pair {
    browser: Browser,
    _site: Site,
    server: Server,
    first: Tab,
    second: Tab,
}

impl Pair {
    async fn new(engine: BrowserEngine) -> Self {
        let server = Server::new(false);
        let answering = server.clone();
        let site = site(move |request| answering.clone().answer(request)).await;
        let browser = browse(engine, BrowserOptions::default(), &site).await;
        let first = browser.tab().await.unwrap();
        start(&browser, "first").await;
        let pair_leads = |server: &Server| server.seen().roles.iter().any(|(_, role, _)| role == "Leading");
        wait("the first leads", || pair_leads(&server)).await;
        let second = browser.new_tab().await.unwrap();
        browser.switch(&second).await.unwrap();
        show(&browser, &site).await;
        start(&browser, "second").await;
        Self { browser, _site: site, server, first, second }
    }

    /// How long a message of the second page takes to the server.
    async fn sent_by_the_other(&self, body: &str) -> Duration {
        self.browser.switch(&self.second).await.unwrap();
        let begun = Instant::now();
        let args = [json!({ "room": "!a", "body": body })];
        self.browser.run("return await commands.enqueue(args[0])", &args).await.unwrap();
        wait("the message is taken", || self.server.seen().taken.iter().any(|taken| taken.body == body))
            .await;
        begun.elapsed()
    }

    /// The page that was gone is back: what both write arrives, once.
    async fn leads_again_once(&self) {
        for (tab, body) in [(&self.first, "first"), (&self.second, "second")] {
            self.browser.switch(tab).await.unwrap();
            let args = [json!({ "room": "!a", "body": body })];
            self.browser.run("return await commands.enqueue(args[0])", &args).await.unwrap();
        }
        wait("both arrive", || self.server.seen().taken.len() >= 3).await;
        let rows = || async { self.browser.run("return await commands.rows()", &[]).await.unwrap() };
        let begun = Instant::now();
        while rows().await.as_array().is_some_and(|rows| rows.iter().any(|row| row["state"] != "Sent")) {
            assert!(begun.elapsed() < HANGS, "never sent: {:#}", rows().await);
            tokio::time::sleep(LOOK).await;
        }
        let mut taken: Vec<_> = self.server.seen().taken.iter().map(|taken| taken.body.clone()).collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!((taken.len(), self.server.seen().taken.len()), (3, 3));
    }
}

async fn start(browser: &Browser, called: &str) {
    let args = [json!({ "name": "pair", "called": called, "patience_ms": PATIENCE_MS })];
    let who = browser.run("return await commands.start(args[0])", &args).await.unwrap();
    assert_eq!(who, Value::from(called));
}

async fn wait(what: &str, wish: impl Fn() -> bool) {
    let begun = Instant::now();
    while !wish() {
        assert!(begun.elapsed() < HANGS, "it never came to: {what}");
        tokio::time::sleep(LOOK).await;
    }
}
