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
//! It is not a backend: it picks one. Whatever it opens is used through
//! [`StorageAdapter`](haos_store_api::StorageAdapter), so an application that may have to fall back
//! asks [`Capabilities`] and not the name.

mod capability;
mod open;
mod url;

pub use capability::Capabilities;
pub use haos_store_api::{Error, ErrorKind, Result};
pub use open::{OpenOptions, Opened, open, open_with};
pub use url::{SCHEMES, Scheme};
