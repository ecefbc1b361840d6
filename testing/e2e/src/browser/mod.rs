//! Real browsers, driven over WebDriver, and a site on the loopback for them.
//!
//! ```no_run
//! use haos_e2e::browser::{Browser, BrowserOptions, BrowserEngine, Site, SiteOptions};
//!
//! # async fn run() -> haos_e2e::Result<()> {
//! let site = Site::start(SiteOptions::new("page")).await?;
//! let browser = Browser::start(BrowserEngine::Firefox, BrowserOptions::default()).await?;
//! browser.goto(&site.url("/index.html")).await?;
//! let title = browser.run("return document.title", &[]).await?;
//! # Ok(())
//! # }
//! ```
//!
//! It needs the browser and its driver: `chromedriver`, `geckodriver` or `WebKitWebDriver`, in the path or
//! where `CHROMEDRIVER`, `GECKODRIVER` or `SAFARIDRIVER` say (WebKitGTK's driver passes as Safari's, as it
//! does for wasm-bindgen's test runner). Tests of an engine run if `HAOS_BROWSERS` names it.

mod capabilities;
mod display;
mod engine;
mod options;
mod process;
mod session;
mod site;
mod tab;
mod tree;
mod wire;

pub use self::engine::BrowserEngine;
pub use self::options::BrowserOptions;
pub use self::session::Browser;
pub use self::site::{Handler, Site, SiteAnswer, SiteOptions, SiteRequest};
pub use self::tab::Tab;
