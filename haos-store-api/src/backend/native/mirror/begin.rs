//! The opening: a sound store is compared with its mirror, and a mirror that differs is written again.

use super::super::backend::{Backend, Opened, Reader as _, Readers as _};
use super::super::error::sealed;
use super::super::job::Writer as _;
use super::super::keys::mended;
use super::super::options::{OnDamage, Options};
use super::file::{MirrorFile, boot};
use super::fold::Fold;
use super::frame::{Frame, Head, Kind, Mark, scan};
use super::judge::{Known, Plan, State, judge};
use super::keeper::{Keeper, Place, place_of};
use crate::files::{self, StoreId};
use crate::{ChangeHub, Codec, Error, ErrorKind, Keyring, Pending, PendingQuery, Reads, Result, Revision};

impl<B: Backend> Opened<B> {
    /// Gives the outbox of a store that was just opened what the mirror alone has; returns the keeper of the mirror.
    ///
    /// # Errors
    /// `Corrupt` where rows are missing and [`OnDamage::Refuse`] forbids to mend that, `Sealed` and `WrongKey` for a
    /// mirror of a store that is gone, and those of the store.
    pub(in super::super) fn mirrored(&mut self, options: &Options, hub: &ChangeHub) -> Result<Keeper> {
        if self.found.read_only {
            return Ok(Keeper::off());
        }
        let path = place_of(options.path(), B::MIRROR);
        let place = Place { path, store: options.path().to_owned(), shared: B::SHARED };
        let Some((file, bytes)) = MirrorFile::open(&place.path, B::SHARED)? else {
            return self.first(place, hub);
        };
        let found = scan(&bytes);
        let head = match found.kind {
            Kind::Later(format) => {
                let shown = place.path.display();
                tracing::warn!(
                    "{shown} has format {format}, of a later version: the outbox has no second copy"
                );
                return Ok(Keeper::off());
            }
            Kind::Foreign => {
                return self.set_aside(place, self.found.id.unwrap_or(StoreId([0; 16])), hub);
            }
            Kind::Damaged => return self.rewritten(place, hub),
            Kind::Ours(head) => head,
        };
        let is_new = self.found.revision == Revision::ZERO;
        if head.id != self.found.id && !is_new {
            let id = head.id.unwrap_or(StoreId([0; 16]));
            return self.set_aside(place, id, hub);
        }
        let fold = Fold::of(head, found.frames, found.has_holes);
        if is_new && fold.is_void() && fold.head.check != self.found.codec.mirror_key() {
            return self.rewritten(place, hub);
        }
        let codec = if is_new {
            of_gone_store::<B>(&fold.head, &self.found.codec, options)?
        } else {
            self.found.codec.clone()
        };
        if fold.head.check != codec.mirror_key() {
            return self.rewritten(place, hub);
        }
        self.compared(place, file, fold, &codec, options, hub)
    }

    /// Compares the store with its own mirror, and goes on with that if nothing differs.
    fn compared(
        &mut self,
        place: Place,
        file: MirrorFile,
        fold: Fold,
        codec: &Codec,
        options: &Options,
        hub: &ChangeHub,
    ) -> Result<Keeper> {
        let (rows, state) = self.rows()?;
        let known = Known { rows: &rows, revision: Some(self.found.revision), state };
        let plan = judge(&fold, known, boot(), |row| row.read(codec).ok(), |txn| codec.txn_key(txn));
        // Unless another process has removed them in the meantime.
        if plan.is_odd && !options.check && self.read(|db| db.revision())? == self.found.revision {
            let message =
                "rows of the outbox are missing, which its copy beside the store has: all of it is checked";
            return Err(Error::new(ErrorKind::Corrupt, "open", message));
        }
        if !plan.is_empty() {
            self.mend(&plan, options, hub)?;
            return self.rewritten(place, hub);
        }
        if state != State::Sound {
            // What cannot be read stays in the mirror.
            return Ok(Keeper::new(place)?.with(file, fold));
        }
        let mut own: Vec<_> = fold.rows().filter_map(|(row, _)| row.read(codec).ok()).collect();
        own.sort_by_key(|row| row.seq);
        let is_mended = self.found.recovery.is_some();
        if is_mended || fold.has_holes || fold.has_open() || own != rows {
            return self.rewritten(place, hub);
        }
        let mut keeper = Keeper::new(place)?;
        let is_marked = fold.last.boot == boot();
        let mark = Mark { boot: boot(), revision: self.found.revision, closed: false };
        keeper = keeper.with(file, fold);
        if !is_marked && !rows.is_empty() {
            keeper.mark(Frame::Known(mark));
        }
        Ok(keeper)
    }

    /// Reads the outbox; rows that cannot be read are left out.
    fn rows(&self) -> Result<(Vec<Pending>, State)> {
        match self.read_rows(false) {
            // A row under a key that is not in the keyring is damaged, too.
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::WrongKey) => {
                Ok((self.read_rows(true)?, State::Unreadable))
            }
            rows => Ok((rows?, State::Sound)),
        }
    }

    fn read_rows(&self, skip_damaged: bool) -> Result<Vec<Pending>> {
        self.read(move |db| db.pending(&PendingQuery { skip_damaged, ..PendingQuery::default() }))
    }

    fn read<T>(&self, read: impl Fn(&dyn Reads) -> Result<T>) -> Result<T> {
        match self.readers.glance(false, "open", &read) {
            Some(answer) => answer,
            None => self.readers.connect()?.read("open", &read),
        }
    }

    /// Makes a mirror where none is, if the store has unsent rows, or is sealed: the mirror has a copy of its keyring. A
    /// plain store that cannot tell without a wait has one with its next unsent row.
    fn first(&mut self, place: Place, hub: &ChangeHub) -> Result<Keeper> {
        let read = |db: &dyn crate::Reads| db.pending(&PendingQuery { limit: 1, ..PendingQuery::default() });
        match self.readers.glance(false, "open", &read) {
            Some(Ok(rows)) if !rows.is_empty() => self.rewritten(place, hub),
            _ if self.found.codec.is_sealed() => self.rewritten(place, hub),
            _ => Keeper::new(place),
        }
    }

    fn rewritten(&mut self, place: Place, hub: &ChangeHub) -> Result<Keeper> {
        let mut keeper = Keeper::new(place)?;
        // The mirror may hold the only readable copy of a row that the store cannot read: then it stays.
        if self.read_rows(false).is_ok() {
            keeper.rewrite(self.backend.writer(hub)?, true);
        }
        Ok(keeper)
    }

    /// Sets a file aside that is not this store's mirror, in a folder that bears the id of its store.
    fn set_aside(&mut self, place: Place, id: StoreId, hub: &ChangeHub) -> Result<Keeper> {
        let name = place.path.file_name().unwrap_or_default().to_owned();
        let moved = files::set_aside(&place.store, id).and_then(|folder| {
            std::fs::rename(&place.path, folder.join(name))?;
            Ok(folder)
        });
        match moved {
            Ok(folder) => {
                let (shown, folder) = (place.path.display(), folder.display());
                tracing::warn!("{shown} is no copy of this store's outbox and was set aside to {folder}");
                self.first(place, hub)
            }
            Err(error) => {
                tracing::warn!(%error, "a file in the place of the outbox's copy cannot be set aside");
                Ok(Keeper::off())
            }
        }
    }

    fn mend(&mut self, plan: &Plan, options: &Options, hub: &ChangeHub) -> Result<()> {
        let cause = "the store lacked changes of the outbox that its copy beside the store has, as after damage or a \
                     power cut";
        if options.on_damage == OnDamage::Refuse {
            let message = format!("{cause}: open it with `OnDamage::SetAside`, which takes them over");
            return Err(Error::new(ErrorKind::Corrupt, "open", message));
        }
        let writer = self.backend.writer(hub)?;
        let Some(revision) = writer.mend(plan, self.found.revision)? else {
            // Another process has written since: it has mended the store, or the next opening does.
            return Ok(());
        };
        let salvaged = plan.put.len() as u64;
        tracing::warn!(salvaged, cause);
        self.found.revision = revision;
        self.found.recovery = Some(match self.found.recovery.take() {
            Some(told) if told.set_aside.is_some() => told,
            // It may tell of a keyring that was restored.
            told => mended(told, (salvaged, false), cause),
        });
        Ok(())
    }
}

/// Returns the codec of a store that is gone, in whose place `fresh` is that of a new one.
fn of_gone_store<B: Backend>(head: &Head, fresh: &Codec, options: &Options) -> Result<Codec> {
    let Some(record) = &head.keyring else { return Ok(Codec::plain().in_form(B::FORM)) };
    if fresh.mirror_key() == head.check {
        return Ok(fresh.clone());
    }
    let secret = options.secret.as_ref().ok_or_else(sealed)?;
    Ok(Codec::sealed(Keyring::unlock_within(record, secret, options.kdf_limits)?).in_form(B::FORM))
}

/// Refuses a secret that does not open the mirror of a store that is gone, before a new store is made with it. A mirror
/// that has no rows is of no use then.
///
/// # Errors
/// `Sealed` and `WrongKey`.
pub(in super::super) fn refuse_other_secret<B: Backend>(options: &Options) -> Result<()> {
    let is_gone = std::fs::metadata(options.path()).map_or(true, |about| about.is_file() && about.len() == 0);
    if !is_gone || !options.create {
        return Ok(());
    }
    let path = place_of(options.path(), B::MIRROR);
    let Some((_, bytes)) = MirrorFile::open(&path, B::SHARED)? else { return Ok(()) };
    let found = scan(&bytes);
    match found.kind {
        Kind::Ours(head) => {
            let fold = Fold::of(head, found.frames, found.has_holes);
            if fold.is_void() {
                return Ok(());
            }
            let opened = of_gone_store::<B>(&fold.head, &options.codec, options);
            let explain = |error: Error| {
                let shown = path.display();
                let message = format!(
                    "the store is gone, and this secret does not open the copy of its outbox, {shown}: give the \
                     store's secret, or move the copy away to do without its messages"
                );
                Error::new(error.kind(), "open", message).with_source(error)
            };
            opened.map(drop).map_err(explain)
        }
        _ => Ok(()),
    }
}
