//! The mirror of an open store: written with each commit that touches the outbox, compacted at quiet moments.

use std::path::{Path, PathBuf};

use super::super::job::{Submission, Writer};
use super::file::{Appended, MirrorFile, boot, replace, wipe};
use super::fold::Fold;
use super::frame::{Frame, Kind, Mark, scan};
use super::log::{after, before, whole};
use crate::files::StoreId;
use crate::{Error, ErrorKind, Op, Result, Revision, TxnId};

/// The length up to which a mirror is not worth a compaction.
const SHORT: u64 = 64 << 10;
/// The most commits between two attempts to make a mirror that cannot be made.
const LONGEST_WAIT: u32 = 1024;
const UNWRITABLE: &str = "the copy of the outbox cannot be written";

/// The mirror of a store, on the side of its writer.
#[derive(Debug)]
pub(in super::super) struct Keeper {
    /// Absent where no mirror is kept.
    place: Option<Place>,
    /// The number of chance of this handle.
    by: u64,
    open: Option<Open>,
    /// The failure since which the mirror is behind.
    trouble: Option<String>,
    /// Commits until the next attempt to make it.
    wait: u32,
    last_wait: u32,
    /// True if this handle has written to it.
    is_used: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    /// The store, whose rights the mirror has.
    pub(super) store: PathBuf,
    pub(super) shared: bool,
}

#[derive(Debug)]
struct Open {
    file: MirrorFile,
    fold: Fold,
    /// The length at which to look whether a compaction is due.
    look_at: u64,
}

impl Keeper {
    /// Keeps no mirror.
    pub(in super::super) fn off() -> Self {
        Self { place: None, by: 0, open: None, trouble: None, wait: 0, last_wait: 0, is_used: false }
    }

    /// Keeps the mirror at a place, where none is yet.
    pub(super) fn new(place: Place) -> Result<Self> {
        let by = StoreId::random()?.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Ok(Self { place: Some(place), by, ..Self::off() })
    }

    /// Goes on with a mirror that was read.
    pub(super) fn with(self, file: MirrorFile, fold: Fold) -> Self {
        Self { open: Some(Open { file, fold, look_at: SHORT }), ..self }
    }

    /// Appends a mark of the system's run.
    pub(super) fn mark(&mut self, mark: Frame) {
        let Some(open) = &mut self.open else { return };
        let mut bytes = Vec::new();
        mark.encode(&mut bytes);
        match open.file.append(&bytes) {
            Ok(Appended::Done) => open.fold.take(mark),
            Ok(Appended::Changed) => self.look_again(),
            Err(error) => self.give_up(&Error::io("outbox", UNWRITABLE, error)),
        }
    }

    /// Tells the mirror what a commit is about to change; returns the transactions.
    pub(in super::super) fn before<'s>(
        &mut self,
        writer: &mut impl Writer,
        group: impl IntoIterator<Item = &'s Submission>,
    ) -> Vec<TxnId> {
        let (mut txns, mut keys) = (Vec::new(), Vec::new());
        for op in group.into_iter().flat_map(|request| request.batch().ops()) {
            let (txn_id, is_fresh) = match op {
                Op::PutPending(row) => {
                    (&row.txn_id, row.revision == Revision::ZERO && row.first_attempt_ms.is_none())
                }
                Op::RemovePending(txn_id) => (txn_id, false),
                _ => continue,
            };
            txns.push(txn_id.clone());
            keys.push((writer.codec().txn_key(txn_id), is_fresh));
        }
        if self.place.is_some() && !txns.is_empty() && self.open.is_some() {
            self.append(writer, |fold, by| before(fold, by, &keys));
        }
        txns
    }

    /// Tells the mirror what the store has after a commit. A failure fails nobody: the mirror is made again later.
    pub(in super::super) fn after(&mut self, writer: &mut impl Writer, txns: &[TxnId]) {
        if self.place.is_none() || txns.is_empty() {
            return;
        }
        if self.open.is_none() {
            self.wait = self.wait.saturating_sub(1);
            if self.wait == 0 {
                self.rewrite(writer, false);
            }
            return;
        }
        match writer.pending(txns) {
            Ok((revision, rows)) => {
                let keys = txns.iter().map(|txn| writer.codec().txn_key(txn));
                let found: Vec<_> = keys.zip(rows).collect();
                self.append(writer, |fold, by| after(fold, by, found.clone(), revision));
            }
            // What was announced stays open: the mirror tells that it does not know.
            Err(error) => tracing::warn!(%error, "the copy of the outbox waits for the store"),
        }
    }

    /// Tells whether the mirror is to be compacted.
    pub(in super::super) fn is_due(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.file.len >= open.look_at)
    }

    /// Compacts the mirror if it is twice as long as what lives.
    pub(in super::super) fn rest(&mut self, writer: &mut impl Writer) {
        let Some(open) = self.open.as_mut().filter(|open| open.file.len >= open.look_at) else { return };
        let most = SHORT + 2 * open.fold.live_bytes();
        if open.file.len >= most {
            self.rewrite(writer, false);
        } else {
            open.look_at = most;
        }
    }

    /// Writes the whole mirror from the store. With `wipes`, the bytes of the old one are overwritten: its keys are
    /// no longer the store's. A failure is told by the check.
    pub(in super::super) fn rewrite(&mut self, writer: &mut impl Writer, wipes: bool) {
        if let Err(error) = self.try_rewrite(writer, wipes) {
            self.give_up(&error);
        }
    }

    fn try_rewrite(&mut self, writer: &mut impl Writer, wipes: bool) -> Result<()> {
        let Some(place) = self.place.clone() else { return Ok(()) };
        self.open = None;
        let old = MirrorFile::open(&place.path, place.shared)?;
        let lock = old.as_ref().map(|(file, _)| file.lock());
        if let Some(Err(error)) = &lock {
            tracing::debug!(%error, "another handle holds the copy of the outbox");
        }
        let check = writer.codec().mirror_key();
        let mut image = match writer.outbox() {
            Ok(image) => image,
            // The mirror may have the only readable copy of a row: it stays, and goes on.
            Err(error) => {
                drop(lock);
                self.trouble = Some(error.to_string());
                return self.load(&place);
            }
        };
        let fold = old.as_ref().and_then(|(_, bytes)| fold_of(bytes));
        let fold = fold.filter(|fold| fold.head.check == check);
        if let Some(fold) = fold.as_ref().filter(|_| !wipes) {
            // Of a row of the same commit, the copy with a checksum is kept.
            for row in &mut image.rows {
                if let Some(kept) = fold.row(&row.key).filter(|kept| kept.revision == row.revision) {
                    *row = kept.clone();
                }
            }
        }
        let others = fold.map(|fold| fold.open_of_others(self.by, &image.rows)).unwrap_or_default();
        if old.is_none() && image.rows.is_empty() && image.keyring.is_none() {
            return Ok(());
        }
        let mark = Mark { boot: boot(), revision: image.revision, closed: false };
        replace(&place.path, &place.store, &whole(&image, check, mark, self.by, others), wipes)?;
        drop(lock);
        self.load(&place)?;
        (self.trouble, self.wait, self.last_wait, self.is_used) = (None, 0, 0, true);
        Ok(())
    }

    fn load(&mut self, place: &Place) -> Result<()> {
        self.open = MirrorFile::open(&place.path, place.shared)?.and_then(|(file, bytes)| {
            let fold = fold_of(&bytes)?;
            let look_at = SHORT + 2 * fold.live_bytes();
            Some(Open { file, fold, look_at })
        });
        Ok(())
    }

    /// Appends the frames that `make` gives for the state of the mirror.
    fn append(&mut self, writer: &mut impl Writer, make: impl Fn(&Fold, u64) -> Vec<Frame>) {
        // Another handle may write between two looks.
        for _ in 0..8 {
            let Some(open) = &mut self.open else { break };
            let frames = make(&open.fold, self.by);
            if frames.is_empty() {
                return;
            }
            let mut bytes = Vec::new();
            if !self.is_used {
                Frame::Known(Mark { boot: boot(), revision: open.fold.known, closed: false })
                    .encode(&mut bytes);
            }
            frames.iter().for_each(|frame| frame.encode(&mut bytes));
            match open.file.append(&bytes) {
                Ok(Appended::Done) => {
                    frames.into_iter().for_each(|frame| open.fold.take(frame));
                    self.is_used = true;
                    return;
                }
                Ok(Appended::Changed) => self.look_again(),
                Err(error) => {
                    return self.give_up(&Error::io("outbox", UNWRITABLE, error));
                }
            }
        }
        self.rewrite(writer, false);
    }

    fn look_again(&mut self) {
        if let Some(place) = self.place.clone()
            && let Err(error) = self.load(&place)
        {
            tracing::debug!(%error, "the copy of the outbox cannot be read");
        }
    }

    /// Takes a mirror that is behind away: an old one could bring back what was sent.
    fn give_up(&mut self, error: &Error) {
        tracing::warn!(%error, "the outbox has no second copy until it can be written");
        if let Some(place) = &self.place
            && std::fs::remove_file(&place.path).is_err()
            && let Some(open) = &self.open
        {
            open.file.empty();
        }
        self.open = None;
        self.trouble = Some(error.to_string());
        self.last_wait = (2 * self.last_wait).clamp(1, LONGEST_WAIT);
        self.wait = self.last_wait;
    }

    /// Notes that nothing is missing at the mirror's end: the store is closed.
    pub(in super::super) fn close(&mut self, writer: &mut impl Writer) {
        let Some(open) = &self.open else { return };
        let Ok((revision, _)) = writer.pending(&[]) else { return };
        if open.fold.has_garbage() && self.is_used {
            self.rewrite(writer, false);
        }
        if let Some(open) = &self.open
            && !(open.fold.last.closed && open.fold.known == revision)
        {
            self.mark(Frame::Known(Mark { boot: boot(), revision, closed: true }));
        }
    }

    /// Compares the mirror with the store; tells a difference.
    ///
    /// # Errors
    /// Those of the store.
    pub(in super::super) fn finding(&mut self, writer: &mut impl Writer) -> Result<Option<String>> {
        let Some(place) = self.place.clone() else { return Ok(None) };
        let image = match writer.outbox() {
            // The check itself names it.
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::WrongKey) => {
                return Ok(None);
            }
            image => image?,
        };
        let fold = MirrorFile::open(&place.path, place.shared)?.and_then(|(_, bytes)| fold_of(&bytes));
        let codec = writer.codec();
        let is_even = match fold {
            Some(fold) => fold.head.check == codec.mirror_key() && fold.is_even(codec, &image.rows),
            None => image.rows.is_empty(),
        };
        if is_even {
            return Ok(None);
        }
        let cause = self.trouble.as_ref().map(|trouble| format!(": {trouble}")).unwrap_or_default();
        Ok(Some(format!(
            "the copy of the outbox beside the store differs from the store{cause}; `Maintenance::Compact` writes it \
             again"
        )))
    }

    /// Overwrites the mirror, and keeps none from now on: the keys are gone.
    ///
    /// # Errors
    /// Those of the file system.
    pub(in super::super) fn shred(&mut self) -> Result<()> {
        self.open = None;
        self.place.take().map_or(Ok(()), |place| wipe(&place.path))
    }
}

pub(super) fn fold_of(bytes: &[u8]) -> Option<Fold> {
    let found = scan(bytes);
    match found.kind {
        Kind::Ours(head) => Some(Fold::of(head, found.frames, found.has_holes)),
        _ => None,
    }
}

/// Returns the path of a store's mirror.
pub(super) fn place_of(store: &Path, ending: &str) -> PathBuf {
    crate::files::beside(store, ending)
}
