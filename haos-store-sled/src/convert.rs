//! Sealing a plain store and unsealing a sealed one: into a folder within its own, which then takes the place of what is
//! there. Until that moment the store is as it was; cut off, it begins anew.

use std::collections::HashMap;

use haos_store_api::law::Rows;
use haos_store_api::native::{Options, Stop, To, cut_off, unlock};
use haos_store_api::*;

use crate::backend::Sled;
use crate::db::{Db, Order, Pair};
use crate::draft::Draft;
use crate::error::guarded;
use crate::home::Home;
use crate::keys;
use crate::open::{Opened, connect};
use crate::options::SledOptions;
use crate::record::{Cut, MessageRecord, media_columns};
use crate::rows::SledRows;
use crate::store::SledStore;
use crate::switch::{Old, Scratch, switch};

/// Rows of one commit into the new store.
const STEP: usize = 512;

impl SledStore {
    /// Seals the plain store at the options' path with the options' secret. It is written anew beside the old one, whose
    /// files are then deleted; what their blocks held may be read off the device until it reuses them. Cut off, it
    /// begins anew when it is called again. Copies of the store that were set aside as damaged stay plain:
    /// [`Report::set_aside`] names them.
    ///
    /// # Errors
    /// `Busy` while somebody has the store open, `Invalid` if it is sealed already or no secret is given,
    /// `Corrupt` if a row cannot be read, `Full`, `Io`. The store is as it was then.
    pub async fn seal(options: SledOptions, progress: Progress) -> Result<Report> {
        run(options, To::Sealed, progress).await
    }

    /// Unseals the store at the options' path, which the options' secret opens; see [`seal`](Self::seal).
    ///
    /// # Errors
    /// As [`seal`](Self::seal), `NotSealed` for a plain store, and `WrongKey`.
    pub async fn unseal(options: SledOptions, progress: Progress) -> Result<Report> {
        run(options, To::Plain, progress).await
    }
}

async fn run(options: SledOptions, to: To, progress: Progress) -> Result<Report> {
    to.run::<Sled, _>(options, move |options, stop| convert(options, to, &progress, stop)).await
}

fn convert(options: &Options, to: To, progress: &Progress, stop: &Stop) -> Result<Report> {
    let home = Home::take(options)?;
    let codec = to.source(&home, options)?;
    let (source, _) = connect(&options.clone().unlocked(codec), home).map_err(|(_, error)| error)?;
    let scratch = Scratch::create(source.home())?;
    let made = make(&source, to.target(options).at(scratch.path().to_owned()), progress, stop);
    let home = source.into_home();
    let Ok(mut report) = made else {
        // While the folder is still held.
        drop(scratch);
        return made;
    };
    switch(&home, scratch, Old::Removed)?;
    let copies = files::set_asides(options.path(), home.id());
    report.set_aside = copies.iter().map(|folder| folder.display().to_string()).collect();
    Ok(report)
}

/// The new store, whole and closed.
fn make(source: &Opened, target: Options, progress: &Progress, stop: &Stop) -> Result<Report> {
    let home = Home::take(&target)?;
    let codec = unlock(&home, &target)?;
    let (mut made, _) = connect(&target.unlocked(codec.clone()), home).map_err(|(_, error)| error)?;
    let report = guarded("convert", || copy(source, &mut made, &codec, progress, stop));
    made.release();
    report
}

fn copy(
    source: &Opened,
    made: &mut Opened,
    codec: &Codec,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report> {
    let from = source.db();
    let total = source.head.sums.iter().map(|size| size.rows).sum();
    let mut report = Report::default();
    let mut rooms = HashMap::new();
    let tree = made.files.tree.clone();
    for tag in [keys::ROOM, keys::MESSAGE, keys::GAP, keys::PENDING, keys::MEDIA, keys::STATE] {
        let mut pairs = from.scan(keys::whole(tag), Order::Up).peekable();
        while pairs.peek().is_some() {
            if stop.is_set() {
                return Err(cut_off());
            }
            let mut draft = Draft::new(made.head);
            let mut rows = SledRows::new(&tree, codec, &mut draft, Revision::ZERO);
            for pair in pairs.by_ref().take(STEP) {
                copy_row(from, &mut rows, &mut rooms, tag, pair?)?;
                report.rows += 1;
            }
            made.write(draft)?;
            progress.step(report.rows.min(total), total);
        }
    }
    let mut draft = Draft::new(made.head);
    draft.head.revision = source.head.revision;
    draft.head.last_seq = source.head.last_seq;
    made.write(draft)?;
    progress.step(total, total);
    Ok(report)
}

/// One row with everything that hangs on it, at the revision that wrote it.
fn copy_row(
    from: Db<'_>,
    to: &mut SledRows<'_>,
    rooms: &mut HashMap<u32, RoomId>,
    tag: u8,
    (key, row): Pair,
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
