//! Valid JSON text, as it is held: for serde, and in browsers, whose modules are to be small, without it.

use std::sync::Arc;

use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, ser};
use serde_json::value::RawValue;

/// Valid JSON text.
#[derive(Clone)]
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
pub(super) struct Held(Arc<RawValue>);

/// Valid JSON text.
#[derive(Clone)]
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub(super) struct Held(Arc<str>);

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
impl Held {
    /// Validates a text; returns what is wrong with it.
    pub(super) fn new(text: String) -> Result<Self, String> {
        RawValue::from_string(text).map(Self::from).map_err(|e| e.to_string())
    }

    /// Returns the empty object.
    pub(super) fn empty() -> Self {
        Self(RawValue::from_string("{}".to_owned()).unwrap_or_default().into())
    }

    pub(super) fn as_str(&self) -> &str {
        self.0.get()
    }

    pub(super) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer).map_err(ser::Error::custom)
    }
}

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
impl Held {
    /// Validates a text; returns what is wrong with it.
    pub(super) fn new(text: String) -> Result<Self, String> {
        match super::scan::check(&text) {
            Ok(()) => Ok(Self(text.trim_ascii().into())),
            Err(at) => Err(format!("not from byte {at} on")),
        }
    }

    /// Returns the empty object.
    pub(super) fn empty() -> Self {
        Self("{}".into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        raw.serialize(serializer).map_err(ser::Error::custom)
    }
}

impl From<Box<RawValue>> for Held {
    fn from(raw: Box<RawValue>) -> Self {
        #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
        return Self(raw.into());
        #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
        return Self(raw.get().into());
    }
}

impl Held {
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::from)
    }
}
