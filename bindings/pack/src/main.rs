//! Builds the engine of the npm package `@haos/web` into `js/packages/web/dist/engine`, and that of `@haos/testing`.
//!
//! ```sh
//! cargo xtask js build                    # installs what is missing, then runs this and the compiler of TypeScript
//! ```
//!
//! The engine comes in three parts: the first has the functions that run, in Chromium, until a first screen is there; the
//! last those of the crates that only an account with an encrypted room needs; and the rest is between.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use haos_bundle::{Bundle, Seldom};
use haos_e2e::browser::{Browser, BrowserEngine, BrowserOptions, Site, SiteOptions};

/// The package that is built.
const PACKAGE: &str = "haos-client-web";
/// The name of the part that only an encrypted room needs, the crates that it is of, and what calls them.
const KEYS: &str = "keys";
const KEY_CRATES: [&str; 14] = [
    "curve25519_dalek",
    "ed25519_dalek",
    "haos_crypto",
    "matrix_pickle",
    "matrix_sdk_common",
    "matrix_sdk_crypto",
    "prost",
    "ruma",
    "ruma_common",
    "ruma_events",
    "ruma_client_api",
    "ruma_identifiers_validation",
    "vodozemac",
    "x25519_dalek",
];
const GATES: [&str; 1] = ["haos_matrix::e2ee"];

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
    let Seen { all, first } = runtime.map_err(told)?.block_on(see(site))?;
    let keys = bundle.apart(Seldom { crates: &KEY_CRATES, gates: &GATES }, &all).map_err(told)?;
    bundle.thirds(&engine, &first, (KEYS, &keys)).map_err(told)?;
    copy(&root.join("haos-store-idb/js/early.js"), &engine)?;
    without_addresses(&engine)?;

    // For tests, which load it from a file.
    bundle.whole(&packages.join("testing/dist/engine")).map_err(told)?;
    println!("{} functions of the first half, {} for keys; {}", first.len(), keys.len(), engine.display());
    Ok(())
}

/// Functions that ran, by their numbers.
struct Seen {
    /// In a session without an encrypted room.
    all: BTreeSet<u32>,
    /// Until a first screen is there.
    first: BTreeSet<u32>,
}

async fn see(site: SiteOptions) -> Result<Seen> {
    let site = Site::start(site).await.map_err(told)?;
    let browser = Browser::start(BrowserEngine::Chromium, BrowserOptions::default()).await.map_err(told)?;
    let url = site.url("/index.html");
    let run = async |script: &str| {
        browser.goto(&url).await.map_err(told)?;
        let numbers = browser.run(script, &[]).await.map_err(told)?;
        // The next page and its module as new.
        browser.goto("about:blank").await.map_err(told)?;
        haos_bundle::ran(&numbers).ok_or_else(|| format!("nothing ran for '{script}'"))
    };
    let mut all = run("return await fill('first')").await?;
    let first = run("return await first('first')").await?;
    all.extend(&first);
    all.extend(run("return await use('used')").await?);
    browser.quit().await.map_err(told)?;
    Ok(Seen { all, first })
}

/// Writes a copy of the glue for service workers, which names no file relative to itself: a bundler would put the module into
/// their script, which is loaded whole each time that the browser starts it.
fn without_addresses(engine: &Path) -> Result {
    let name = PACKAGE.replace('-', "_");
    let mut glue = fs::read_to_string(engine.join(format!("{name}.js"))).map_err(told)?;
    for part in ["bg", "rest", KEYS] {
        let file = format!("\"{name}_{part}.wasm\"");
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
