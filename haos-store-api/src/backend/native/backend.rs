use std::path::Path;
use std::sync::Arc;

use super::apart::Stop;
use super::job::Writer;
use super::options::Options;
use super::shell::Shell;
use crate::files::StoreId;
use crate::{ChangeHub, Codec, Form, Progress, Reads, Recovery, Report, Result, Revision};

/// A store as its [`Shell`] sees it. One thread at a time has the value itself: the writing one, or a caller's for the
/// length of a short batch.
pub trait Backend: Sized + Send + 'static {
    /// Its name, such as `sqlite`; also in the names of its threads.
    const NAME: &'static str;
    /// The version of its format.
    const FORMAT: u32;
    /// True if other processes may open the store at the same time; the shell then looks for their commits.
    const SHARED: bool;
    /// The kind of its location: a file or a folder.
    const PLACE: &'static str;
    /// The end of its mirror's path, which begins with the store's.
    const MIRROR: &'static str;
    /// The form of its payloads.
    const FORM: Form;
    /// The default wait for other holders.
    const BUSY_MS: u32;
    /// The reading side.
    type Readers: Readers;
    /// The writing side.
    type Writer: Writer;

    /// Opens the store, on the thread that will write it.
    fn open(options: &Options) -> Result<Opened<Self>>;

    /// Returns the writer for the next job. It may open only now: most stores are read first.
    fn writer(&mut self, hub: &ChangeHub) -> Result<&mut Self::Writer>;

    /// Closes the store, after all readers have ended.
    fn finish(self);

    /// Gives free space back.
    fn compact(shell: &Shell<Self>, progress: &Progress) -> impl Future<Output = Result<Report>> + Send;

    /// Reads every row and checks it as far as possible, until stopped. Reads and writes go on meanwhile.
    fn check(readers: &Self::Readers, progress: &Progress, stop: &Stop) -> Result<Report>;

    /// Counts the bytes on disk that [`Reads::usage`] does not.
    fn bytes_beside(path: &Path) -> u64;
}

/// A store that was opened.
#[derive(Debug)]
pub struct Opened<B: Backend> {
    /// Stays on its thread.
    pub backend: B,
    /// Shared by all readers.
    pub readers: Arc<B::Readers>,
    /// The findings of the opening.
    pub found: Found,
}

/// The findings of opening a store.
#[derive(Debug)]
pub struct Found {
    /// With the store's keys.
    pub codec: Codec,
    /// The store's own id.
    pub id: Option<StoreId>,
    /// The latest commit.
    pub revision: Revision,
    /// The damage found.
    pub recovery: Option<Recovery>,
    /// Copies of the store that were set aside.
    pub set_aside: Vec<String>,
    /// True if it cannot be written.
    pub read_only: bool,
}

/// The reading side of a store, shared by all its threads.
pub trait Readers: Send + Sync + 'static {
    /// The reader of the reading thread.
    type Reader: Reader;
    /// A reader that keeps to one commit.
    type Pinned: Reader + 'static;

    /// Reads on the caller's thread without waiting, and leaves a processor to the writer `beside_a_write`. `None`: ask
    /// the reading thread.
    fn glance<T>(
        &self,
        beside_a_write: bool,
        operation: &'static str,
        read: &impl Fn(&dyn Reads) -> Result<T>,
    ) -> Option<Result<T>>;

    /// Makes a reader for a thread of its own.
    fn connect(self: &Arc<Self>) -> Result<Self::Reader>;

    /// Makes a reader that sees the latest commit from now on, for a thread of its own; it reads with `codec`.
    fn pin(self: &Arc<Self>, codec: Codec) -> Result<Self::Pinned>;

    /// Closes the resources of glances, which may take long: on the writer's thread, when the store ends.
    fn close(&self) {}
}

/// A thread's reader.
pub trait Reader {
    /// Reads one commit; the read may be done twice.
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T>;
}

impl<R: Reader> Reader for Arc<R> {
    fn read<T>(&self, operation: &'static str, read: &impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        (**self).read(operation, read)
    }
}
