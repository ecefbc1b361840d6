//! The options of a store, as each backend takes them.

pub(crate) mod memory;
#[cfg(feature = "sled")]
pub(crate) mod sled;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

/// A backend that was left out of this build.
#[cfg(not(all(feature = "sqlite", feature = "sled")))]
pub(crate) fn absent(scheme: &crate::Scheme, operation: &'static str) -> haos_store_api::Error {
    let name = scheme.name();
    let message = format!("this build has no {name} backend: enable the feature `{name}` of haos-store");
    haos_store_api::Error::new(haos_store_api::ErrorKind::Unsupported, operation, message)
}
