//! The session: user, homeserver and tokens, kept in the store.

#[cfg(feature = "http")]
mod claim;
mod stored;

use std::fmt;

use haos_store_api::UserId;
pub use haos_store_api::state_kind::SESSION;
use serde::{Deserialize, Serialize};

#[cfg(feature = "http")]
pub(crate) use claim::Claim;
#[cfg(feature = "http")]
pub(crate) use stored::Stored;

/// A login on a device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixSession {
    /// The homeserver's base url, such as `https://matrix.example.org`.
    pub homeserver: String,
    /// The user.
    pub user: UserId,
    /// The device, as the server knows it. A login that keeps it goes on with its transaction ids.
    pub device: String,
    /// The tokens; none after a logout.
    pub tokens: Option<Tokens>,
}

/// The secrets of a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// The token of every request.
    pub access: String,
    /// The token that brings new ones once the access token has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// When the access token expires, in milliseconds since 1970, if the server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<i64>,
}

impl MatrixSession {
    /// Tells if both are logins of one user on one device of one homeserver: transaction ids of one hold
    /// for the other.
    pub fn is_same_device(&self, other: &Self) -> bool {
        self.user == other.user && self.device == other.device && self.homeserver == other.homeserver
    }
}

impl fmt::Debug for MatrixSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MatrixSession")
            .field("homeserver", &self.homeserver)
            .field("user", &self.user)
            .field("device", &self.device)
            .field("logged_in", &self.tokens.is_some())
            .finish()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}
