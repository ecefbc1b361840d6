//! The duties of a backend that keeps its stores at a path: named cases about files, processes, damage and keys.
//!
//! A backend gives a [`DurableHarness`] and stamps out the tests with [`durable_suite!`](crate::durable_suite), one for
//! each of [`CASES`]. The cases pass over features that it lacks (a way to damage its stores, sealing, a disk of its
//! own), so that a harness can begin small. The suite exists with the features `files` and `seal`, natively.
//!
//! ```
//! use std::path::Path;
//! use std::process::Command;
//! use std::sync::Arc;
//!
//! use haos_store_api::conformance::durable::{self, DurableHarness, Layout, Opening};
//! use haos_store_api::{MemoryStore, Result, StorageAdapter};
//!
//! struct Shelf(tempfile::TempDir);
//!
//! #[async_trait::async_trait]
//! impl DurableHarness for Shelf {
//!     fn layout(&self) -> Layout {
//!         Layout::file("s.shelf")
//!     }
//!
//!     fn folder(&self) -> &Path {
//!         self.0.path()
//!     }
//!
//!     async fn open(&self, opening: Opening) -> Result<Arc<dyn StorageAdapter>> {
//!         // A backend opens the store at `opening.path`, as the rest of it says.
//!         Ok(Arc::new(MemoryStore::new()))
//!     }
//!
//!     fn child(&self) -> Command {
//!         durable::this_test("durable::child").expect("the path of this program")
//!     }
//! }
//!
//! // In a test file: mod durable { haos_store_api::durable_suite!(tokio::test, super::shelf()); }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let shelf = Shelf(tempfile::tempdir().expect("a folder"));
//! durable::run("maintain::a_sound_store_has_no_findings", &shelf).await;
//! # }
//! ```
//!
//! The suite's batches and their parts ([`sample()`] and its parts) are open to a backend's further tests. `HAOS_KILLS`
//! sets the number of kills of a writer (default: 8).

#[macro_use]
mod suite;

mod cases;
mod child;
mod harness;
mod sample;
mod steps;

pub use child::{child, this_test};
pub use harness::{Damages, Disk, DurableHarness, Layout, Opening, Sealing, Tamper};
pub use sample::*;
pub use steps::files;
pub use suite::CASES;

use super::make::Store;
use super::{CaseFuture, Failure, give_up_on};

/// The harness of the cases.
type Durable = dyn DurableHarness;

/// A named case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name: `module::case`.
    pub name: &'static str,
    /// Runs it.
    pub run: for<'a> fn(&'a Durable) -> CaseFuture<'a>,
}

/// Runs one of [`CASES`] by its name.
///
/// # Panics
/// If the case fails, or the name is unknown.
pub async fn run(name: &str, harness: &Durable) {
    let case = CASES.iter().find(|case| case.name == name);
    let outcome = match case {
        Some(case) => (case.run)(harness).await,
        None => Err(Failure::new("no such case")),
    };
    give_up_on(outcome, name);
}

/// Runs as [`run`], with everything boxed, so that the tests of a macro compile to little.
#[doc(hidden)]
pub fn run_boxed(
    name: &'static str,
    harness: Box<dyn DurableHarness>,
) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move { run(name, harness.as_ref()).await })
}
