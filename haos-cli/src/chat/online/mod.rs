//! The commands that need a homeserver.

mod backfill;
#[cfg(feature = "e2ee")]
mod devices;
mod login;
mod media;
mod members;
mod rooms;
mod sync;

pub(crate) use backfill::backfill;
#[cfg(feature = "e2ee")]
pub(crate) use devices::devices;
pub(crate) use login::{login, logout};
pub(crate) use media::media;
pub(crate) use members::members;
pub(crate) use rooms::{join, leave, read};
pub(crate) use sync::sync;
