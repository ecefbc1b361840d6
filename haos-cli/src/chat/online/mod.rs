//! The commands that need a homeserver.

mod backfill;
mod fault;
mod lead;
mod login;
mod media;
mod members;
mod rooms;
mod running;
mod sync;

pub(crate) use backfill::backfill;
pub(super) use fault::{account_fault, answer_fault, client_fault};
pub(super) use lead::Leading;
pub(crate) use login::{login, logout};
pub(crate) use media::media;
pub(crate) use members::members;
pub(crate) use rooms::{join, leave, read};
pub(super) use running::Runs;
pub(crate) use sync::sync;
