//! What a chat sends over, and what it syncs with.

#[cfg(feature = "http")]
use haos_matrix::Client;
use haos_matrix::Engine;
use haos_queue::{Driver, Session};
#[cfg(not(target_arch = "wasm32"))]
use haos_queue::{Lead, Running};
use haos_store_api::UserId;

#[cfg(feature = "http")]
pub(crate) use haos_matrix::ClientOptions as Options;

/// How a chat behaves.
#[cfg(not(feature = "http"))]
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) outbox: haos_queue::OutboxOptions,
    pub(crate) pressure: haos_queue::pressure::PressureOptions,
}

/// A backend with somebody on it. Clones are the same.
#[derive(Clone)]
pub(crate) enum Backend {
    /// A homeserver.
    #[cfg(feature = "http")]
    Matrix(Client),
    /// The application's own.
    Own(Driver, Session),
}

impl Backend {
    pub(crate) fn user(&self) -> UserId {
        match self {
            #[cfg(feature = "http")]
            Self::Matrix(client) => client.session().user,
            Self::Own(_, session) => session.user.clone(),
        }
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn driver(&self) -> &Driver {
        match self {
            #[cfg(feature = "http")]
            Self::Matrix(client) => client.driver(),
            Self::Own(driver, _) => driver,
        }
    }

    /// The sync engine; none of the application's own backend.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match self {
            #[cfg(feature = "http")]
            Self::Matrix(client) => Some(client.engine()),
            Self::Own(..) => None,
        }
    }

    /// Sends and syncs until the outbox is stopped.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn run(&self, lead: Lead) -> Running {
        match self {
            #[cfg(feature = "http")]
            Self::Matrix(client) => client.run(lead),
            Self::Own(driver, _) => driver.run(lead),
        }
    }
}
