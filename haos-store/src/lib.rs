//! The one dependency a frontend adds: a store by url, and what it is capable of.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("chat.db");
//! let opened = haos_store::open(&format!("sqlite:{}", path.display())).await?;
//! assert!(opened.capabilities.persistent);
//! assert!(opened.store.rooms(Default::default()).await?.is_empty());
//! opened.store.close().await?;
//! # Ok(()) }
//! ```
//!
//! A store is plain, or sealed: then it opens with a passphrase or a key, and the file alone says nothing
//! of what was written.
//!
//! ```
//! use haos_store::{ErrorKind, OpenOptions, Secret, open_with};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let url = format!("sqlite:{}", folder.path().join("chat.db").display());
//! let sealed = OpenOptions { secret: Some(Secret::passphrase("red green blue")), ..Default::default() };
//! let opened = open_with(&url, &sealed).await?;
//! assert!(opened.capabilities.sealed);
//! opened.store.close().await?;
//! assert_eq!(haos_store::open(&url).await.unwrap_err().kind(), ErrorKind::Sealed);
//! # Ok(()) }
//! ```
//!
//! [`seal`] and [`unseal`] convert a store that is there; `StorageAdapter::change_keys` changes who can
//! open it, and [`Maintenance::Rotate`] gives it a new data key.
//!
//! It is not a backend: it picks one. Whatever it opens is used through
//! [`StorageAdapter`](haos_store_api::StorageAdapter), so an application that may have to fall back
//! asks [`Capabilities`] and not the name.
//!
//! # Features
//!
//! `sqlite` and `sled` are the backends of that name, and `idb` is IndexedDB; they seal in any case. `seal` is
//! for sealed stores in memory. All are on by default, and the target picks: `idb` is there in browsers alone,
//! the other two everywhere else. What is missing is told as `Unsupported`, with what to use instead.

mod backend;
mod capability;
mod convert;
mod open;
mod url;

pub use capability::Capabilities;
pub use convert::{seal, unseal};
pub use haos_store_api::{
    Error, ErrorKind, KdfLimits, KdfParams, KeyChange, Maintenance, Padding, Progress, Report, Result, Secret,
};
pub use open::{OpenOptions, Opened, open, open_with};
pub use url::{SCHEMES, Scheme};
