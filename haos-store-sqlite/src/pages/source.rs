//! The pages of a file with its log.

use std::cell::RefCell;
use std::fs::File;
use std::io::{Read, Result, Seek, SeekFrom};
use std::path::Path;

use haos_store_api::backend::files::beside;

use super::log::Frames;
use super::{Bytes, PAGE};

/// The most pages that are looked at, a terabyte: a file of holes may claim any number.
const MOST_PAGES: u64 = 1 << 28;

/// A store's pages, as SQLite would see them: those in the log come before those of the file.
#[derive(Debug)]
pub(crate) struct Source {
    file: RefCell<File>,
    log: Option<RefCell<File>>,
    frames: Frames,
    count: u32,
}

impl Source {
    /// Opens a file, with the log beside it if it belongs there.
    pub(crate) fn open(path: &Path, with_log: bool) -> Result<Self> {
        let file = File::open(path)?;
        let log = if with_log { File::open(beside(path, "-wal")).ok() } else { None };
        let frames = log.as_ref().map(Frames::of).unwrap_or_default();
        let length = (file.metadata()?.len() / PAGE as u64).min(MOST_PAGES) as u32;
        // The log may hold pages that the file has not got yet.
        let in_log = frames.places.keys().max().copied().unwrap_or(0).min(frames.pages.unwrap_or(0));
        let count = length.max(in_log.min(MOST_PAGES as u32)).min(frames.pages.unwrap_or(u32::MAX));
        Ok(Self { file: RefCell::new(file), log: log.map(RefCell::new), frames, count })
    }

    /// Counts the pages.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Reads a page; absent beyond the end.
    pub(super) fn page(&self, page: u32) -> Option<Box<Bytes>> {
        let in_file = || u64::from(page).checked_sub(1).map(|before| before * PAGE as u64);
        let (file, at) = match (&self.log, self.frames.places.get(&page)) {
            (Some(log), Some(at)) => (log, *at),
            _ => (&self.file, in_file()?),
        };
        let mut bytes = Box::new([0; PAGE]);
        let mut file = file.borrow_mut();
        file.seek(SeekFrom::Start(at)).ok()?;
        file.read_exact(bytes.as_mut_slice()).ok()?;
        Some(bytes)
    }
}
