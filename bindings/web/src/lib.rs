//! The port of a chat in browsers, which the npm package `@haos/web` loads in a worker or in a page: calls and answers
//! are JSON text, as `haos-wire` has them, and bytes go beside them. On other targets it is empty.

#[cfg(target_arch = "wasm32")]
mod blob;
#[cfg(target_arch = "wasm32")]
mod code;
#[cfg(target_arch = "wasm32")]
mod port;
