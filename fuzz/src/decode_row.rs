//! Any bytes as a stored row of any kind and form: an entity or an error, in bounded memory, and every
//! entity that is read can be written and read again in both forms.

use std::fmt::Debug;

use haos_store_api::{
    Codec, Form, Key, MediaColumns, MessageColumns, Payload, Position, Result, Revision, RoomId,
};

use crate::frame::{Bound, frame};

/// The kinds of row, by the first byte of an input.
pub const KINDS: u8 = 7;
/// Any columns do: they come from elsewhere than the payload.
const NUMBER: u64 = 5;
const KEY: [u8; Key::BYTES] = *b"a key, any of it";

/// The first byte says which kind, and whether the rest is a text row, the body of a binary row, or a
/// binary row with a frame of its own.
pub fn run(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let key = Key::from_bytes(KEY);
    let room = RoomId::new("!lobby").expect("a room id");
    let (position, n) = (Position::new(NUMBER).expect("a position"), NUMBER as i64);
    let columns = MessageColumns { position, timestamp_ms: n, written: Revision(NUMBER) };
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
            way.row(bytes, 1, &key, &[n, n]),
            &key,
            |codec, key, bytes| codec.room(key, n, Revision(NUMBER), bytes),
            |codec, room| codec.room_row(room).map(|row| (row.key, row.payload)),
        ),
        1 => holds(
            way.row(bytes, 2, &key, &[n, n, n]),
            &key,
            |codec, key, bytes| codec.message(&room, key, columns, bytes),
            |codec, message| codec.message_row(message, columns.written).map(|row| (row.key, row.payload)),
        ),
        2 => holds(
            way.row(bytes, 3, &Codec::plain().room_key(&room), &[n, n]),
            &key,
            |codec, _, bytes| codec.gap(&room, position, Revision(NUMBER), bytes),
            |codec, gap| codec.gap_row(gap).map(|row| (key, row.payload)),
        ),
        3 => holds(
            way.row(bytes, 4, &key, &[n, n, n]),
            &key,
            |codec, key, bytes| codec.pending(key, NUMBER, n, Revision(NUMBER), bytes),
            |codec, pending| codec.pending_row(pending).map(|row| (row.key, row.payload)),
        ),
        4 => holds(
            way.row(bytes, 5, &key, &[n, n, n, 0, n]),
            &key,
            |codec, key, bytes| codec.media_info(key, media, bytes),
            |codec, info| codec.media_row(info, media.blob, media.written).map(|row| (row.key, row.payload)),
        ),
        5 => holds(
            (way.form(), bytes.to_vec()),
            &key,
            |codec, _, bytes| codec.chunk(NUMBER, NUMBER, bytes),
            |codec, bytes| codec.chunk_row(NUMBER, NUMBER, bytes).map(|row| (key, row.payload)),
        ),
        _ => holds(
            way.row(bytes, 6, &key, &[n]),
            &key,
            |codec, key, bytes| codec.state(key, Revision(NUMBER), bytes),
            |codec, entry| codec.state_row(entry, Revision(NUMBER)).map(|row| (row.key, row.payload)),
        ),
    }
}

/// How the bytes of an input become a row.
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

    fn row(self, bytes: &[u8], collection: u8, key: &Key, columns: &[i64]) -> (Form, Vec<u8>) {
        let row = match self {
            Self::Body => frame(&Bound { collection, key, columns }, bytes),
            Self::Text | Self::Framed => bytes.to_vec(),
        };
        (self.form(), row)
    }
}

fn holds<E: PartialEq + Debug>(
    (form, row): (Form, Vec<u8>),
    key: &Key,
    decode: impl Fn(&Codec, &Key, &[u8]) -> Result<E>,
    encode: impl Fn(&Codec, &E) -> Result<(Key, Payload)>,
) {
    let codec = |form| Codec::plain().in_form(form);
    let Ok(entity) = decode(&codec(form), key, &row) else { return };
    for form in [Form::Text, Form::Binary] {
        let (key, payload) = match encode(&codec(form), &entity) {
            Ok(row) => row,
            Err(e) => panic!("what was read cannot be written as {form:?}: {e}\n{entity:?}"),
        };
        match decode(&codec(form), &key, payload.as_bytes()) {
            Ok(again) => assert_eq!(again, entity, "written as {form:?} and read again"),
            Err(e) => panic!("what was written as {form:?} cannot be read: {e}\n{entity:?}"),
        }
    }
}
