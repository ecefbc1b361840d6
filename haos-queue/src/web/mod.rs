//! The outbox in a browser: who of several pages and workers sends, and when.
//!
//! One call a context makes, [`drive`], does all of it. It stands for leadership by a Web Lock and sends while it
//! leads; online, visible, shown and resumed pages try again at once; a page that the browser freezes lets go of
//! the lock first. A service worker calls [`on_sync`] where the browser wakes it up. `docs/browser.md` tells what
//! a web application does with it, `tests/web/example.rs` is one, and the other tests there play it through.
//!
//! The lock decides who sends, not what may be sent: that is for the leases in the store, which hold where there
//! are no locks, where a frozen page keeps its lock, and where two contexts take themselves for the leader.

mod background;
mod drive;
mod left;
mod options;
mod page;
mod peers;
mod signal;
mod term;
mod wait;

pub use background::{Remaining, on_sync, register_background_sync};
pub use drive::{Driving, Role, drive};
pub use options::DriveOptions;
