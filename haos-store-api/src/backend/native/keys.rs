//! The secrets that open a store.

use super::error::{not_sealed, sealed};
use super::job::Writer;
use super::options::{OnDamage, Options};
use crate::{Codec, Error, ErrorKind, KeyChange, Keyring, Recovery, Result, Secret};

/// The place in which a store keeps the record of its keyring.
pub trait KeyringPlace {
    /// Reads the record; absent in a plain store.
    fn record(&self) -> Result<Option<Vec<u8>>>;

    /// Tells whether the store is empty, so that it may become a sealed one.
    fn is_new(&self) -> Result<bool>;

    /// Stores the first record, unless another process has written or was first to seal the store.
    fn store_first(&self, record: &[u8]) -> Result<()>;

    /// Reads the record's copy in the store's mirror, if there is one.
    fn copy(&self, _: &Options) -> Option<Vec<u8>> {
        None
    }

    /// Puts the copy in the place of a damaged record.
    fn restore(&self, _: &[u8]) -> Result<()> {
        Ok(())
    }
}

/// The keys of a store.
#[derive(Debug)]
pub struct Unlocked {
    /// Its codec.
    pub codec: Codec,
    /// True if its keyring was damaged and the copy in its mirror opened it.
    pub is_restored: bool,
}

/// Adds to the report of an opening, if there is one, that the keyring was restored, if it was.
pub fn with_keyring(recovery: Option<Recovery>, is_restored: bool) -> Option<Recovery> {
    const CAUSE: &str = "its keyring was damaged, and is restored from the copy beside the store";
    if is_restored { Some(mended(recovery, (0, true), CAUSE)) } else { recovery }
}

/// Adds to the report of an opening, if there is one, what was mended in place: the outbox rows that were salvaged, and
/// whether nothing is missing.
pub(super) fn mended(recovery: Option<Recovery>, (salvaged, is_whole): (u64, bool), cause: &str) -> Recovery {
    match recovery {
        Some(other) => Recovery {
            salvaged: other.salvaged + salvaged,
            is_whole: other.is_whole && is_whole,
            cause: format!("{}; {cause}", other.cause),
            ..other
        },
        None => Recovery {
            set_aside: None,
            salvaged,
            unreadable: 0,
            collections: Vec::new(),
            is_whole,
            cause: cause.to_owned(),
        },
    }
}

/// Returns the codec of a store: plain, or with the keys that the secret opens. An empty store becomes a sealed one if
/// a secret is given. A damaged record is replaced by its copy, unless the options refuse damage.
///
/// # Errors
/// `Sealed`, `NotSealed`, `WrongKey`, and those of the place.
pub fn unlock(place: &impl KeyringPlace, options: &Options) -> Result<Unlocked> {
    let unlocked = |codec: Codec, is_restored| Ok(Unlocked { codec, is_restored });
    // A resumed store has its keys already: nothing is derived again.
    if let Some(keyring) = options.codec.keyring() {
        keyring.adopt(&place.record()?.ok_or_else(not_sealed)?)?;
        return unlocked(options.codec.clone(), false);
    }
    let fresh = |codec: Codec| codec.in_form(options.form).padded(options.codec.padding());
    let record = match (place.record(), &options.secret) {
        // A check has found that its place is sound.
        (Err(error), Some(secret)) if options.check && error.kind() == ErrorKind::Corrupt => {
            return unlocked(fresh(Codec::sealed(copied(place, options, secret, &[], error)?)), true);
        }
        (record, _) => record?,
    };
    let open = |record: &[u8], secret| Keyring::unlock_within(record, secret, options.kdf_limits);
    let keyring = match (record, &options.secret) {
        (None, None) => return unlocked(fresh(Codec::plain()), false),
        (Some(_), None) => return Err(sealed()),
        (Some(record), Some(secret)) => match open(&record, secret) {
            Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NewerSchema) => {
                let keyring = copied(place, options, secret, &record, error)?;
                return unlocked(fresh(Codec::sealed(keyring)), true);
            }
            opened => opened?,
        },
        (None, Some(_)) if !place.is_new()? => return Err(not_sealed()),
        (None, Some(secret)) => {
            let made = Keyring::create_within(secret, options.kdf, options.kdf_limits)?;
            let record = made.record()?;
            place.store_first(&record)?;
            match place.record()? {
                Some(stored) if stored == record => made,
                Some(stored) => open(&stored, secret)?,
                None => return Err(not_sealed()),
            }
        }
    };
    unlocked(fresh(Codec::sealed(keyring)), false)
}

/// Opens the copy of a damaged record, and puts it in the place of that.
///
/// # Errors
/// The cause if there is none.
fn copied(
    place: &impl KeyringPlace,
    options: &Options,
    secret: &Secret,
    record: &[u8],
    cause: Error,
) -> Result<Keyring> {
    let copy = place.copy(options).filter(|_| options.on_damage == OnDamage::SetAside);
    // A version is taken for damage only where all else is as it was.
    let is_damaged = |copy: &[u8]| cause.kind() == ErrorKind::Corrupt || copy.get(1..) == record.get(1..);
    let Some(copy) = copy.filter(|copy| is_damaged(copy)) else { return Err(cause) };
    let keyring = Keyring::unlock_within(&copy, secret, options.kdf_limits)?;
    match place.restore(&copy) {
        Ok(()) => tracing::warn!("the store's keyring was damaged and is restored from its copy"),
        Err(error) => tracing::warn!(%error, "the store's keyring is damaged, and its copy opens the store"),
    }
    Ok(keyring)
}

/// Changes who can open the store; see [`KeyChange`].
pub(super) fn change_keys(writer: &mut impl Writer, change: &KeyChange) -> Result<()> {
    match writer.change_keyring(|keyring| keyring.changed(change).map(Some)) {
        // Its own keyring does not take the record of a shredded store.
        Err(e) if *change == KeyChange::Shred && e.kind() == ErrorKind::WrongKey => Ok(()),
        done => done,
    }
}
