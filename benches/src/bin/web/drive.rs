//! The browsers, and what they are told.

use std::time::Duration;

use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};
use haos_e2e::{Error, Result};
use serde_json::{Value, json};

use crate::args::Args;
use crate::build::Built;
use crate::figures::{COLD, Measured, OPERATIONS, Scaled};

/// A round of the slowest contender, or its growth.
const SCRIPT: Duration = Duration::from_secs(1800);
const SIZES: [u32; 2] = [10_000, 500_000];
/// The contenders that grow.
const GROWING: [&str; 2] = ["haos", "dexie"];

/// One engine after the other.
pub(crate) async fn engines(built: &Built, args: &Args) -> Result<Vec<Measured>> {
    let options = SiteOptions::new(&built.page)
        .mount("/pkg/", &built.package)
        .mount("/peer/", &built.peer)
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
    for number in 0..=args.rounds {
        let mut turns = args.contenders.clone();
        turns.rotate_left(number % args.contenders.len());
        for contender in turns {
            let seen = round(&browser, contender, args).await?;
            eprintln!("  round {number} {contender:<12} {}", seen["times"]);
            // The first one warms code and caches up.
            if number > 0 {
                take(&mut measured, contender, &seen)?;
            }
        }
    }
    cold(&browser, site, args, &mut measured).await?;
    count(&browser, site, args, &mut measured).await?;
    if args.scale {
        grow(&browser, site, args, &mut measured).await?;
    }
    browser.quit().await?;
    Ok(measured)
}

async fn round(browser: &Browser, contender: &str, args: &Args) -> Result<Value> {
    browser.run("return await round(args[0], args[1])", &[contender.into(), args.messages.into()]).await
}

fn take(measured: &mut Measured, contender: &'static str, seen: &Value) -> Result<()> {
    for (operation, _) in OPERATIONS {
        measured.add(contender, operation, number(&seen["times"][operation])?);
    }
    measured.wrong.insert(contender, seen["wrong"].as_u64().unwrap_or_default());
    Ok(())
}

/// A page of its own for each start, which loads the contender's code, opens what is there, and reads.
async fn cold(browser: &Browser, site: &Site, args: &Args, measured: &mut Measured) -> Result<()> {
    let mut filled = Vec::new();
    for &contender in &args.contenders {
        let name = format!("cold-{contender}");
        let arguments = [contender.into(), name.clone().into(), args.messages.into()];
        filled.push((contender, name, browser.run("return await fill(...args)", &arguments).await?));
    }
    // More than rounds: they are short, and the first ones fill the caches.
    for number in 0..=args.rounds * 2 {
        filled.rotate_left(1);
        for (contender, name, expected) in &filled {
            browser.goto("about:blank").await?;
            let room = expected["room"].as_str().unwrap_or_default();
            browser.goto(&site.url(&format!("/cold.html#{contender},{name},{room}"))).await?;
            let wait = "for (let i = 0; i < 2000 && !window.started; i += 1) \
                await new Promise((resolve) => setTimeout(resolve, 10)); return window.started";
            let started = browser.run(wait, &[]).await?;
            let same = |key| started[key] == expected[key];
            if *contender != "dexie_seed" && !(same("first") && same("last")) {
                return Err(failed(contender, format!("its first page is another one: {started}")));
            }
            eprintln!("  cold {number} {contender:<12} {}", started["ms"]);
            if number > 0 {
                measured.add(contender, COLD.0, number_of(&started, "ms")?);
            }
        }
    }
    browser.goto(&site.url("/index.html")).await?;
    for (contender, name, _) in filled {
        browser.run("await remove(...args)", &[contender.into(), name.into()]).await?;
    }
    Ok(())
}

/// On a page of its own, since counting slows down.
async fn count(browser: &Browser, site: &Site, args: &Args, measured: &mut Measured) -> Result<()> {
    browser.goto(&site.url("/requests.html")).await?;
    for &contender in &args.contenders {
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

async fn grow(browser: &Browser, site: &Site, args: &Args, measured: &mut Measured) -> Result<()> {
    for contender in GROWING.into_iter().filter(|name| args.contenders.contains(name)) {
        browser.goto(&site.url("/index.html")).await?;
        let seen = browser.run("return await scale(...args)", &[contender.into(), json!(SIZES)]).await?;
        eprintln!("  scale {contender:<12} {seen}");
        for at in seen.as_array().into_iter().flatten() {
            measured.scale.push(Scaled {
                contender,
                messages: at["messages"].as_u64().unwrap_or_default(),
                newest_50: number_of(at, "newest_50")?,
                commit_of_5: number_of(at, "commit_of_5")?,
            });
        }
    }
    Ok(())
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
