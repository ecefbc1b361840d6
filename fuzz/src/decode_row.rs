//! Any bytes as a stored row of any kind and form: an entity or an error, in bounded memory, and every entity that is
//! read can be written and read again in both forms.

use std::fmt::Debug;

use haos_store_api::backend::{Codec, Form, Key, Links, MediaColumns, MessageColumns, Payload, PendingColumns, StateColumns};
use haos_store_api::{Json, MediaKey, Position, Result, Revision, RoomId, Scope};

use crate::frame::{Bound, frame};

/// The kinds of row, by the first byte of an input.
pub const KINDS: u8 = 7;
/// Any columns will do: they come from elsewhere than the payload.
const NUMBER: u64 = 5;
const KEY: [u8; Key::BYTES] = *b"a key, any of it";

/// The first byte chooses the kind, and whether the rest is a text row, the body of a binary row, or a binary row with
/// a frame of its own.
pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let key = key_of(KEY);
    let room = RoomId::new("!lobby").expect("a room id");
    let (position, n) = (Position::new(NUMBER).expect("a position"), NUMBER as i64);
    let written = Revision(NUMBER);
    let home = Codec::plain().room_ref(&room);
    let columns = |links| MessageColumns { position, timestamp_ms: n, written, links };
    let pending = PendingColumns { seq: NUMBER, room: None, not_before_ms: n, revision: written };
    let state = |key: &Key| StateColumns { scope: key_of(KEY), kind: n, key: *key, written };
    let media = MediaColumns {
        blob: NUMBER,
        size: NUMBER,
        last_access_ms: n,
        pinned: false,
        written: Revision(NUMBER),
    };
    let way = Way::of(choice / KINDS);
    match choice % KINDS {
        0 => holds(
            way.row(bytes, 1, &[&key], &[n, n]),
            &key,
            |codec, key, bytes| codec.room(key, n, written, bytes),
            |codec, room| codec.room_row(room).map(|row| (row.key, row.payload)),
            |codec, row| Some(codec.room_key(&row.member("room_id")?.parse().ok()?)),
        ),
        1 => holds(
            way.row(bytes, 2, &[&home.key, &key], &[n, n, n, 0, 0, 0, 0]),
            &(key, Links::default()),
            |codec, (key, links), bytes| codec.message(home, key, columns(*links), bytes),
            |codec, message| {
                codec.message_row(message, written).map(|row| ((row.key, row.links()), row.payload))
            },
            |codec, row| {
                Some((codec.event_key(&room, &row.member("event_id")?.parse().ok()?), Links::default()))
            },
        ),
        2 => holds(
            way.row(bytes, 3, &[&home.key], &[n, n]),
            &(),
            |codec, (), bytes| codec.gap(home, position, written, bytes),
            |codec, gap| codec.gap_row(gap).map(|row| ((), row.payload)),
            |_, _| Some(()),
        ),
        3 => holds(
            way.row(bytes, 4, &[&key], &[n, n, n]),
            &key,
            |codec, key, bytes| codec.pending(key, pending, bytes),
            |codec, pending| codec.pending_row(pending).map(|row| (row.key, row.payload)),
            |codec, row| Some(codec.txn_key(&row.member("txn_id")?.parse().ok()?)),
        ),
        4 => holds(
            way.row(bytes, 5, &[&key], &[n, n, n, 0, n]),
            &key,
            |codec, key, bytes| codec.media_info(key, media, bytes),
            |codec, info| codec.media_row(info, media.blob, media.written).map(|row| (row.key, row.payload)),
            |codec, row| Some(codec.media_key(&row.member("key")?.parse::<MediaKey>().ok()?)),
        ),
        5 => holds(
            (way.form(), bytes.to_vec()),
            &(),
            |codec, (), bytes| codec.chunk(NUMBER, NUMBER, bytes),
            |codec, bytes| codec.chunk_row(NUMBER, NUMBER, bytes).map(|row| ((), row.payload)),
            |_, _| Some(()),
        ),
        _ => holds(
            way.row(bytes, 6, &[&key, &key], &[n, n]),
            &state(&key),
            |codec, columns, bytes| codec.state(*columns, bytes),
            |codec, entry| {
                let row = codec.state_row(entry, written)?;
                Ok((
                    StateColumns { scope: row.scope, kind: row.kind.short(), key: row.key, written },
                    row.payload,
                ))
            },
            |codec, row| {
                let scope = row.member("scope")?.parse::<Scope>().ok()?;
                Some(state(&codec.state_key(
                    &scope,
                    &row.member("kind")?.parse().ok()?,
                    &row.member("key")?.parse().ok()?,
                )))
            },
        ),
    }
}

fn key_of(bytes: [u8; Key::BYTES]) -> Key {
    Key::from_bytes(bytes)
}

/// The form of an input's bytes.
#[derive(Clone, Copy)]
enum Way {
    Text,
    Body,
    Framed,
}

impl Way {
    fn of(byte: u8) -> Self {
        match byte % 3 {
            0 => Self::Text,
            1 => Self::Body,
            _ => Self::Framed,
        }
    }

    fn form(self) -> Form {
        match self {
            Self::Text => Form::Text,
            Self::Body | Self::Framed => Form::Binary,
        }
    }

    fn row(self, bytes: &[u8], collection: u8, keys: &[&Key], columns: &[i64]) -> (Form, Vec<u8>) {
        let row = match self {
            Self::Body => frame(&Bound { collection, keys, columns }, bytes),
            Self::Text | Self::Framed => bytes.to_vec(),
        };
        (self.form(), row)
    }
}

/// Checks one row. Its place is its key and, for some kinds, columns that follow from its content. A text row is valid
/// only under the key of its ids.
fn holds<E: PartialEq + Debug, P: Clone>(
    (form, row): (Form, Vec<u8>),
    place: &P,
    decode: impl Fn(&Codec, &P, &[u8]) -> Result<E>,
    encode: impl Fn(&Codec, &E) -> Result<(P, Payload)>,
    told: impl Fn(&Codec, &Json) -> Option<P>,
) {
    let codec = |form| Codec::plain().in_form(form);
    let text = std::str::from_utf8(&row).ok().filter(|_| form == Form::Text);
    let own = text.and_then(|text| told(&codec(form), &Json::new(text).ok()?));
    let Ok(entity) = decode(&codec(form), own.as_ref().unwrap_or(place), &row) else { return };
    for form in [Form::Text, Form::Binary] {
        let (place, payload) = match encode(&codec(form), &entity) {
            Ok(row) => row,
            Err(e) => panic!("an entity that was read cannot be written as {form:?}: {e}\n{entity:?}"),
        };
        match decode(&codec(form), &place, payload.as_bytes()) {
            Ok(again) => assert_eq!(again, entity, "written as {form:?} and read again"),
            Err(e) => panic!("an entity written as {form:?} cannot be read: {e}\n{entity:?}"),
        }
    }
}
