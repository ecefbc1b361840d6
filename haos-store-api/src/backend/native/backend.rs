use std::path::Path;
use std::sync::Arc;

use super::apart::Stop;
use super::job::Writer;
use super::options::Options;
use super::shell::Shell;
use crate::{ChangeHub, Codec, Form, Progress, Reads, Recovery, Report, Result, Revision};

/// What a store is to its [`Shell`]. One thread at a time has the value itself: the one that writes, or a caller for
/// the length of a short batch.
pub trait Backend: Sized + Send + 'static {
    /// Its name, such as `sqlite`; also in the names of its threads.
    const NAME: &'static str;
    /// The version of its format.
    const FORMAT: u32;
    /// Whether other processes may open the store at the same time. Their commits are then looked for.
    const SHARED: bool;
    /// What it is in: a file or a folder.
    const PLACE: &'static str;
    /// The form of its payloads.
    const FORM: Form;
    /// How long others are waited for unless the options say so.
    const BUSY_MS: u32;
    /// What reads.
    type Readers: Readers;
    /// What writes.
    type Writer: Writer;

    /// Opens the store, on the thread that will write it.
    fn open(options: &Options) -> Result<Opened<Self>>;

    /// What the next job works with. It may be opened only now: most of what is opened is read first.
    fn writer(&mut self, hub: &ChangeHub) -> Result<&mut Self::Writer>;

    /// Closes the store, after everybody who reads has ended.
    fn finish(self);

    /// Gives free space back.
    fn compact(shell: &Shell<Self>, progress: &Progress) -> impl Future<Output = Result<Report>> + Send;

    /// Reads every row and checks what can be checked, until it is stopped. Reads and writes go on meanwhile.
    fn check(readers: &Self::Readers, progress: &Progress, stop: &Stop) -> Result<Report>;

    /// Bytes on disk that [`Reads::usage`] does not count.
    fn bytes_beside(path: &Path) -> u64;
}

/// A store that was opened.
#[derive(Debug)]
pub struct Opened<B: Backend> {
    /// Stays on its thread.
    pub backend: B,
    /// Shared by all who read.
    pub readers: Arc<B::Readers>,
    /// What was found.
    pub found: Found,
}

/// What opening a store found.
#[derive(Debug)]
pub struct Found {
    /// With the store's keys.
    pub codec: Codec,
    /// The latest commit.
    pub revision: Revision,
    /// What was damaged.
    pub recovery: Option<Recovery>,
    /// Copies of the store that were set aside.
    pub set_aside: Vec<String>,
    /// It cannot be written.
    pub read_only: bool,
}

/// What reads a store, shared by all its threads.
pub trait Readers: Send + Sync + 'static {
    /// What the reading thread reads with.
    type Reader: Reader;

    /// Reads on the caller's thread without waiting for anybody, and leaves a processor to the writer `beside_a_write`.
    /// None: the reading thread is to be asked.
    fn glance<T>(
        &self,
        beside_a_write: bool,
        operation: &'static str,
        read: &impl Fn(&dyn Reads) -> Result<T>,
    ) -> Option<Result<T>>;

    /// A reader for a thread of its own.
    fn connect(self: &Arc<Self>) -> Result<Self::Reader>;

    /// Closes what glances were done with, which may take long: on the writer's thread, when the store ends.
    fn close(&self) {}
}

/// What one thread reads with.
pub trait Reader {
    /// Reads one commit; the read may be done twice.
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T>;
}

impl<R: Reader> Reader for Arc<R> {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        (**self).read(operation, read)
    }
}
