//! Why an encrypted message cannot be read.

use std::fmt;

use haos_store_api::Json;
use serde::Serialize;

use super::read::Object;

/// The member of a message's `extra` that says why: what `haos-matrix` writes there, and calls `UNREAD`.
const UNREAD: &str = "haos.unread";

/// The reason why an encrypted message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "reason", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Unreadable {
    /// Its key has not come. The message is read as soon as it does.
    NoKey,
    /// The sender gave its key to others, and not to this device.
    Withheld {
        /// The sender's reason, such as `m.unverified` (specification, "`m.room_key.withheld`").
        code: Option<String>,
    },
    /// It is a copy of another message's ciphertext, made by somebody on the way.
    Replayed,
    /// It is no ciphertext of its sender in this room.
    Invalid,
}

impl Unreadable {
    /// Reads the reason that is stored with a message.
    pub(crate) fn of(extra: Option<&Json>) -> Option<Self> {
        let unread = extra?.member(UNREAD)?;
        let unread = Object::of(unread.as_str());
        match unread.text("reason")?.as_str() {
            "no_key" => Some(Self::NoKey),
            "withheld" => Some(Self::Withheld { code: unread.name("code") }),
            "replayed" => Some(Self::Replayed),
            "invalid" => Some(Self::Invalid),
            _ => None,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "its key has not come yet",
            Self::Withheld { code } => match code.as_deref() {
                Some("m.blacklisted") => "the sender has blocked this device",
                Some("m.unverified") => "the sender writes to verified devices alone",
                Some("m.unauthorised") => "its key is not for this device",
                Some("m.unavailable") => "the sender's device has lost its key",
                Some("m.no_olm") => "the sender's device could not reach this one",
                _ => "the sender does not give its key",
            },
            Self::Replayed => "it is a copy of another message",
            Self::Invalid => "it is not what its sender encrypted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_a_reason_in_words() {
        #[cfg(feature = "e2ee")]
        assert_eq!(UNREAD, haos_matrix::UNREAD);
        let of =
            |unread: &str| Unreadable::of(Some(&Json::new(format!(r#"{{"{UNREAD}":{unread}}}"#)).unwrap()));
        for (unread, words) in [
            (r#"{"reason":"no_key"}"#, "its key has not come yet"),
            (r#"{"reason":"withheld","code":"m.unverified"}"#, "the sender writes to verified devices alone"),
            (r#"{"reason":"withheld","code":"m.new"}"#, "the sender does not give its key"),
            (r#"{"reason":"withheld"}"#, "the sender does not give its key"),
            (r#"{"reason":"replayed"}"#, "it is a copy of another message"),
            (r#"{"reason":"invalid"}"#, "it is not what its sender encrypted"),
        ] {
            assert_eq!(of(unread).map(|reason| reason.to_string()).as_deref(), Some(words), "{unread}");
        }
        for unread in ["null", "7", "{}", r#"{"reason":"of next year"}"#, r#"{"reason":7}"#] {
            assert_eq!(of(unread), None, "{unread}");
        }
        assert_eq!(Unreadable::of(None), None);
    }
}
