//! Messages of the user, and the outbox that keeps them until the homeserver has them.

mod check;
mod deliver;
mod desk;
mod file;
mod input;
mod list;
mod online;
mod report;
mod row;
mod subject;
mod write;

pub(crate) use file::send_file;
pub(crate) use list::outbox;
#[cfg(feature = "e2ee")]
pub(crate) use online::devices;
pub(crate) use online::{backfill, join, leave, login, logout, media, members, read, sync};
pub(crate) use row::{RowFields, print as print_row, shown as shown_rows};
pub(crate) use write::{edit, react, redact, reply, send};
