//! What a backend owes that keeps its stores at a path: named cases about files, processes, damage and keys.
//!
//! A backend gives a [`DurableHarness`] and stamps out the tests with [`durable_suite!`](crate::durable_suite).
//! What it does not offer (damage, sealing, a disk of its own) the cases pass over.
//!
//! `HAOS_KILLS` sets how often a writer is killed (8 times if not).

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

/// A named case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name: `module::case`.
    pub name: &'static str,
    /// Runs it.
    pub run: for<'a> fn(&'a dyn DurableHarness) -> CaseFuture<'a>,
}

/// Runs one of [`CASES`] by its name.
///
/// # Panics
/// If the case fails, or there is none of that name.
pub async fn run(name: &str, harness: &dyn DurableHarness) {
    let case = CASES.iter().find(|case| case.name == name);
    let outcome = match case {
        Some(case) => (case.run)(harness).await,
        None => Err(Failure::new("no such case")),
    };
    give_up_on(outcome, name);
}

/// [`run`] with all in boxes, so that the tests a macro stamps out compile to little.
#[doc(hidden)]
pub fn run_boxed(
    name: &'static str,
    harness: Box<dyn DurableHarness>,
) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move { run(name, harness.as_ref()).await })
}
