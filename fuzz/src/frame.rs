//! The frame of a binary row, built from outside: arbitrary bytes get past the checksum and reach the
//! decoder behind it.

use haos_store_api::backend::{Codec, Form, Key};
use haos_store_api::{Membership, Revision, Room, RoomId};

/// The facts that a body is bound to: the collection's number, the keys and the columns.
pub struct Bound<'a> {
    /// The collection's number in the format.
    pub collection: u8,
    /// The keys, the row's own last.
    pub keys: &'a [&'a Key],
    /// The other columns.
    pub columns: &'a [i64],
}

/// Makes `version | crc32 | body`, the checksum over the body's binding and the body.
pub fn frame(bound: &Bound<'_>, body: &[u8]) -> Vec<u8> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[bound.collection]);
    bound.keys.iter().for_each(|key| crc.update(key.as_bytes()));
    bound.columns.iter().for_each(|column| crc.update(&column.to_be_bytes()));
    crc.update(body);
    [&[1], crc.finalize().to_le_bytes().as_slice(), body].concat()
}

/// Returns the body of a framed row.
pub fn body(row: &[u8]) -> &[u8] {
    &row[5..]
}

/// Fails when the format has moved on and this file has not: the targets would no longer reach far.
///
/// # Panics
/// If a row of the codec has another frame.
pub fn assert_current() {
    let codec = Codec::plain().in_form(Form::Binary);
    let mut room = Room::new(RoomId::new("!lobby").expect("a room id"), Membership::Join);
    (room.last_activity_ms, room.revision) = (7, Revision(9));
    let row = codec.room_row(&room).expect("a row");
    let bound = Bound { collection: 1, keys: &[&row.key], columns: &[7, 9] };
    let payload = row.payload.as_bytes();
    assert_eq!(frame(&bound, body(payload)), payload, "binary rows have another frame than frame.rs builds");
}
