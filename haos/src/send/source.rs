use std::io;
#[cfg(not(target_arch = "wasm32"))]
use std::path::{Path, PathBuf};
use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};

use crate::error::{Error, Result};

/// The bytes that are stored in one commit, and stand in memory at once.
const PORTION: usize = 1 << 20;

#[cfg(not(target_arch = "wasm32"))]
type Chunks = Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>> + Send>>;
#[cfg(target_arch = "wasm32")]
type Chunks = Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>>>>;

/// The place that a file to send comes from: a path, bytes, or a stream of them.
pub struct FileSource {
    place: Place,
    told: Option<Box<Told>>,
}

#[cfg(not(target_arch = "wasm32"))]
type Told = dyn Fn(u64) + Send + Sync;
#[cfg(target_arch = "wasm32")]
type Told = dyn Fn(u64);

enum Place {
    Bytes(Vec<u8>),
    Chunks(Chunks),
    #[cfg(not(target_arch = "wasm32"))]
    Path(PathBuf),
}

impl FileSource {
    /// A file that comes in chunks of any size, none of which is kept in memory.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn stream<B: Into<Vec<u8>>>(chunks: impl Stream<Item = io::Result<B>> + Send + 'static) -> Self {
        Place::Chunks(Box::pin(chunks.map(|chunk| chunk.map(Into::into)).fuse())).into()
    }

    /// A file that comes in chunks of any size, none of which is kept in memory.
    #[cfg(target_arch = "wasm32")]
    pub fn stream<B: Into<Vec<u8>>>(chunks: impl Stream<Item = io::Result<B>> + 'static) -> Self {
        Place::Chunks(Box::pin(chunks.map(|chunk| chunk.map(Into::into)).fuse())).into()
    }

    /// Has it told how many bytes are copied, after each portion.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn told(self, told: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self { told: Some(Box::new(told)), ..self }
    }

    /// Has it told how many bytes are copied, after each portion.
    #[cfg(target_arch = "wasm32")]
    #[must_use]
    pub fn told(self, told: impl Fn(u64) + 'static) -> Self {
        Self { told: Some(Box::new(told)), ..self }
    }

    /// The name of the file, if its place has one.
    pub(super) fn name(&self) -> Option<String> {
        match &self.place {
            #[cfg(not(target_arch = "wasm32"))]
            Place::Path(path) => Some(path.file_name()?.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    /// Begins to read it.
    pub(super) fn open(self) -> Result<Portions> {
        let name = self.name();
        let inner = match self.place {
            Place::Bytes(bytes) => Inner::Rest(bytes),
            Place::Chunks(chunks) => Inner::Chunks(chunks, Vec::new()),
            #[cfg(not(target_arch = "wasm32"))]
            Place::Path(path) => Inner::File(file(&path)?),
        };
        Ok(Portions { name, inner, told: self.told, copied: 0 })
    }
}

impl From<Place> for FileSource {
    fn from(place: Place) -> Self {
        Self { place, told: None }
    }
}

impl From<Vec<u8>> for FileSource {
    fn from(bytes: Vec<u8>) -> Self {
        Place::Bytes(bytes).into()
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl From<PathBuf> for FileSource {
    fn from(path: PathBuf) -> Self {
        Place::Path(path).into()
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl From<&Path> for FileSource {
    fn from(path: &Path) -> Self {
        path.to_path_buf().into()
    }
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileSource").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// A file that is read portion by portion.
pub(super) struct Portions {
    name: Option<String>,
    inner: Inner,
    told: Option<Box<Told>>,
    /// The bytes that were given.
    copied: u64,
}

enum Inner {
    Rest(Vec<u8>),
    Chunks(Chunks, Vec<u8>),
    /// A file, and the bytes that are left of what it had when it was opened.
    #[cfg(not(target_arch = "wasm32"))]
    File((Option<std::fs::File>, u64)),
}

impl Portions {
    /// The next portion; empty at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>> {
        let read = match &mut self.inner {
            Inner::Rest(rest) => Ok(split(rest)),
            Inner::Chunks(chunks, rest) => gather(chunks, rest).await,
            #[cfg(not(target_arch = "wasm32"))]
            Inner::File((file, left)) => read(file, left).await,
        };
        let bytes = read.map_err(|e| {
            let name = self.name.clone().unwrap_or_else(|| "the file".to_owned());
            Error::File { name, problem: format!("it cannot be read: {e}") }
        })?;
        self.copied += bytes.len() as u64;
        if let Some(told) = &self.told {
            told(self.copied);
        }
        Ok(bytes)
    }
}

/// Takes a portion off the front.
fn split(rest: &mut Vec<u8>) -> Vec<u8> {
    if rest.len() <= PORTION {
        return std::mem::take(rest);
    }
    let later = rest.split_off(PORTION);
    std::mem::replace(rest, later)
}

async fn gather(chunks: &mut Chunks, rest: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    while rest.len() < PORTION {
        match chunks.next().await {
            Some(chunk) => rest.extend(chunk?),
            None => break,
        }
    }
    Ok(split(rest))
}

#[cfg(not(target_arch = "wasm32"))]
fn file(path: &Path) -> Result<(Option<std::fs::File>, u64)> {
    let name = || path.display().to_string();
    let failed = |e: io::Error| {
        let (_, remedy) = haos_store_api::backend::explain_io(&e);
        Error::File { name: name(), problem: format!("it cannot be read: {remedy} ({e})") }
    };
    // Asked first: to open a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        let problem = "it is no file: name one, or pack a folder first".to_owned();
        return Err(Error::File { name: name(), problem });
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    Ok((Some(file), size))
}

/// Reads beside the caller's thread where there is a runtime.
#[cfg(not(target_arch = "wasm32"))]
async fn read(file: &mut Option<std::fs::File>, left: &mut u64) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let Some(mut held) = file.take() else { return Err(io::Error::other("it was read only in part")) };
    let most = (*left).min(PORTION as u64);
    let work = move || {
        let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(PORTION));
        let read = (&mut held).take(most).read_to_end(&mut bytes);
        read.map(|_| (held, bytes))
    };
    let (held, bytes) = super::apart(work).await?;
    *file = Some(held);
    *left -= bytes.len() as u64;
    Ok(bytes)
}
