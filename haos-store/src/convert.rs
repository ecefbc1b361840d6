//! From plain to sealed and back.

use haos_store_api::{Error, ErrorKind, Progress, Report, Result};

use crate::{OpenOptions, Scheme, backend};

/// Seals the plain store at `url`: from then on `options.secret` opens it, and nothing else does.
///
/// Nobody may have the store open. Until it is done the store is as it was; cut off, it is finished by
/// calling it again with the same secret. Plain bytes of before may remain in blocks that the disk has set
/// free, in snapshots and in backups: a store that is made sealed never has any. Copies that were set aside as damaged
/// stay plain, and [`Report::set_aside`] names them.
///
/// # Errors
/// `Busy` while somebody has the store open, `Invalid` without a secret, `Unsupported` for a store in
/// memory and for a backend that this build does not have, and those of the backend.
#[cfg_attr(
    not(all(any(feature = "sqlite", feature = "sled"), not(target_arch = "wasm32"))),
    expect(unused_variables, reason = "no backend")
)]
pub async fn seal(url: &str, options: &OpenOptions, progress: Progress) -> Result<Report> {
    let scheme: Scheme = url.parse()?;
    if options.secret.is_none() {
        let message = "give the passphrase or key that is to open the store: `OpenOptions::secret`";
        return Err(Error::new(ErrorKind::Invalid, "seal", message));
    }
    match scheme {
        Scheme::Memory => Err(in_memory("seal")),
        Scheme::Idb(_) => Err(in_browser("seal")),
        #[cfg(all(feature = "sqlite", not(target_arch = "wasm32")))]
        Scheme::Sqlite(path) => backend::sqlite::seal(path, options, progress).await,
        #[cfg(all(feature = "sled", not(target_arch = "wasm32")))]
        Scheme::Sled(path) => backend::sled::seal(path, options, progress).await,
        #[cfg(not(all(feature = "sqlite", feature = "sled", not(target_arch = "wasm32"))))]
        other => Err(backend::absent(&other, "seal")),
    }
}

/// Makes the sealed store at `url` a plain one, which anybody with the file can read. `options.secret` is
/// what opens it now.
///
/// Nobody may have the store open. Until it is done the store is as it was; cut off, it begins again when it is called
/// again. What it had written in plain goes with an error, and after a kill with the next one who opens the store.
///
/// # Errors
/// `Busy` while somebody has the store open, `Sealed` without a secret, `WrongKey` for one that does not
/// open it, `NotSealed` for a plain store, `Unsupported` as [`seal`], and those of the backend.
#[cfg_attr(
    not(all(any(feature = "sqlite", feature = "sled"), not(target_arch = "wasm32"))),
    expect(unused_variables, reason = "no backend")
)]
pub async fn unseal(url: &str, options: &OpenOptions, progress: Progress) -> Result<Report> {
    match url.parse()? {
        Scheme::Memory => Err(in_memory("unseal")),
        Scheme::Idb(_) => Err(in_browser("unseal")),
        #[cfg(all(feature = "sqlite", not(target_arch = "wasm32")))]
        Scheme::Sqlite(path) => backend::sqlite::unseal(path, options, progress).await,
        #[cfg(all(feature = "sled", not(target_arch = "wasm32")))]
        Scheme::Sled(path) => backend::sled::unseal(path, options, progress).await,
        #[cfg(not(all(feature = "sqlite", feature = "sled", not(target_arch = "wasm32"))))]
        other => Err(backend::absent(&other, "unseal")),
    }
}

fn in_memory(operation: &'static str) -> Error {
    let message = "a store in memory is not converted: open `memory:` with a secret for a sealed one";
    Error::new(ErrorKind::Unsupported, operation, message)
}

fn in_browser(operation: &'static str) -> Error {
    let message = "a store in a browser is not converted: open one of another name with a secret, sync it again, \
                   and delete this one when its outbox is empty";
    Error::new(ErrorKind::Unsupported, operation, message)
}
