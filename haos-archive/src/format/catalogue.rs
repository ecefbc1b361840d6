use std::collections::BTreeMap;

use haos_store_api::{Collection, Result, Revision};
use serde::{Deserialize, Serialize};

use super::{ArchiveId, Hash, Head, MOST_RAW, Tag, corrupt, u32_at, u64_at};
use crate::Summary;

/// The most archives of a chain.
pub(crate) const MOST_FILES: usize = 1000;
/// The most chunks of an archive: about 300 GB of media.
pub(crate) const MOST_CHUNKS: usize = (MOST_RAW as usize - (1 << 20)) / Entry::BYTES;

/// The place of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) tag: Tag,
    /// The number of the file in the chain, from 0.
    pub(crate) file: u16,
    /// The first byte of its frame.
    pub(crate) offset: u64,
    /// The bytes of its frame.
    pub(crate) length: u32,
    /// The bytes of the chunk.
    pub(crate) raw: u32,
    pub(crate) hash: Hash,
}

impl Entry {
    pub(crate) const BYTES: usize = 51;

    fn encode(&self, to: &mut Vec<u8>) {
        to.push(self.tag as u8);
        to.extend_from_slice(&self.file.to_le_bytes());
        to.extend_from_slice(&self.offset.to_le_bytes());
        to.extend_from_slice(&self.length.to_le_bytes());
        to.extend_from_slice(&self.raw.to_le_bytes());
        to.extend_from_slice(&self.hash);
    }

    fn decode(bytes: &[u8; Self::BYTES]) -> Result<Self> {
        let mut hash = Hash::default();
        hash.copy_from_slice(&bytes[19..]);
        Ok(Self {
            tag: Tag::of(bytes[0])?,
            file: u16::from_le_bytes([bytes[1], bytes[2]]),
            offset: u64_at(bytes, 3),
            length: u32_at(bytes, 11),
            raw: u32_at(bytes, 15),
            hash,
        })
    }
}

/// The chunks of an archive, in the order of its records, and what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) summary: Summary,
    pub(crate) entries: Vec<Entry>,
}

/// What an archive says of itself, in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    revision: u64,
    time_ms: i64,
    base: Vec<String>,
    session: bool,
    counts: BTreeMap<String, u64>,
    media_bytes: u64,
    left_out: BTreeMap<String, u64>,
}

impl Catalogue {
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let names = |counts: &BTreeMap<Collection, u64>| {
            counts.iter().map(|(collection, count)| (collection.name().to_owned(), *count)).collect()
        };
        let summary = &self.summary;
        let about = About {
            revision: summary.revision.0,
            time_ms: summary.time_ms,
            base: summary.base.iter().map(ArchiveId::to_string).collect(),
            session: summary.session,
            counts: names(&summary.counts),
            media_bytes: summary.media_bytes,
            left_out: names(&summary.left_out),
        };
        let about =
            serde_json::to_vec(&about).map_err(|e| corrupt("it cannot be described").with_source(e))?;
        let mut raw = Vec::with_capacity(4 + about.len() + self.entries.len() * Entry::BYTES);
        raw.extend_from_slice(&u32::try_from(about.len()).unwrap_or(u32::MAX).to_le_bytes());
        raw.extend_from_slice(&about);
        self.entries.iter().for_each(|entry| entry.encode(&mut raw));
        Ok(raw)
    }

    /// Reads the catalogue of the archive `id`, the last of its chain, whose frame begins at `end`.
    pub(crate) fn decode(raw: &[u8], id: ArchiveId, end: u64) -> Result<Self> {
        let len = u32_at(raw, 0) as usize;
        let about = raw.get(4..).and_then(|rest| rest.get(..len));
        let about = about.ok_or_else(|| corrupt("its catalogue is too short"))?;
        let about: About =
            serde_json::from_slice(about).map_err(|_| corrupt("its catalogue does not describe it"))?;
        let (entries, rest) = raw[4 + len..].as_chunks::<{ Entry::BYTES }>();
        if !rest.is_empty() || entries.len() > MOST_CHUNKS || about.base.len() >= MOST_FILES {
            return Err(corrupt("its catalogue has another length than its chunks"));
        }
        let base = about.base.iter().map(|id| ArchiveId::from_hex(id));
        let base: Option<Vec<_>> = base.collect();
        let base = base.ok_or_else(|| corrupt("its catalogue names an earlier archive that cannot be"))?;
        let summary = Summary {
            id,
            revision: Revision(about.revision),
            time_ms: about.time_ms,
            base,
            session: about.session,
            counts: counts(&about.counts)?,
            media_bytes: about.media_bytes,
            left_out: counts(&about.left_out)?,
        };
        let entries: Vec<Entry> = entries.iter().map(Entry::decode).collect::<Result<_>>()?;
        check(&entries, summary.base.len(), end)?;
        Ok(Self { summary, entries })
    }
}

fn counts(named: &BTreeMap<String, u64>) -> Result<BTreeMap<Collection, u64>> {
    let known = |name: &str| Collection::ALL.into_iter().find(|collection| collection.name() == name);
    named
        .iter()
        .map(|(name, count)| known(name).map(|collection| (collection, *count)))
        .collect::<Option<_>>()
        .ok_or_else(|| corrupt("its catalogue counts an unknown collection"))
}

/// Checks places and order, as far as they tell without their chunks. `own` is the number of the file itself.
fn check(entries: &[Entry], own: usize, end: u64) -> Result<()> {
    let mut before = None;
    let mut seen = std::collections::HashSet::new();
    for entry in entries {
        let place = entry.offset.checked_add(u64::from(entry.length));
        let is_placed = match usize::from(entry.file).cmp(&own) {
            std::cmp::Ordering::Less => place.is_some(),
            std::cmp::Ordering::Equal => place.is_some_and(|place| place <= end),
            std::cmp::Ordering::Greater => false,
        };
        if !is_placed || (entry.length as usize) < Head::BYTES || entry.raw > MOST_RAW {
            return Err(corrupt("its catalogue names a place outside of it"));
        }
        // Bytes follow their item; several items may have the same ones.
        let is_ordered = match (before, entry.tag) {
            (None, Tag::Bytes) => false,
            (None, _) => true,
            (Some(before), Tag::Bytes) => matches!(before, Tag::Media | Tag::Bytes),
            (Some(Tag::Bytes), Tag::Media) => true,
            (Some(before), tag) => before <= tag,
        };
        if !is_ordered || entry.tag != Tag::Bytes && !seen.insert(entry.hash) {
            return Err(corrupt("its catalogue names a chunk twice or in the wrong place"));
        }
        before = Some(entry.tag);
    }
    Ok(())
}
