//! The contract as tests, for every backend: named cases, and random scripts against a naive model.
//!
//! A backend gives a [`Harness`] of two functions and stamps out the tests with
//! [`conformance_suite!`](crate::conformance_suite). Nothing here needs a runtime or a clock, so the suite
//! runs in a browser too; [`CASES`] and [`scripts`] can be called by any other test driver.
//!
//! ```
//! use std::sync::Arc;
//!
//! use haos_store_api::conformance::{CASES, Harness};
//! use haos_store_api::{MemoryStore, Result, StorageAdapter};
//!
//! #[derive(Default)]
//! struct Memory(MemoryStore);
//!
//! #[async_trait::async_trait(?Send)]
//! impl Harness for Memory {
//!     async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
//!         self.0 = MemoryStore::new();
//!         Ok(Arc::new(self.0.clone()))
//!     }
//!
//!     async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
//!         self.0 = self.0.reopen();
//!         Ok(Arc::new(self.0.clone()))
//!     }
//! }
//!
//! // In a test file: haos_store_api::conformance_suite!(tokio::test, Memory::default());
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! for case in CASES {
//!     (case.run)(&mut Memory::default()).await.expect(case.name);
//! }
//! # }
//! ```
//!
//! A harness that can also change stored rows beneath the adapter lists its [`moves`](Harness::moves): the suite then
//! requires the backend to notice rows in a wrong place.
//!
//! A backend that keeps its stores at a path has a second suite to pass, about files, processes, damage and keys:
//! `durable`, natively with the features `files` and `seal`.
//!
//! `HAOS_SCRIPTS` sets the number of scripts (default: 1000), `HAOS_SEED` the seed of the first.

#[macro_use]
mod suite;

mod cases;
mod check;
#[cfg(all(feature = "files", not(target_arch = "wasm32")))]
#[macro_use]
pub mod durable;
mod harness;
mod make;
mod script;

pub use harness::{Case, CaseFuture, Failure, Harness, Move, Outcome};
pub use script::{Scripts, script_bytes, script_of, scripts};
pub use suite::CASES;

/// Runs one of [`CASES`] by its name.
///
/// # Panics
/// If the case fails, or the name is unknown.
pub async fn run(name: &str, harness: &mut dyn Harness) {
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
    mut harness: Box<dyn Harness>,
) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move { run(name, harness.as_mut()).await })
}

/// Runs [`scripts`] with the environment's settings.
///
/// # Panics
/// If a script shows a fault.
pub async fn run_scripts(harness: &mut dyn Harness) {
    let outcome = scripts(harness, Scripts::from_env()).await;
    give_up_on(outcome, "scripts");
}

#[allow(clippy::panic, reason = "this is how a test fails")]
fn give_up_on(outcome: Outcome, name: &str) {
    if let Err(failure) = outcome {
        panic!("{name}: {failure}");
    }
}
