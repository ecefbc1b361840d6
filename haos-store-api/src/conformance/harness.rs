use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Error, Result, StorageAdapter};

/// What the suite needs of a backend: a store, and the same store after a restart.
///
/// A harness holds at most one store at a time. Where a store is kept in files, a fresh temporary
/// directory for each `open` will do.
#[async_trait(?Send)]
pub trait Harness {
    /// Opens a new, empty store; whatever was open before is of no interest any more.
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>>;

    /// Opens the store of the latest `open` again, as a new process would after the old one was
    /// killed: the suite has let go of its handles and has not closed them.
    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>>;
}

/// What a case came to.
pub type Outcome = Result<(), Failure>;

/// The run of a case.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// A named case.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name: `module::case`.
    pub name: &'static str,
    /// Runs it.
    pub run: for<'a> fn(&'a mut dyn Harness) -> CaseFuture<'a>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// How a backend fell short of the contract.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure, described where it is seen.
    #[track_caller]
    pub fn new(what: impl fmt::Display) -> Self {
        let place = Location::caller();
        Self(format!("{}:{}: {what}", place.file(), place.line()))
    }

    pub(super) fn within(self, context: impl fmt::Display) -> Self {
        Self(format!("{context}\n{}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self::new(format_args!("unexpected error: {error:?}"))
    }
}
