//! The secrets that open a store.

use super::error::{not_sealed, sealed};
use super::job::Writer;
use super::options::Options;
use crate::{Codec, ErrorKind, KeyChange, Keyring, Result};

/// The place in which a store keeps the record of its keyring.
pub trait KeyringPlace {
    /// Reads the record; absent in a plain store.
    fn record(&self) -> Result<Option<Vec<u8>>>;

    /// Tells whether the store is empty, so that it may become a sealed one.
    fn is_new(&self) -> Result<bool>;

    /// Stores the first record, unless another process has written or was first to seal the store.
    fn store_first(&self, record: &[u8]) -> Result<()>;
}

/// Returns the codec of a store: plain, or with the keys that the secret opens. An empty store becomes a sealed one if
/// a secret is given.
///
/// # Errors
/// `Sealed`, `NotSealed`, `WrongKey`, and those of the place.
pub fn unlock(place: &impl KeyringPlace, options: &Options) -> Result<Codec> {
    let record = place.record()?;
    // A resumed store has its keys already: nothing is derived again.
    if let Some(keyring) = options.codec.keyring() {
        keyring.adopt(&record.ok_or_else(not_sealed)?)?;
        return Ok(options.codec.clone());
    }
    let fresh = |codec: Codec| codec.in_form(options.form).padded(options.codec.padding());
    let open = |record: &[u8], secret| Keyring::unlock_within(record, secret, options.kdf_limits);
    let keyring = match (record, &options.secret) {
        (None, None) => return Ok(fresh(Codec::plain())),
        (Some(_), None) => return Err(sealed()),
        (Some(record), Some(secret)) => open(&record, secret)?,
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
    Ok(fresh(Codec::sealed(keyring)))
}

/// Changes who can open the store; see [`KeyChange`].
pub(super) fn change_keys(writer: &mut impl Writer, change: &KeyChange) -> Result<()> {
    match writer.change_keyring(|keyring| keyring.changed(change).map(Some)) {
        // Its own keyring does not take the record of a shredded store.
        Err(e) if *change == KeyChange::Shred && e.kind() == ErrorKind::WrongKey => Ok(()),
        done => done,
    }
}
