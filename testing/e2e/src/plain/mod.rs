//! A plain Matrix client for preparing tests and for asking the server what is true.

mod account;
mod history;
mod media;
mod request;
mod rooms;
mod send;
mod sync;

use std::fmt;
use std::net::SocketAddr;

pub use self::history::Happening;

pub(crate) use self::request::Ask;

/// One device of one user, without any memory: each call is one request on a connection of its own, or
/// several for what takes pages, and nothing is tried twice.
#[derive(Clone)]
pub struct Plain {
    address: SocketAddr,
    user_id: String,
    device_id: String,
    access_token: String,
}

impl Plain {
    /// The whole user id, with the server's name.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The device that the server knows this client as.
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// The proof of who asks; for handing the session to another client.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// The same session at another address: a proxy in front of the server, or the server behind it.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, user_id, device_id, access_token: _ } = self;
        f.debug_struct("Plain")
            .field("address", address)
            .field("user_id", user_id)
            .field("device_id", device_id)
            .finish_non_exhaustive()
    }
}
