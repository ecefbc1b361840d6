//! The least module that a web frontend ships with this store and queue: a store that is opened, sealed or
//! not, events applied to it, a page read, a message enqueued, the queue run. `cargo xtask size` weighs it.
//!
//! With the feature `front` the same by the front door, too: live rooms and timelines, files, the state of everything.
//!
//! It is no binding to build on: texts go in and out, as few types as can be. On other targets it is empty.

#[cfg(target_arch = "wasm32")]
mod chat;
#[cfg(target_arch = "wasm32")]
mod failure;
#[cfg(all(feature = "front", target_arch = "wasm32"))]
mod front;
#[cfg(target_arch = "wasm32")]
mod server;
