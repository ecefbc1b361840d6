//! Builds the engine of the npm package `@haos/web` into `js/packages/web/dist/engine`, and that of `@haos/testing`.
//!
//! ```sh
//! cargo xtask js build                    # installs what is missing, then runs this and the compiler of TypeScript
//! ```
//!
//! The engine comes in two halves: the first has the functions that run, in Chromium, until a first screen is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use haos_bundle::Bundle;
use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};

/// The package that is built.
const PACKAGE: &str = "haos-client-web";

type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    if env::args().len() > 1 {
        eprintln!("usage: haos-pack");
        return ExitCode::from(2);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result {
    let program = env::current_exe().map_err(told)?;
    let target = program.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages = root.join("js/packages");
    let engine = packages.join("web/dist/engine");

    let bundle = Bundle::build(target, PACKAGE, &[]).map_err(told)?;
    let watched = target.join("bundle").join(PACKAGE).join("watched");
    bundle.watched(&watched).map_err(told)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let site = SiteOptions::new(root.join("bindings/pack/page"))
        .mount("/pkg/", &watched)
        .mount("/client/", packages.join("client/dist"))
        .mount("/testing/", packages.join("testing/dist"));
    let first = runtime.map_err(told)?.block_on(first(site))?;
    bundle.halves(&engine, &first).map_err(told)?;
    copy(&root.join("haos-store-idb/js/early.js"), &engine)?;
    without_addresses(&engine)?;

    // For tests, which load it from a file.
    bundle.whole(&packages.join("testing/dist/engine")).map_err(told)?;
    println!("{} functions of the first half; {}", first.len(), engine.display());
    Ok(())
}

/// The functions that run until a first screen is there, by their numbers.
async fn first(site: SiteOptions) -> Result<BTreeSet<u32>> {
    let site = Site::start(site).await.map_err(told)?;
    let browser = Browser::start(BrowserEngine::Chromium, BrowserOptions::default()).await.map_err(told)?;
    let url = site.url("/index.html");
    browser.goto(&url).await.map_err(told)?;
    browser.run("return await fill('first')", &[]).await.map_err(told)?;
    // The page and its module as new.
    browser.goto("about:blank").await.map_err(told)?;
    browser.goto(&url).await.map_err(told)?;
    let numbers = browser.run("return await first('first')", &[]).await.map_err(told)?;
    browser.quit().await.map_err(told)?;
    haos_bundle::ran(&numbers).ok_or_else(|| "nothing ran for a first screen".to_owned())
}

/// Writes a copy of the glue for service workers, which names no file relative to itself: a bundler would put the module into
/// their script, which is loaded whole each time that the browser starts it.
fn without_addresses(engine: &Path) -> Result {
    let name = PACKAGE.replace('-', "_");
    let mut glue = fs::read_to_string(engine.join(format!("{name}.js"))).map_err(told)?;
    for half in ["bg", "rest"] {
        let file = format!("\"{name}_{half}.wasm\"");
        let address = format!("new URL({file},import.meta.url)");
        if !glue.contains(&address) {
            return Err(format!("the glue names {file} in another way: look at without_addresses"));
        }
        glue = glue.replace(&address, &file);
    }
    fs::write(engine.join(format!("{name}_sw.js")), glue).map_err(told)
}

fn copy(file: &Path, folder: &Path) -> Result {
    let to: PathBuf = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to).map(drop).map_err(|e| format!("{}: {e}", to.display()))
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
