use haos_e2e::browser::{SiteAnswer, SiteOptions, SiteRequest};
use serde_json::json;

use crate::{each, page};

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_page_is_loaded_and_answers() {
    each(SiteOptions::new(page()).isolated(true), async |_, browser| {
        let seen =
            browser.run("return [document.title, greeting, isSecureContext, args[0]]", &[json!(7)]).await;
        assert_eq!(seen.unwrap(), json!(["Page", "hello", true, 7]));
        // WebKit names isolation since later versions only.
        let isolated = browser.run("return self.crossOriginIsolated ?? true", &[]).await.unwrap();
        assert_eq!(isolated, json!(true));
        let thrown = browser.run("throw new TypeError('on purpose')", &[]).await.unwrap_err();
        assert!(thrown.to_string().contains("TypeError: on purpose"), "{thrown}");
    })
    .await;
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn a_handler_answers_and_loses_answers() {
    let options = SiteOptions::new(page()).handler(async |request: SiteRequest| match &*request.path {
        "/echo" => Some(SiteAnswer::json(&json!({ "sent": request.json(), "query": request.query }))),
        "/lost" => Some(SiteAnswer::lost()),
        "/refused" => Some(SiteAnswer::json(&json!({})).status(429)),
        _ => None,
    });
    each(options, async |_, browser| {
        let body = "
            const echo = await fetch('/echo?a=1', { method: 'PUT', body: JSON.stringify([1]) });
            const refused = await fetch('/refused');
            const missing = await fetch('/missing');
            const lost = await fetch('/lost', { method: 'POST' }).then(() => 'answered', () => 'lost');
            return [await echo.json(), refused.status, missing.status, lost]";
        let seen = browser.run(body, &[]).await.unwrap();
        assert_eq!(seen, json!([{ "sent": [1], "query": "a=1" }, 429, 404, "lost"]));
    })
    .await;
}

#[tokio::test]
#[ignore = "needs browsers: cargo xtask test --only web"]
async fn tabs_share_an_origin_and_a_service_worker() {
    each(SiteOptions::new(page()), async |site, browser| {
        let first = browser.tab().await.unwrap();
        let worker = "await navigator.serviceWorker.register('worker.js'); \
            await navigator.serviceWorker.ready; localStorage.setItem('a', '1'); return true";
        browser.run(worker, &[]).await.unwrap();
        let second = browser.new_tab().await.unwrap();
        browser.switch(&second).await.unwrap();
        browser.goto(&site.url("/index.html")).await.unwrap();
        let seen = "return [localStorage.getItem('a'), !!navigator.serviceWorker.controller]";
        assert_eq!(browser.run(seen, &[]).await.unwrap(), json!(["1", true]));
        assert_eq!(browser.tabs().await.unwrap().len(), 2);
        browser.close_tab().await.unwrap();
        browser.switch(&first).await.unwrap();
        assert_eq!(browser.tabs().await.unwrap(), [first]);
    })
    .await;
}
