//! The identity of a store.

use std::fmt;

/// The id of a store, made with it and kept in it: one that is deleted and made again under the same name has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreId([u8; 16]);

impl StoreId {
    /// Makes a new id. It tells stores of one name apart and protects nothing, so any randomness will do, and no
    /// browser refuses this one.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn random() -> Self {
        Self(std::array::from_fn(|_| (js_sys::Math::random() * 256.0) as u8))
    }

    /// Makes the id of these bytes.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes to keep.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Parses the id's text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = u128::from_str_radix(text, 16).ok()?;
        (text.len() == 32).then_some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        for bytes in [[0; 16], [0xff; 16], std::array::from_fn(|n| n as u8)] {
            let id = StoreId::from_bytes(bytes);
            assert_eq!(id.to_bytes(), bytes);
            assert_eq!(StoreId::parse(&id.to_string()), Some(id));
        }
        assert_eq!(StoreId::parse("00"), None);
        assert_eq!(StoreId::parse(&"é".repeat(16)), None);
    }
}
