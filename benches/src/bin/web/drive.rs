//! The browsers, and what they are told.

use std::time::Duration;

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};
use haos_e2e::{Error, Result};
use serde_json::{Value, json};

use crate::args::Args;
use crate::build::Built;
use crate::figures::{COLD, KEPT, MIXED, Measured, OPERATIONS, SCALED, Scaled};

/// A round of all, or the filling of the largest database.
const SCRIPT: Duration = Duration::from_secs(3600);
const SIZES: [u32; 2] = [10_000, 500_000];
/// The contenders that grow.
const GROWING: [&str; 3] = ["haos", "haos_sealed", "dexie"];
/// The contenders that read and write beside each other.
const MIXING: [&str; 5] = ["haos", "haos_sealed", "raw", "opfs", "dexie"];
/// The time in which they do.
const MIXED_MS: u32 = 1500;
/// A log that is only written has no pages.
const ONLY_WRITES: &str = "raw_log";
/// Its requests are not the page's, and none of IndexedDB.
const NO_REQUESTS: &str = "opfs";
/// Our contender, and its start by what it kept.
const KEEPER: [&str; 2] = ["haos", "kept"];

/// One engine after the other.
pub(crate) async fn engines(built: &Built, args: &Args) -> Result<Vec<Measured>> {
    halve(built, args).await?;
    let options = SiteOptions::new(&built.page)
        .mount("/pkg/", &built.package)
        .mount("/store/", &built.store)
        .mount("/early/", &built.early)
        .mount("/peer/", &built.dexie.folder)
        .mount("/sqlite/", &built.sqlite.folder)
        // Precise timers, and scripts and modules from the cache, as with a page that is used daily.
        .isolated(true)
        .cached(true);
    let site = Site::start(options).await?;
    let mut all = Vec::new();
    for &engine in &args.engines {
        let folder = tempfile::tempdir().unwrap();
        all.push(measure(engine, &site, folder.path(), args).await?);
    }
    Ok(all)
}

/// Sees in one of the engines what our contender needs for a first page, and splits it by that.
async fn halve(built: &Built, args: &Args) -> Result<()> {
    let Some(&engine) = args.engines.first().filter(|_| built.is_ours()) else { return Ok(()) };
    let site = Site::start(
        SiteOptions::new(&built.page).mount("/pkg/", &built.watched).mount("/store/", &built.store),
    )
    .await?;
    let browser = Browser::start(engine, BrowserOptions::default().script_limit(SCRIPT)).await?;
    browser.goto(&site.url("/index.html")).await?;
    let filled = browser.run("return await fill('haos', 'first', 1000)", &[]).await?;
    browser.goto(&site.url("/first.html")).await?;
    let ran = browser.run("return await first(...args)", &["first".into(), filled["room"].clone()]).await?;
    browser.quit().await?;
    let ran = haos_bundle::ran(&ran).ok_or_else(|| failed("the first page", "nothing ran".to_owned()))?;
    built.halve(&ran).map_err(|cause| failed("our contender", cause))
}

/// The profile is on disk, where people have theirs.
async fn measure(
    engine: BrowserEngine,
    site: &Site,
    folder: &std::path::Path,
    args: &Args,
) -> Result<Measured> {
    let options = BrowserOptions::default().profile(folder.join("profile")).script_limit(SCRIPT);
    let browser = Browser::start(engine, options).await?;
    let mut measured = Measured::new(engine, browser.version());
    browser.goto(&site.url("/index.html")).await?;
    eprintln!("{engine} {}", browser.version());
    choose(&browser, args, &mut measured).await?;
    for number in 0..=args.rounds {
        let arguments = [json!(measured.contenders), args.messages.into(), number.into()];
        let seen = browser.run("return await round(...args)", &arguments).await?;
        for contender in measured.contenders.clone() {
            eprintln!("  round {number} {contender:<12} {}", seen[contender]["times"]);
            // The first one warms code and caches up.
            if number > 0 {
                take(&mut measured, contender, &seen[contender])?;
            }
        }
    }
    mix(&browser, args, &mut measured).await?;
    cold(&browser, site, args, &mut measured).await?;
    count(&browser, site, args, &mut measured).await?;
    if args.scale {
        grow(&browser, site, &mut measured).await?;
    }
    browser.quit().await?;
    Ok(measured)
}

/// Leaves out what this browser has not.
async fn choose(browser: &Browser, args: &Args, measured: &mut Measured) -> Result<()> {
    for &contender in &args.contenders {
        let missing = browser.run("return await missing(args[0])", &[contender.into()]).await?;
        match missing.as_str() {
            Some(why) => {
                eprintln!("  without {contender}: {why}");
                measured.missing.push((contender, why.to_owned()));
            }
            None => measured.contenders.push(contender),
        }
    }
    Ok(())
}

fn take(measured: &mut Measured, contender: &'static str, seen: &Value) -> Result<()> {
    for (operation, _) in OPERATIONS {
        let ms = &seen["times"][operation];
        if !(ms.is_null() && contender == ONLY_WRITES) {
            measured.add(contender, operation, number(ms)?);
        }
    }
    wrong(measured, contender, seen);
    Ok(())
}

fn wrong(measured: &mut Measured, contender: &'static str, seen: &Value) {
    let most = measured.wrong.entry(contender).or_default();
    *most = seen["wrong"].as_u64().unwrap_or_default().max(*most);
}

/// A reader and a writer at once: one contender after the other, each once a round.
async fn mix(browser: &Browser, args: &Args, measured: &mut Measured) -> Result<()> {
    let able: Vec<_> = measured.contenders.iter().copied().filter(|name| MIXING.contains(name)).collect();
    for number in 0..=args.rounds {
        for &contender in &able {
            let arguments = [contender.into(), args.messages.into(), MIXED_MS.into()];
            let seen = browser.run("return await mixed(...args)", &arguments).await?;
            eprintln!("  mixed {number} {contender:<12} {seen}");
            if number > 0 {
                measured.add(contender, MIXED[0].0, number_of(&seen, "pages")?);
                measured.add(contender, MIXED[1].0, number_of(&seen, "commits")?);
                wrong(measured, contender, &seen);
            }
        }
    }
    Ok(())
}

/// A page of its own for each start, which loads the contender's code, opens what is there, and reads.
async fn cold(browser: &Browser, site: &Site, args: &Args, measured: &mut Measured) -> Result<()> {
    let mut filled = Vec::new();
    for &contender in measured.contenders.iter().filter(|name| **name != ONLY_WRITES) {
        let name = format!("cold-{contender}");
        let arguments = [contender.into(), name.clone().into(), args.messages.into()];
        let expected = browser.run("return await fill(...args)", &arguments).await?;
        if contender == KEEPER[0] {
            filled.push((KEEPER[1], name.clone(), expected.clone()));
        }
        filled.push((contender, name, expected));
    }
    // More than rounds: they are short, and the first ones fill the caches.
    for number in 0..=args.rounds * 2 {
        filled.rotate_left(1);
        for (contender, name, expected) in &filled {
            browser.goto("about:blank").await?;
            let room = expected["room"].as_str().unwrap_or_default();
            let page = if *contender == KEEPER[1] { "early/early" } else { "cold" };
            browser.goto(&site.url(&format!("/{page}.html#{contender},{name},{room}"))).await?;
            let wait = "for (let i = 0; i < 2000 && !window.started; i += 1) \
                await new Promise((resolve) => setTimeout(resolve, 10)); return window.started";
            let started = browser.run(wait, &[]).await?;
            let same = |key| started[key] == expected[key];
            if *contender != "dexie_seed" && !(same("first") && same("last")) {
                return Err(failed(contender, format!("its first page is another one: {started}")));
            }
            eprintln!("  cold {number} {contender:<12} {}", started["ms"]);
            if number == 0 {
                continue;
            }
            let ms = number_of(&started, "ms")?;
            if *contender == KEEPER[1] {
                measured.add(KEEPER[0], KEPT.0, ms);
                continue;
            }
            measured.add(contender, COLD.0, ms);
            // Who keeps nothing starts as ever.
            if !contender.starts_with(KEEPER[0]) {
                measured.add(contender, KEPT.0, ms);
            }
        }
    }
    browser.goto(&site.url("/index.html")).await?;
    for (contender, name, _) in filled.into_iter().filter(|(contender, ..)| *contender != KEEPER[1]) {
        browser.run("await remove(...args)", &[contender.into(), name.into()]).await?;
    }
    Ok(())
}

/// On a page of its own, since counting slows down.
async fn count(browser: &Browser, site: &Site, args: &Args, measured: &mut Measured) -> Result<()> {
    browser.goto(&site.url("/requests.html")).await?;
    for contender in measured.contenders.clone().into_iter().filter(|name| *name != NO_REQUESTS) {
        let arguments = [contender.into(), args.messages.into()];
        let seen = browser.run("return await requests(...args)", &arguments).await?;
        eprintln!("  requests {contender:<12} {seen}");
        for (operation, _) in OPERATIONS {
            let of = |key: &str| seen[operation][key].as_u64();
            if let (Some(requests), Some(chain)) = (of("requests"), of("chain")) {
                measured.requests.insert((contender, operation), (requests, chain));
            }
        }
    }
    Ok(())
}

/// Pages that are gone fill the databases; one that is new uses both, and another one the large one alone, for the
/// memory that it takes.
async fn grow(browser: &Browser, site: &Site, measured: &mut Measured) -> Result<()> {
    let largest = SIZES[SIZES.len() - 1];
    let page = site.url("/index.html");
    for contender in GROWING.into_iter().filter(|name| measured.contenders.contains(name)) {
        browser.goto(&page).await?;
        for size in SIZES {
            browser.run("await prepare(...args)", &[contender.into(), size.into()]).await?;
        }
        renew(browser, &page).await?;
        let seen = browser.run("return await scale(...args)", &[contender.into(), json!(SIZES)]).await?;
        renew(browser, &page).await?;
        let arguments = [contender.into(), largest.into()];
        let grown = browser.run("return await memory(...args)", &arguments).await?;
        eprintln!("  scale {contender:<12} {seen}, memory {grown}");
        if let Some(bytes) = grown.as_u64() {
            measured.memory.insert(contender, bytes);
        }
        for at in seen.as_array().into_iter().flatten() {
            let mut ms = [0.0; SCALED.len()];
            for (ms, (key, _)) in ms.iter_mut().zip(SCALED) {
                *ms = number_of(at, key)?;
            }
            let messages = at["messages"].as_u64().unwrap_or_default();
            measured.scale.push(Scaled { contender, messages, ms });
        }
        for size in SIZES {
            browser.run("await discard(...args)", &[contender.into(), size.into()]).await?;
        }
    }
    Ok(())
}

/// The page as new: modules and their memory are others.
async fn renew(browser: &Browser, page: &str) -> Result<()> {
    browser.goto("about:blank").await?;
    browser.goto(page).await
}

fn number_of(value: &Value, key: &str) -> Result<f64> {
    number(&value[key])
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().ok_or_else(|| failed("the page's answer", format!("{value} is no time")))
}

fn failed(what: &str, cause: String) -> Error {
    Error::Failed { what: what.to_owned(), cause }
}
