use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Collection, Error, ErrorKind, Result, StorageAdapter};

/// The suite's view of a backend: a store, and the same store after a restart.
///
/// A harness holds at most one store at a time. For a store in files, a fresh temporary directory for each `open` will
/// do.
#[async_trait(?Send)]
pub trait Harness {
    /// Opens a new, empty store; a store that was open before is no longer needed.
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>>;

    /// Opens the store of the latest `open` again, as a new process would after the old one was
    /// killed: the suite has let go of its handles and has not closed them.
    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>>;

    /// Lists the moves that can be made beneath the adapter. Default: none, and the cases of `tampering` check nothing.
    /// A backend on disk should list one for each column and key that gives a row its parent.
    fn moves(&self) -> Vec<Move> {
        Vec::new()
    }

    /// Makes a move, in the files of the store of the latest `open`, which the suite has closed. Each collection then
    /// holds two rows with different parents, the first of them written first: the move swaps the columns or keys that
    /// give them their places.
    async fn make(&mut self, name: &'static str) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "test", format!("no such move: {name}")))
    }
}

/// An exchange of two rows' parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Its name, with a meaning to the harness alone.
    pub name: &'static str,
    /// The collection that it changes.
    pub of: Collection,
    /// True if the reads notice it; else the check alone does. The reads of a sealed store should notice a change on
    /// any way to a row.
    pub on_read: bool,
}

/// The outcome of a case.
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

/// A breach of the contract.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// Makes a failure, described where it is seen.
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
