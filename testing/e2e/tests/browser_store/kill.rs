//! Pages and browsers that die while they commit.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteAnswer, SiteRequest};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::{browse, engines, show, site, turn};

/// How often by default; `HAOS_KILLS` sets another number.
const KILLS: usize = 30;
/// The kills of a store: the check reads all of it each time.
const STORE: usize = 10;
/// How long a life lasts at most, from its first commit.
const LIFE_MS: u64 = 500;
const HANGS: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    TabCrashed,
    TabClosed,
    BrowserKilled,
}

/// The words of pages.
#[derive(Debug, Default)]
struct Told {
    /// The latest commit that a page was told to be done, and its revision.
    number: u64,
    revision: u64,
    commits: u64,
    compactions: u64,
    failed: Vec<String>,
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn what_was_committed_outlives_tabs_and_browsers_whole() {
    let _turn = turn().await;
    let wanted = std::env::var("HAOS_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    for engine in engines(&[BrowserEngine::Chromium, BrowserEngine::Firefox]) {
        let (ways, kills): (&[Way], usize) = match engine {
            BrowserEngine::Chromium => (&[Way::TabCrashed, Way::BrowserKilled, Way::TabClosed], wanted),
            // It has no devtools commands, and starts slowly.
            _ => (&[Way::TabClosed, Way::BrowserKilled], wanted.div_ceil(3)),
        };
        let begun = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let mut killing = Killing::new(engine, folder.path()).await;
        let mut done = Vec::new();
        for kill in 0..kills {
            let (way, store) = (ways[kill % ways.len()], format!("kill{}", kill / STORE));
            killing.live(&store).await;
            killing.die(way).await;
            let ahead = killing.verify(&store, way).await;
            done.push((way, ahead));
        }
        let told = killing.told.lock().unwrap();
        let count = |wanted: Way| done.iter().filter(|(way, _)| *way == wanted).count();
        eprintln!(
            "{engine}: {} kills ({} crashed tabs, {} closed tabs, {} killed browsers) over {} acknowledged commits \
             and {} whole compactions; {} times the next commit was there too; {:?}",
            done.len(),
            count(Way::TabCrashed),
            count(Way::TabClosed),
            count(Way::BrowserKilled),
            told.commits,
            told.compactions,
            done.iter().filter(|(_, ahead)| *ahead).count(),
            begun.elapsed(),
        );
    }
}

struct Killing {
    engine: BrowserEngine,
    options: BrowserOptions,
    browser: Option<Browser>,
    site: Site,
    told: Arc<Mutex<Told>>,
    chance: Chance,
    store: String,
}

impl Killing {
    async fn new(engine: BrowserEngine, folder: &Path) -> Self {
        let told: Arc<Mutex<Told>> = Arc::default();
        let listening = Arc::clone(&told);
        let site = site(move |request| {
            let answer = hear(&listening, &request);
            async move { answer }
        })
        .await;
        let options = BrowserOptions::default().profile(folder.join("profile"));
        Self { engine, options, browser: None, site, told, chance: Chance::new(), store: String::new() }
    }

    /// The browser, with a page that is ready.
    async fn browser(&mut self) -> &Browser {
        if self.browser.is_none() {
            self.browser = Some(browse(self.engine, self.options.clone(), &self.site).await);
        }
        self.browser.as_ref().unwrap()
    }

    /// A page commits, for a while.
    async fn live(&mut self, store: &str) {
        if self.store != store {
            self.store = store.to_owned();
            {
                let mut told = self.told.lock().unwrap();
                (told.number, told.revision) = (0, 0);
            }
            let audit = self.open(store).await;
            assert_eq!(audit["n"], 0);
        }
        let before = self.told.lock().unwrap().commits;
        let from = self.told.lock().unwrap().number + 1;
        let begin = "commits(store, args[0]).catch((error) => post('/failed', String(error)))";
        self.browser().await.run(begin, &[from.into()]).await.unwrap();
        let begun = Instant::now();
        while self.told.lock().unwrap().commits < before + 2 {
            let failed = !self.told.lock().unwrap().failed.is_empty();
            assert!(begun.elapsed() < HANGS && !failed, "{}: no commits; {:?}", self.engine, self.told);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.chance.pause(LIFE_MS).await;
    }

    async fn die(&mut self, way: Way) {
        let browser = self.browser.as_ref().unwrap();
        if way == Way::BrowserKilled {
            browser.kill();
            self.browser = None;
            return;
        }
        let next = browser.new_tab().await.unwrap();
        match way {
            Way::TabCrashed => browser.crash_tab().await.unwrap(),
            _ => browser.close_tab().await.unwrap(),
        }
        browser.switch(&next).await.unwrap();
        show(browser, &self.site).await;
    }

    async fn open(&mut self, store: &str) -> Value {
        let script = "self.store = await Store.open(args[0]);
            return { ...JSON.parse(await store.audit()), ...JSON.parse(store.info()) }";
        self.browser().await.run(script, &[store.into()]).await.unwrap()
    }

    /// Tells if one more commit is there than any page was told of.
    ///
    /// While records were written that Chromium keeps in files of their own (more than 64 KiB), it found its files
    /// damaged after one of thirty such kills, and erased the origin. Without them it never did.
    async fn verify(&mut self, store: &str, way: Way) -> bool {
        let audit = self.open(store).await;
        let mut told = self.told.lock().unwrap();
        let what = format!("{} {way:?}: {audit:#}; {told:?}", self.engine);
        assert_eq!(audit["wrong"], json!([]), "{what}");
        assert!(told.failed.is_empty(), "{what}");
        let (number, revision) = (audit["n"].as_u64().unwrap(), audit["revision"].as_u64().unwrap());
        let ahead = number.checked_sub(told.number);
        assert!(ahead.is_some_and(|ahead| ahead <= 1), "{what}");
        assert_eq!(Some(revision), told.revision.checked_add(number - told.number), "{what}");
        (told.number, told.revision) = (number, revision);
        ahead == Some(1)
    }
}

fn hear(told: &Mutex<Told>, request: &SiteRequest) -> Option<SiteAnswer> {
    let (mut told, body) = (told.lock().unwrap(), request.json());
    match &*request.path {
        "/committed" => {
            told.number = told.number.max(body["n"].as_u64()?);
            told.revision = told.revision.max(body["revision"].as_u64()?);
            told.commits += 1;
        }
        "/compacted" => told.compactions += 1,
        "/failed" => told.failed.push(body.as_str().unwrap_or_default().to_owned()),
        _ => return None,
    }
    Some(SiteAnswer::json(&json!({})))
}
