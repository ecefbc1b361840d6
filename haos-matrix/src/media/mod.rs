//! Media: from the store if it is there, else from the server, and then from the store.
//!
//! An item is a uri and a format. It is kept under the uri as it stands in events and the format of its
//! [`Variant`](crate::Variant), and only ever whole: what is still coming goes under a format of its own
//! (`partial:…`) and takes its name in one commit when the last byte is there. Nothing here starts a task; a
//! download is driven by those who wait for it, and ends when the last of them leaves.

mod cache;
mod error;
mod fetch;
mod flights;
mod intake;
mod partial;
mod request;
#[cfg(feature = "e2ee")]
mod sealed;
mod shelf;
mod stream;
mod touches;
mod variant;

pub use cache::MediaCache;
pub use error::MediaError;
pub use request::MediaRequest;
pub use stream::MediaStream;
