//! A quota that ends.

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site};
use serde_json::{Value, json};

use crate::{browse, engines, site, turn};

/// The bytes that the browser stores.
const QUOTA_BYTES: u64 = 6 << 20;
/// Of one media item.
const ITEM_BYTES: u32 = 400_000;

/// Puts media until it is refused: how many, and with what error.
const FILL: &str = "for (let i = 0; i < 200; i += 1) {
        try { await store.media(`${args[0]}${i}`, args[1]); } catch (error) { return [i, error.name, error.message]; }
    }
    return [200, 'none', '']";

struct Filling {
    browser: Browser,
    site: Site,
}

impl Filling {
    async fn new() -> Self {
        let site = site(|_| async { None }).await;
        let browser = browse(BrowserEngine::Chromium, BrowserOptions::default(), &site).await;
        let filling = Self { browser, site };
        // Before the first byte: the browser remembers for a while how much was left, and asks again only
        // when that is used up.
        filling.limit(QUOTA_BYTES).await;
        let script = "self.store = await Store.open('quota');
            for (let n = 1; n <= 20; n += 1) await store.commit(n)";
        filling.run(script, &[]).await;
        filling
    }

    /// Lets the browser store this number of bytes, and not one more.
    async fn limit(&self, quota: u64) {
        let params = json!({ "origin": self.site.origin(), "quotaSize": quota });
        self.browser.devtools("Storage.overrideQuotaForOrigin", params).await.unwrap();
    }

    async fn run(&self, script: &str, args: &[Value]) -> Value {
        self.browser.run(script, args).await.unwrap()
    }

    async fn holds(&self) -> Value {
        self.run("return JSON.parse(await store.holds())", &[]).await
    }
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn over_quota_a_batch_is_refused_whole_and_succeeds_later() {
    let _turn = turn().await;
    if engines(&[BrowserEngine::Chromium]).is_empty() {
        return;
    }
    let filling = Filling::new().await;
    let before = filling.holds().await;
    let filled = filling.run(FILL, &["more".into(), ITEM_BYTES.into()]).await;
    eprintln!("chromium: a quota of {QUOTA_BYTES} bytes took {filled}");
    assert_eq!(filled[1], "Full", "{filled}");
    let items = filled[0].as_u64().unwrap();
    let after = filling.holds().await;
    assert_eq!(after["media"].as_u64(), before["media"].as_u64().map(|media| media + items));
    // A batch of many records, too large for what is left, is not there in part.
    let large =
        "try { await store.messages('!large', 0, 2000, 2000); return 'stored' } catch (e) { return e.name }";
    assert_eq!(filling.run(large, &[]).await, "Full");
    assert_eq!(filling.run("return await store.count('!large')", &[]).await, 0);
    assert_eq!(filling.holds().await, after, "nothing of the batch, and reads go on");
    let committed = filling.run("return await store.count('!room1')", &[]).await;
    assert_eq!(committed, 35);
    filling.limit(64 << 20).await;
    assert_eq!(filling.run(large, &[]).await, "stored");
    assert_eq!(filling.run("return await store.count('!large')", &[]).await, 2000);
    let audit = "const { wrong } = JSON.parse(await store.audit());
        return wrong.filter((finding) => finding.startsWith('the check'))";
    assert_eq!(filling.run(audit, &[]).await, json!([]));
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn room_that_is_made_is_room() {
    let _turn = turn().await;
    if engines(&[BrowserEngine::Chromium]).is_empty() {
        return;
    }
    let filling = Filling::new().await;
    let filled = filling.run(FILL, &["more".into(), ITEM_BYTES.into()]).await;
    assert_eq!(filled[1], "Full", "{filled}");
    // In Chromium a transaction that puts anything is refused now, also one that removes more.
    let retry = "let removed = 0, refused = 0;
        for (let i = args[0]; i < args[1]; i += 1) {
            try { await store.remove_media(`more${i}`); removed += 1 }
            catch (error) { if (error.name !== 'Full') throw error; refused += 1 }
        }
        try { await store.messages('!new', 0, 300, 1000); return [removed, refused, 'taken'] }
        catch (error) { return [removed, refused, error.name] }";
    let half = json!(filled[0].as_u64().unwrap() / 2);
    let tried = filling.run(retry, &[json!(0), half.clone()]).await;
    eprintln!("chromium: full after {} items; removed, refused and then a batch: {tried}", filled[0]);
    // Removed items are gone; their bytes come free when Chromium compacts its files, at once or later.
    assert_eq!((&tried[0], &tried[1]), (&half, &json!(0)), "{tried}");
    filling.limit(QUOTA_BYTES * 2).await;
    let tried = filling.run(retry, &[half, filled[0].clone()]).await;
    assert_eq!((&tried[1], &tried[2]), (&json!(0), &json!("taken")));
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn what_the_user_writes_is_taken_where_media_is_refused() {
    let _turn = turn().await;
    if engines(&[BrowserEngine::Chromium]).is_empty() {
        return;
    }
    let filling = Filling::new().await;
    // By the kept store's own counting: media goes for media, and the headroom is the outbox's alone.
    let script = "self.kept = Context.kept(store, args[0], args[1]);
        const refused = [];
        for (let i = 0; i < 50; i += 1) {
            try { await kept.cache(`cached${i}`, 100_000) } catch (error) { refused.push(error.name); break }
        }
        const written = [];
        for (let i = 0; i < 20; i += 1) written.push(await kept.enqueue('!a', `unsent ${i} ${'.'.repeat(2000)}`));
        return [refused, written.length, JSON.parse(await store.holds()).media]";
    let kept = filling.run(script, &[json!(1_000_000), json!(200_000)]).await;
    eprintln!("chromium: a kept store of 1 MB: {kept}");
    assert_eq!(kept[1], 20);
    // By the browser's, of which it does not know: what can be fetched again goes for what the user writes.
    let filled = filling.run(FILL, &["more".into(), ITEM_BYTES.into()]).await;
    assert_eq!(filled[1], "Full", "{filled}");
    let script = "self.large = Context.kept(store, 2_000_000_000, 1_000_000);
        let written = 0, refused = '';
        for (; written < 300; written += 1) {
            try { await large.enqueue('!a', `more ${written} ${'.'.repeat(20_000)}`) }
            catch (error) { refused = `${error.name}: ${error.message}`; break }
        }
        return [written, refused, JSON.parse(await store.holds()).media]";
    let before = filling.holds().await;
    let written = filling.run(script, &[]).await;
    eprintln!("chromium: with {before} and the browser's quota used up, 300 messages of 20 KB: {written}");
    // Refused is not lost: what was taken is there, and with room again so is the rest.
    let rows = before["rows"].as_u64().unwrap() + written[0].as_u64().unwrap();
    assert_eq!(filling.holds().await["rows"], rows);
    filling.limit(64 << 20).await;
    let written = filling.run(script, &[]).await;
    assert_eq!(written[0], 300, "{written}");
    assert_eq!(filling.holds().await["rows"], rows + 300);
}
