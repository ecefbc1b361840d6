//! A store's keyring, one record with a name.

use haos_store_api::backend::Codec;
use haos_store_api::{Error, ErrorKind, KeyChange, Result};

use super::super::fold;
use super::super::kv::{EARLY, KEYRING, Kv};
use super::super::record::Entry;
use super::Stepped;

pub(super) fn keyring(codec: &Codec) -> Result<&haos_store_api::backend::Keyring> {
    let not_sealed = || Error::new(ErrorKind::NotSealed, "keys", "the store is plain: it has no keys");
    codec.keyring().ok_or_else(not_sealed)
}

/// Writes the record after a change, and returns it, to be adopted once that is committed.
pub(crate) async fn change_keys(kv: &dyn Kv, codec: &Codec, change: &KeyChange) -> Result<Vec<u8>> {
    let record = latest(kv, codec).await?.changed(change)?;
    put(kv, &record).await?;
    Ok(record)
}

/// Returns the keyring, with other contexts' changes.
async fn latest<'c>(kv: &dyn Kv, codec: &'c Codec) -> Result<&'c haos_store_api::backend::Keyring> {
    let keyring = keyring(codec)?;
    if let Some(record) = kv.named(KEYRING).await? {
        keyring.adopt(&record)?;
    }
    Ok(keyring)
}

pub(super) async fn begin(kv: &dyn Kv, codec: &Codec) -> Result<Stepped> {
    let record = latest(kv, codec).await?.rotation_begun()?;
    wrote(kv, record).await
}

pub(super) async fn end(kv: &dyn Kv, codec: &Codec, sealing: u16) -> Result<Stepped> {
    let record = latest(kv, codec).await?.rotation_ended(sealing)?;
    wrote(kv, record).await
}

async fn wrote(kv: &dyn Kv, record: Option<Vec<u8>>) -> Result<Stepped> {
    if let Some(record) = &record {
        put(kv, record).await?;
    }
    Ok(Stepped { keyring: record, ..Stepped::default() })
}

/// Writes the record, and tells the other contexts: none commits before it has adopted it. What a page shows before the
/// store is open goes: somebody who may not any more may have been given its key.
async fn put(kv: &dyn Kv, record: &[u8]) -> Result<()> {
    kv.put_named(KEYRING, record)?;
    kv.delete_named(EARLY)?;
    fold::mark(kv, &Entry::Keys, &[]).await
}
