use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Collection, Error, ErrorKind, Result, StorageAdapter};

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

    /// The moves that can be made beneath the adapter. Default: none, and the cases of `tampering` look at
    /// nothing. A backend on disk should list one for each column and key that gives a row its parent.
    fn moves(&self) -> Vec<Move> {
        Vec::new()
    }

    /// Makes a move, in the files of the store of the latest `open`, which the suite has closed. Each
    /// collection holds two rows with different parents by then, the first of them written first: what gives
    /// them their places is swapped.
    async fn make(&mut self, name: &'static str) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "test", format!("no such move: {name}")))
    }
}

/// Two rows of a kind that are given to each other's parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Its name, which means something to the harness alone.
    pub name: &'static str,
    /// The collection that is no longer as it was written.
    pub of: Collection,
    /// Whether the reads notice it; else the check alone does. The reads of a sealed store should notice
    /// whatever leads to a row.
    pub on_read: bool,
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

impl From<std::io::Error> for Failure {
    #[track_caller]
    fn from(error: std::io::Error) -> Self {
        Self::new(format_args!("unexpected error: {error:?}"))
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self::new(format_args!("unexpected error: {error:?}"))
    }
}
