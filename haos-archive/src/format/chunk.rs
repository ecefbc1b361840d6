//! Chunks: some rows of one collection as JSON, or bytes of a media item, behind a tag.

use std::fmt;

use haos_store_api::{Item, MediaInfo, Pending, Result, Room, Scope, StateEntry, state_kind};
use serde::Deserializer;
use serde::de::{self, SeqAccess};

use super::corrupt;
use super::row::{MOST_LISTED, Read, Row, Written};

/// A chunk of more bytes holds a single row.
pub(crate) const MANY_ROWS: usize = 4 << 20;

/// The content of a chunk: its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(crate) enum Tag {
    Rooms = 1,
    State = 2,
    Timeline = 3,
    Media = 4,
    Bytes = 5,
    Pending = 6,
}

impl Tag {
    pub(crate) fn of(byte: u8) -> Result<Self> {
        Ok(match byte {
            1 => Self::Rooms,
            2 => Self::State,
            3 => Self::Timeline,
            4 => Self::Media,
            5 => Self::Bytes,
            6 => Self::Pending,
            _ => return Err(corrupt("a chunk holds what no chunk holds")),
        })
    }
}

/// The rows of a chunk.
#[derive(Debug)]
pub(crate) enum Rows {
    Rooms(Vec<Room>),
    State(Vec<StateEntry>),
    Timeline(Vec<Item>),
    Media(MediaInfo),
    Bytes(Vec<u8>),
    Pending(Vec<Pending>),
}

/// Makes the JSON of a row; tells whether a reader would take it.
pub(crate) fn encode_row<T: Row>(row: &T, json: &mut Vec<u8>) -> bool {
    json.clear();
    let is_written = serde_json::to_writer(&mut *json, &Written(row)).is_ok();
    is_written && row.listed() <= MOST_LISTED && json.len() + 3 <= super::MOST_RAW as usize
}

/// Makes a chunk of media bytes.
pub(crate) fn bytes_chunk(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.insert(0, Tag::Bytes as u8);
    bytes
}

/// Tells whether a state entry is the login, which holds an access token, or a key of its device or of its rooms.
pub(crate) fn is_session(entry: &StateEntry) -> bool {
    let kind = entry.kind.as_str();
    entry.scope == Scope::Account && (kind == state_kind::SESSION || kind.starts_with(state_kind::KEYS))
}

/// Reads a chunk.
pub(crate) fn decode(mut raw: Vec<u8>) -> Result<Rows> {
    let tag = Tag::of(raw.first().copied().unwrap_or_default())?;
    let json = raw.get(1..).unwrap_or_default();
    Ok(match tag {
        Tag::Rooms => Rows::Rooms(rows(json)?),
        Tag::State => Rows::State(rows(json)?),
        Tag::Timeline => Rows::Timeline(rows(json)?),
        Tag::Pending => Rows::Pending(rows(json)?),
        Tag::Media => {
            let mut infos = rows(json)?;
            match (infos.pop(), infos.is_empty()) {
                (Some(info), true) => Rows::Media(info),
                _ => return Err(corrupt("a chunk holds several media items")),
            }
        }
        Tag::Bytes => {
            raw.remove(0);
            if raw.is_empty() {
                return Err(corrupt("a chunk of media bytes is empty"));
            }
            Rows::Bytes(raw)
        }
    })
}

fn rows<T: Row>(json: &[u8]) -> Result<Vec<T>> {
    let most = if json.len() < MANY_ROWS { usize::MAX } else { 1 };
    let mut from = serde_json::Deserializer::from_slice(json);
    let list = from
        .deserialize_seq(Several::<T> { most, kind: std::marker::PhantomData })
        .and_then(|list| from.end().map(|()| list))
        // The text of the error may quote content.
        .map_err(|e| corrupt(format!("a row is invalid at byte {} of its chunk", e.column())))?;
    if list.is_empty() { Err(corrupt("a chunk is empty")) } else { Ok(list) }
}

struct Several<T> {
    most: usize,
    kind: std::marker::PhantomData<T>,
}

impl<'de, T: Row> de::Visitor<'de> for Several<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(row)) = items.next_element()? {
            if list.len() == self.most {
                return Err(de::Error::invalid_length(list.len() + 1, &"one row in a chunk of this length"));
            }
            list.push(row);
        }
        Ok(list)
    }
}
