//! Two pages and a service worker, one outbox.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, Tab};
use serde_json::{Value, json};

use crate::server::Server;
use crate::{browse, engines, show, site, turn};

const SLOTS: [&str; 3] = ["page1", "page2", "worker"];
const WORKER: usize = 2;
const ROOMS: [&str; 5] = ["!a", "!b", "!c", "!d", "!e"];
/// Between two messages of a context, at most: there are messages until the last leader was killed.
const PAUSE_MS: u32 = 160;
/// The time after which nothing more will happen.
const HANGS: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(10);

/// A page, or the service worker, that comes back whenever it is killed.
#[derive(Debug, Default)]
struct Slot {
    tab: Option<Tab>,
    /// The name of its present life.
    who: String,
    lives: usize,
}

struct World {
    engine: BrowserEngine,
    browser: Browser,
    site: Site,
    server: Server,
    /// A tab that takes no part and is never killed.
    control: Tab,
    slots: [Slot; 3],
    each: usize,
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn two_pages_and_a_service_worker_send_each_message_once_while_leaders_die() {
    let _turn = turn().await;
    for engine in engines(&[BrowserEngine::Chromium, BrowserEngine::Firefox]) {
        let begun = Instant::now();
        // Messages that each context writes. Firefox is slow with pages that are not shown.
        let (each, kills) = if engine == BrowserEngine::Chromium { (100, 10) } else { (30, 4) };
        let mut world = World::new(engine, each).await;
        world.revive().await;
        let mut hits = Vec::new();
        let mut waits = Vec::new();
        for kill in 0..kills {
            let wanted = SLOTS.len() * each * (kill + 1) / (kills + 2);
            world.until("messages are written", |world| world.acknowledged(None) >= wanted).await;
            world.server.chance().pause(300).await;
            let (at, how) = world.kill(kill).await;
            hits.push(how);
            world.revive().await;
            waits.push(world.replaced(at).await);
        }
        world
            .until("all is written", |world| SLOTS.iter().all(|slot| world.acknowledged(Some(slot)) >= each))
            .await;
        world.empties().await;
        world.verify().await;
        waits.sort_unstable();
        let seen = world.server.seen();
        eprintln!(
            "{engine}: {} messages of {} contexts ({} lives) acknowledged, {} taken once each by {} requests ({} came \
             again, {} answers lost, {} refusals); {} of {kills} kills hit the leader: {hits:?}; another led after \
             {waits:?}; {:?}",
            seen.wrote.len(),
            SLOTS.len(),
            world.slots.iter().map(|slot| slot.lives).sum::<usize>(),
            seen.taken.len(),
            seen.requests,
            seen.again,
            seen.lost,
            seen.refused,
            hits.len(),
            begun.elapsed(),
        );
        assert_eq!(hits.len(), kills, "every kill hits the leader");
    }
}

impl World {
    async fn new(engine: BrowserEngine, each: usize) -> Self {
        let server = Server::new(true);
        let site = site({
            let server = server.clone();
            move |request| server.clone().answer(request)
        })
        .await;
        let browser = Browser::start(engine, BrowserOptions::default()).await.unwrap();
        let control = browser.tab().await.unwrap();
        Self { engine, browser, site, server, control, slots: Default::default(), each }
    }

    /// How many messages were told to be in the outbox, by a slot or all.
    fn acknowledged(&self, slot: Option<&str>) -> usize {
        self.server.seen().wrote.iter().filter(|wrote| slot.is_none_or(|slot| wrote.slot == slot)).count()
    }

    async fn until(&self, what: &str, wish: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !wish(self) {
            assert!(
                begun.elapsed() < HANGS,
                "{}: it never came to: {what}; {:#?}",
                self.engine,
                self.server.seen()
            );
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whoever is dead lives again, and goes on writing.
    async fn revive(&mut self) {
        for at in 0..WORKER {
            if !self.lives(at).await {
                self.browser.switch(&self.control).await.unwrap();
                let tab = self.browser.new_tab().await.unwrap();
                self.browser.switch(&tab).await.unwrap();
                show(&self.browser, &self.site).await;
                self.slots[at].tab = Some(tab);
                self.begin(at, "return await commands[args[0]](args[1])").await;
            }
        }
        // A browser stops a worker that nobody needs: it is asked each time.
        self.browser.switch(self.slots[0].tab.as_ref().unwrap()).await.unwrap();
        self.begin(WORKER, "return await worker(args[0], args[1])").await;
    }

    /// Tells if a page is there. The crash of a tab may take others with it.
    async fn lives(&self, at: usize) -> bool {
        let Some(tab) = &self.slots[at].tab else { return false };
        if self.browser.switch(tab).await.is_err() {
            return false;
        }
        self.browser.run("return commands.role()", &[]).await.is_ok()
    }

    /// Starts a context, unless it runs, through the tab that commands go to. Firefox's worker does not send,
    /// since it could not be killed.
    async fn begin(&mut self, at: usize, command: &str) {
        let slot = &mut self.slots[at];
        let called = format!("{}#{}", SLOTS[at], slot.lives + 1);
        let start = json!({ "name": "shared", "called": called, "patience_ms": 3000, "drive": self.engine == BrowserEngine::Chromium || at != WORKER });
        let who = self.browser.run(command, &["start".into(), start]).await.unwrap();
        if who != json!(called) {
            return;
        }
        slot.lives += 1;
        slot.who = called;
        let count = self.each.saturating_sub(self.acknowledged(Some(SLOTS[at])));
        let write = json!({ "slot": SLOTS[at], "rooms": ROOMS, "count": count, "pause_ms": PAUSE_MS });
        self.browser.run(command, &["write".into(), write]).await.unwrap();
        self.browser.run(command, &["follow".into(), json!({ "pause_ms": 250 })]).await.unwrap();
    }

    /// The slot that leads, as the site was told.
    fn leader(&self) -> Option<usize> {
        let seen = self.server.seen();
        self.slots.iter().position(|slot| {
            let last = seen.roles.iter().rev().find(|(who, ..)| *who == slot.who);
            last.is_some_and(|(_, role, _)| role == "Leading")
        })
    }

    /// Kills the leader; when, and how.
    async fn kill(&mut self, number: usize) -> (Instant, &'static str) {
        self.until("somebody leads", |world| world.leader().is_some()).await;
        let at = self.leader().unwrap();
        if at == WORKER {
            self.browser.switch(self.slots[0].tab.as_ref().unwrap()).await.unwrap();
            self.browser.devtools("ServiceWorker.enable", json!({})).await.unwrap();
            let role = self.browser.run("return await worker('role')", &[]).await.unwrap();
            assert_eq!(role, json!("Leading"));
            let killed = Instant::now();
            self.browser.devtools("ServiceWorker.stopAllWorkers", json!({})).await.unwrap();
            return (killed, "worker stopped");
        }
        self.browser.switch(self.slots[at].tab.as_ref().unwrap()).await.unwrap();
        assert_eq!(self.browser.run("return commands.role()", &[]).await.unwrap(), json!("Leading"));
        let killed = Instant::now();
        let how = if self.engine == BrowserEngine::Chromium && number.is_multiple_of(4) {
            self.browser.crash_tab().await.unwrap();
            "tab crashed"
        } else {
            self.browser.close_tab().await.unwrap();
            "tab closed"
        };
        self.slots[at].tab = None;
        (killed, how)
    }

    /// How long after a kill another context led.
    async fn replaced(&self, killed: Instant) -> Duration {
        let next = |world: &Self| {
            let seen = world.server.seen();
            let mut roles = seen.roles.iter().filter(|(_, role, _)| role == "Leading");
            roles.find(|(.., at)| *at > killed).map(|(.., at)| *at - killed)
        };
        self.until("another leads", |world| next(world).is_some()).await;
        next(self).unwrap()
    }

    /// Waits until the outbox is empty.
    async fn empties(&self) {
        self.browser.switch(self.slots[0].tab.as_ref().unwrap()).await.unwrap();
        let begun = Instant::now();
        loop {
            let rows = self.browser.run("return await commands.rows()", &[]).await.unwrap();
            if rows.as_array().is_some_and(Vec::is_empty) {
                return;
            }
            assert!(begun.elapsed() < HANGS, "{}: these never leave: {rows:#}", self.engine);
            tokio::time::sleep(LOOK * 20).await;
        }
    }

    /// Each message once, a room's in the order in which they were written, in the server and in the store.
    async fn verify(&self) {
        let mut rooms: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        {
            let seen = self.server.seen();
            assert_eq!(seen.failed, Vec::<String>::new());
            let mut bodies = HashSet::new();
            for (place, taken) in seen.taken.iter().enumerate() {
                assert!(bodies.insert(&taken.body), "{} arrived twice", taken.body);
                rooms.entry(taken.room.clone()).or_default().push((taken.seq, format!("$event{place}")));
            }
            for wrote in &seen.wrote {
                let taken = seen.taken.iter().find(|taken| taken.body == wrote.body);
                let taken = taken.unwrap_or_else(|| panic!("{} was acknowledged and is lost", wrote.body));
                assert_eq!((&taken.room, taken.seq), (&wrote.room, wrote.seq), "{}", wrote.body);
            }
            for (room, events) in &rooms {
                assert!(events.is_sorted_by(|a, b| a.0 < b.0), "{room} out of order: {events:?}");
            }
        }
        for (slot, name) in self.slots.iter().zip(SLOTS).take(WORKER) {
            self.browser.switch(slot.tab.as_ref().unwrap()).await.unwrap();
            self.browser.run("return await commands.sync()", &[]).await.unwrap();
            let stored = self.browser.run("return await commands.timelines()", &[]).await.unwrap();
            for (room, events) in &rooms {
                let events: Vec<_> = events.iter().map(|(_, id)| Value::from(id.as_str())).collect();
                assert_eq!(stored[room], json!({ "events": events, "gaps": 0 }), "{room} in {name}");
            }
        }
    }
}

/// The service worker alone, woken up by the browser, sends what pages left.
#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_service_worker_sends_what_a_closed_page_left() {
    let _turn = turn().await;
    for engine in engines(&[BrowserEngine::Chromium]) {
        let server = Server::new(false);
        let answering = server.clone();
        let site = site(move |request| answering.clone().answer(request)).await;
        let browser = browse(engine, BrowserOptions::default(), &site).await;
        let begun = Instant::now();
        // The page enqueues and does not send.
        let script = "const context = await Context.open('left', 'page', 3000);
            for (let i = 0; i < 20; i += 1) await context.enqueue('!a', `left ${i}`);
            context.free();
            await navigator.serviceWorker.register('worker.js', { type: 'module' });
            const registration = await navigator.serviceWorker.ready;
            await registration.sync.register('left');
            return 20";
        browser.run(script, &[]).await.unwrap();
        let all = || server.seen().taken.iter().map(|taken| taken.body.clone()).collect::<Vec<_>>();
        while all().len() < 20 && begun.elapsed() < HANGS {
            tokio::time::sleep(LOOK).await;
        }
        assert_eq!(all(), (0..20).map(|i| format!("left {i}")).collect::<Vec<_>>());
        eprintln!("{engine}: a `sync` event sent 20 messages; {:?} from the page's first", begun.elapsed());
    }
}
