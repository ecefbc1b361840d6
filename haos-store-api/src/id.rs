//! Identifiers: opaque, validated, cheap to clone.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// The longest identifier in bytes, as in the Matrix specification's common identifier format.
pub const MAX_ID_BYTES: usize = 255;

fn check(what: &'static str, text: &str, may_be_empty: bool) -> Result<()> {
    let fault = if text.is_empty() && !may_be_empty {
        "it is empty".to_owned()
    } else if text.len() > MAX_ID_BYTES {
        format!("it has {} bytes, the limit is {MAX_ID_BYTES}", text.len())
    } else if text.contains('\0') {
        "it contains a NUL".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid("id", format!("not a valid {what}: {fault}")))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $may_be_empty:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates and wraps `text`.
            ///
            /// # Errors
            /// `Invalid` over 255 bytes, with a NUL, or empty where that is not allowed.
            pub fn new(text: impl AsRef<str>) -> Result<Self> {
                let text = text.as_ref();
                check($what, text, $may_be_empty)?;
                Ok(Self(Arc::from(text)))
            }

            /// Returns the identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;
            fn try_from(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $what))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

id!(
    /// A room. Never parsed: room version 12 ids have no server part.
    RoomId, "room id", false
);
id!(
    /// An event of a room.
    EventId, "event id", false
);
id!(
    /// A user.
    UserId, "user id", false
);
id!(
    /// A transaction id: the primary key of an outbox row, never reused for other content.
    TxnId, "transaction id", false
);
id!(
    /// The type of an event or the kind of a state entry, such as `m.room.message`.
    EventType, "event type", false
);
id!(
    /// The key of a state entry; may be empty.
    StateKey, "state key", true
);
id!(
    /// The location of media: `mxc://…` once uploaded, anything else before.
    MediaUri, "media uri", false
);
id!(
    /// A rendition of a media item, such as `thumb-96x96-crop`; empty for the file itself.
    MediaFormat, "media format", true
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert!(RoomId::new("!a").is_ok());
        assert!(RoomId::new("").is_err());
        assert!(StateKey::new("").is_ok());
        assert!(EventId::new("a".repeat(255)).is_ok());
        assert!(EventId::new("a".repeat(256)).is_err());
        assert!(EventId::new("é".repeat(128)).is_err(), "bytes, not characters");
        assert!(UserId::new("a\0b").is_err());
    }
}
