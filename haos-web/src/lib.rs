//! The means of browsers for an offline store, beside IndexedDB: Web Locks, channels between contexts, timers,
//! events, and what is known of storage quota. On other targets this crate is empty.
//!
//! Everything works in a window, a dedicated worker and a service worker. Each interface is looked for on the
//! global object when it is used, so that an engine that lacks it, or refuses it to a page without secure
//! context, is answered with `None` or a `WebError`, never with an exception. What is registered with the
//! browser (listeners, timers, locks, channels) is given back when its value is dropped.
//!
//! ```ignore
//! use haos_web::{Lock, sleep};
//!
//! if let Some(_leader) = Lock::try_acquire("leader").await? {
//!     // No other tab or worker of this origin is in here until `_leader` is dropped.
//!     sleep(1000).await;
//! }
//! ```
//!
//! It knows nothing of chats or stores, and it is not a binding of IndexedDB.
#![cfg(target_arch = "wasm32")]

mod beacon;
mod channel;
mod clock;
mod error;
mod event;
mod js;
mod lock;
mod quota;
mod timer;
mod trigger;

pub use beacon::Beacon;
pub use channel::Channel;
pub use clock::{now_ms, steady_ms};
pub use error::WebError;
pub use event::Listener;
pub use lock::{Lock, locks_available};
pub use quota::{Estimate, estimate, persist, persisted};
pub use timer::{Sleep, sleep, timeout};
pub use trigger::{Trigger, Triggers, is_online, is_visible};
