//! The mirror of the outbox: a second copy of what is unsent, in a small log beside the store.
//!
//! Each batch that touches the outbox writes to it twice, and never waits for the disk: before the commit, that rows
//! are about to change (an *intent*); after it and before the answer, what the store then has under these
//! transactions. A frame names its row by the transaction's key and tells the revision, so that frames of two processes
//! may stand in any order ([`fold`]). The file is written again, whole, when it is twice as long as what lives.
//!
//! The mirror is read when a store is opened ([`begin`]) and when a damaged one is recovered ([`rescue`]); [`judge`] is
//! the law of both. One of the two files is taken for sound:
//!
//! | store | mirror | what becomes of a row |
//! |---|---|---|
//! | sound | absent, damaged, of other keys | the store's; the mirror is written again |
//! | sound | cut, or older (killed before the second write, power cut) | the store's; the mirror is written again |
//! | sound, but lacks a row or has it otherwise, and no lost commit tells why | whole | all of it is checked first |
//! | sound, at the revision that the mirror knows | whole | what the store lacks, or has otherwise, comes back |
//! | older than the mirror (its log is lost) | whole | it has what the mirror has of later commits |
//! | sound but for rows of the outbox | whole | as damaged, but the rest stays in its place |
//! | damaged | whole, same run of the system | what the store cannot give comes back; what was removed does not |
//! | damaged | whole, a change is announced alone | the row waits for the person, unless the store has it |
//! | damaged, later than the mirror knows | of another run of the system | what it alone has waits for the person |
//! | damaged, without a readable revision | of another run, not closed | the same |
//! | its keyring is damaged | whole | the keyring is restored from the mirror |
//! | gone, or new | whole | all come back |
//! | gone | sealed with another secret, with rows | opening fails: no store is made |
//! | gone | sealed with another secret, without rows | the mirror is written again |
//! | of another id | any | the mirror is set aside |
//! | any | of a later format | the mirror is left alone, and none is kept |
//!
//! A row that waits for the person is `Parked(Paused)` and `ambiguous`: nothing but a retry or a removal by hand ends
//! that. A plain store has a mirror from its first unsent row on; a sealed one once it was opened, for the copy of its
//! keyring. A mirror that cannot be written is removed, since an old one could bring back what was sent; a later commit
//! or opening makes it again.

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
