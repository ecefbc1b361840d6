use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// A store's own id: files that are made from the store bear it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StoreId(pub [u8; 16]);

impl StoreId {
    /// Makes a new one.
    ///
    /// # Errors
    /// `Unavailable` if the system gives no randomness.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| {
            Error::new(ErrorKind::Unavailable, "open", "the system gives no random bytes").with_source(e)
        })?;
        Ok(Self(bytes))
    }

    /// Makes an id for a store whose own cannot be read: the same for the same bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let (mut id, hash) = ([0; 16], haos_store_seal::Hash::of(bytes));
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for StoreId {
    type Err = ();

    /// Parses the 32 lower-case hex digits of its display.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut id = [0; 16];
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(()) };
        if pairs.len() != id.len() {
            return Err(());
        }
        for (byte, pair) in id.iter_mut().zip(pairs) {
            let digits = str::from_utf8(pair).map_err(drop)?;
            *byte = u8::from_str_radix(digits, 16).map_err(drop)?;
        }
        let id = Self(id);
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// Makes a name that nobody can foresee: 32 hex digits.
///
/// # Errors
/// `Unavailable` if the system gives no randomness.
pub fn random_name() -> Result<String> {
    Ok(StoreId::random()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_nothing_else_is() {
        let id = StoreId::random().unwrap();
        let text = id.to_string();
        assert_eq!((text.len(), text.parse()), (32, Ok(id)));
        assert_ne!(StoreId::random().unwrap(), id);
        assert_eq!(StoreId::of(b"x"), StoreId::of(b"x"));
        assert_ne!(StoreId::of(b"x"), StoreId::of(b"y"));
        for text in
            ["", "../../../../../../../../../../../", &text[1..], &text.to_uppercase(), &"+1".repeat(16)]
        {
            // Digits alone are their own upper case.
            assert!(text.parse::<StoreId>().is_err() || text == id.to_string(), "{text}");
        }
    }
}
