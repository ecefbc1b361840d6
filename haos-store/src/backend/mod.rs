//! The options of a store, as each backend takes them.

#[cfg(all(feature = "idb", target_arch = "wasm32"))]
pub(crate) mod idb;
#[cfg(feature = "memory")]
pub(crate) mod memory;
#[cfg(all(any(feature = "sqlite", feature = "sled"), not(target_arch = "wasm32")))]
mod native;
#[cfg(all(feature = "sled", not(target_arch = "wasm32")))]
pub(crate) mod sled;
#[cfg(all(feature = "sqlite", not(target_arch = "wasm32")))]
pub(crate) mod sqlite;

/// A backend that this build does not have.
pub(crate) fn absent(scheme: &crate::Scheme, operation: &'static str) -> haos_store_api::Error {
    use haos_store_api::{Error, ErrorKind};
    let name = scheme.name();
    let message = match (scheme.is_of_browsers(), cfg!(target_arch = "wasm32")) {
        (true, false) => {
            "`idb:` is for browsers: use `sqlite:PATH`, `sled:PATH` or `memory:` here".to_owned()
        }
        (false, true) => format!("`{name}:` is not for browsers: use `idb:NAME` or `memory:` here"),
        _ => format!("this build has no {name} backend: enable the feature `{name}` of haos-store"),
    };
    Error::new(ErrorKind::Unsupported, operation, message)
}
