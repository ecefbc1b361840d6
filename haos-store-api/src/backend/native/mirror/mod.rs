//! The mirror of the outbox.

mod begin;
mod file;
mod fold;
mod frame;
mod judge;
mod keeper;
mod log;
mod rescue;
#[cfg(test)]
mod tests;

pub(super) use begin::refuse_other_secret;
pub use file::wipe;
pub use frame::StoredPending;
pub use judge::Plan;
pub(super) use keeper::Keeper;
pub use log::OutboxImage;
pub use rescue::Mirror;
