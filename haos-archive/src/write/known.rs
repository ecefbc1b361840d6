//! Chunks that need not be made: those of the archive that is built on, and those of an interrupted backup.

use std::collections::HashMap;

use haos_store_api::{Error, ErrorKind, MediaInfo, MediaKey, Result};

use crate::Archive;
use crate::format::{Entry, Hash, Header, Rows, Tag, decode};
use crate::input::Input;

/// The place of a known chunk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In an earlier archive, or in this one: the number of its entry.
    Placed(usize),
    /// In the interrupted file, where its frame begins.
    Interrupted(u64),
}

/// The bytes of a media item by its key, size and time of fetching: they are taken for the same.
type Content = (MediaKey, u64, i64);

/// The known chunks and media.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those of the archives that are built on, and of the one that is being written.
    entries: Vec<Entry>,
    chunks: HashMap<Hash, Place>,
    media: HashMap<Content, Vec<Hash>>,
}

fn content(info: &MediaInfo) -> Content {
    (info.key.clone(), info.size, info.fetched_at_ms)
}

/// Media items as they pass by, one after the other.
#[derive(Default)]
struct Items {
    present: Option<(Content, u64, Vec<Hash>)>,
}

impl Items {
    /// Gives the item that ends here, if all its bytes were there.
    fn end(&mut self) -> Option<(Content, Vec<Hash>)> {
        let (content, bytes, hashes) = self.present.take()?;
        (bytes == content.1).then_some((content, hashes))
    }
}

impl Known {
    pub(super) fn place(&self, hash: &Hash) -> Option<Place> {
        self.chunks.get(hash).copied()
    }

    /// Notes a chunk, which may be on its way into the file; returns the number of its entry.
    pub(super) fn note(&mut self, entry: Entry) -> usize {
        let nr = self.entries.len();
        self.chunks.insert(entry.hash, Place::Placed(nr));
        self.entries.push(entry);
        nr
    }

    /// Notes where the frame of a chunk begins, and its length.
    pub(super) fn wrote(&mut self, nr: usize, offset: u64, length: u32) {
        if let Some(entry) = self.entries.get_mut(nr) {
            (entry.offset, entry.length) = (offset, length);
        }
    }

    /// Returns the entries of these numbers.
    pub(super) fn entries_of(&self, nrs: impl Iterator<Item = usize>) -> Vec<Entry> {
        nrs.filter_map(|nr| self.entries.get(nr).copied()).collect()
    }

    /// Returns the chunks of a media item's bytes.
    pub(super) fn bytes_of(&self, info: &MediaInfo) -> Option<&[Hash]> {
        self.media.get(&content(info)).map(Vec::as_slice)
    }

    /// Takes up the chunks of an archive to build on. Reads the descriptions of its media.
    pub(super) fn add_base(&mut self, base: &mut Archive) -> Result<()> {
        let mut items = Items::default();
        for entry in base.entries().to_vec() {
            self.note(entry);
            match entry.tag {
                Tag::Media => {
                    self.media.extend(items.end());
                    if let Rows::Media(info) = base.rows(&entry)? {
                        items.present = Some((content(&info), 0, Vec::new()));
                    }
                }
                Tag::Bytes => items.add(entry.hash, entry.raw),
                _ => {}
            }
        }
        self.media.extend(items.end());
        Ok(())
    }

    /// Takes up the chunks of an interrupted file, as far as they are whole. The bytes of an item count only if they
    /// follow its description without a hole.
    pub(super) fn add_interrupted(&mut self, file: &mut Input) -> Result<u64> {
        let (mut items, mut at) = (Items::default(), Header::BYTES as u64);
        loop {
            let frame = match file.frame(at) {
                Ok(frame) => frame,
                Err(error) if error.kind() == ErrorKind::Corrupt => break,
                Err(error) => return Err(error),
            };
            let Ok(tag) = Tag::of(frame.head.kind) else { break };
            let place = Place::Interrupted(at);
            self.chunks.entry(frame.head.hash).or_insert(place);
            match tag {
                Tag::Media => {
                    self.media.extend(items.end());
                    let info = frame.unpack().and_then(decode);
                    if let Ok(Rows::Media(info)) = info {
                        items.present = Some((content(&info), 0, Vec::new()));
                    }
                }
                Tag::Bytes => items.add(frame.head.hash, frame.head.raw),
                _ => {}
            }
            at += frame.head.frame_bytes();
        }
        self.media.extend(items.end());
        Ok(at)
    }
}

impl Items {
    fn add(&mut self, hash: Hash, raw: u32) {
        if let Some((_, bytes, hashes)) = &mut self.present {
            *bytes += u64::from(raw).saturating_sub(1);
            hashes.push(hash);
        }
    }
}

/// Refuses a base that cannot be built on.
pub(super) fn refuse(base: &Archive, encrypted: bool) -> Result<()> {
    if base.is_encrypted() != encrypted {
        let message = "an archive builds on others that are encrypted as it is: encrypt both, or none";
        return Err(Error::new(ErrorKind::Invalid, "backup", message));
    }
    if base.files.len() >= crate::format::MOST_FILES {
        let message = "the chain of archives has its full length: make a full one";
        return Err(Error::new(ErrorKind::Invalid, "backup", message));
    }
    Ok(())
}
