use std::collections::HashMap;

use super::columns::Cut;
use super::head::Head;
use super::keys;
use super::layer::Layer;
use super::reader::{Order, Reader};
use super::record::{MessageRecord, media_columns};
use super::rows::Transaction;
use super::tree::{Pair, Tree};
use crate::law::{MediaRows, OutboxRows, RoomRows, StateRows, TimelineRows};
use crate::{ByteRange, Codec, Error, Result, Revision, RoomId};

/// Rows, and bytes, about, of one layer.
const STEP_ROWS: u64 = 512;
const STEP_BYTES: u64 = 1 << 20;

/// Copies a tree into one whose counters are `head` and that holds no rows, through another codec: every row at the
/// revision that wrote it. Hands out a layer every few hundred rows or MiB of media, with the number of rows in it, to be written
/// before the next one is made.
///
/// # Errors
/// `Corrupt` for an unreadable row, and those of the trees and of `write`.
pub fn copy<F: Tree, T: Tree>(
    from: Reader<'_, F>,
    to: &T,
    codec: &Codec,
    mut head: Head,
    write: &mut dyn FnMut(Layer<T::Bytes>, u64) -> Result<()>,
) -> Result<()> {
    let mut rooms = HashMap::new();
    for tag in [keys::ROOM, keys::MESSAGE, keys::GAP, keys::PENDING, keys::MEDIA, keys::STATE] {
        let mut pairs = from.scan(keys::whole(tag), Order::Up).peekable();
        while pairs.peek().is_some() {
            let mut layer = Layer::new(head);
            let mut rows = Transaction::new(to, codec, &mut layer, Revision::ZERO);
            let (mut copied, mut bytes) = (0, 0);
            while copied < STEP_ROWS && bytes < STEP_BYTES {
                let Some(pair) = pairs.next().transpose()? else { break };
                bytes +=
                    pair.1.len() as u64 + if tag == keys::MEDIA { media_columns(&pair.1)?.0.size } else { 0 };
                copy_row(from, &mut rows, &mut rooms, tag, pair)?;
                copied += 1;
            }
            head = layer.head;
            write(layer, copied)?;
        }
    }
    let counters = from.head()?.unwrap_or_default();
    let mut layer = Layer::new(head);
    layer.head.revision = counters.revision;
    layer.head.last_seq = counters.last_seq;
    write(layer, 0)
}

/// Copies one row with its dependent rows.
fn copy_row<F: Tree, T: Tree>(
    from: Reader<'_, F>,
    to: &mut Transaction<'_, T>,
    rooms: &mut HashMap<u32, RoomId>,
    tag: u8,
    (key, row): Pair<F::Bytes>,
) -> Result<()> {
    let damaged = || from.corrupt("a key is damaged");
    let place = || {
        let (nr, at) = keys::parse_place(&key).ok_or_else(damaged)?;
        let room = rooms.get(&nr).cloned().ok_or_else(|| from.corrupt("a message or gap has no room"))?;
        Ok::<_, Error>((room, at))
    };
    let home = |room| from.codec.room_ref(room);
    match tag {
        keys::ROOM => {
            let (nr, room) = from.read_room(&keys::parse_last(&key).ok_or_else(damaged)?, &row)?;
            to.write_room(&room)?;
            rooms.insert(nr, room.id);
            Ok(())
        }
        keys::MESSAGE => {
            let (room, at) = place()?;
            to.revision = MessageRecord::decode(row.clone())?.written;
            to.insert_message(&from.read_message(home(&room), at, row)?).map(drop)
        }
        keys::GAP => {
            let (room, at) = place()?;
            to.write_gap(&from.read_gap(home(&room), at, &row)?)
        }
        keys::PENDING => to.write_pending(&from.read_pending(from.read_seq(&key)?, &row)?),
        keys::MEDIA => {
            let (blob, info) = from.read_media(&key, &row)?;
            to.revision = media_columns(&row)?.0.written;
            to.write_media_info(&info)?;
            to.append_media(&info.key, 0, &from.media_bytes(blob, info.size, ByteRange::ALL)?)
        }
        _ => {
            to.revision = Cut(&row).revision()?;
            to.write_state(&from.read_state(&key, &row)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Map;
    use super::*;
    use crate::{MediaFormat, MediaInfo, MediaKey, MediaUri};

    #[test]
    fn a_layer_holds_no_more_media_than_fits_into_memory() {
        let (mut from, codec) = (Map::new(), Codec::plain());
        let mut layer = Layer::new(Head::default());
        let mut rows = Transaction::new(&from, &codec, &mut layer, Revision(1));
        for n in 0..40 {
            let uri = MediaUri::new(format!("mxc://a/{n}")).unwrap();
            let key = MediaKey { uri, format: MediaFormat::new("").unwrap() };
            let (mime, rooms, last_access_ms, fetched_at_ms) = (None, Vec::new(), 0, 0);
            let size = 300 << 10;
            let info = MediaInfo { key, size, mime, rooms, last_access_ms, fetched_at_ms, pinned: false };
            rows.write_media_info(&info).unwrap();
            rows.append_media(&info.key, 0, &vec![n; size as usize]).unwrap();
        }
        from.extend(layer.into_changes().filter_map(|(key, value)| Some((key.into(), value?))));

        let (mut to, mut most, mut copied) = (Map::new(), 0, 0);
        let empty = Map::new();
        let reader = Reader::new(&from, &codec, "test");
        copy(reader, &empty, &codec, Head::default(), &mut |layer, rows| {
            let changes: Vec<_> = layer.into_changes().collect();
            most = most.max(changes.iter().filter_map(|(_, value)| value.as_ref().map(|v| v.len())).sum());
            to.extend(changes.into_iter().filter_map(|(key, value)| Some((key.into(), value?))));
            copied += rows;
            Ok(())
        })
        .unwrap();
        assert_eq!(copied, 40);
        assert!(most < 2 << 20, "{most} bytes at once");
        assert_eq!(to.len(), from.len());
    }
}
