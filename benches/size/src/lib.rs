//! The least module that a web frontend ships with this store and queue: a store that is opened, sealed or
//! not, events applied to it, a page read, a message enqueued, the queue run. `cargo xtask size` weighs it.
//!
//! It is no binding to build on: texts go in and out, as few types as can be. On other targets it is empty.

#[cfg(target_arch = "wasm32")]
mod chat;
#[cfg(target_arch = "wasm32")]
mod server;
