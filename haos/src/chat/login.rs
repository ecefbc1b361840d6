//! Logging in and out.

use std::sync::Arc;

use haos_matrix::{Client, Credentials, Homeserver, MatrixSession};
use haos_queue::PauseReason;

use super::backend::Backend;
use super::{Account, Chat};
use crate::error::{Error, Result};

/// The name of a device whose application gives none.
const DEVICE: &str = "HAOS";

impl Chat {
    /// Logs in on the homeserver at a base url, such as `https://matrix.example.org`, or of a server name, such as
    /// `example.org`. A store that was logged in before keeps its device, and what is unsent is sent.
    ///
    /// # Errors
    /// [`Error::LoginRefused`], [`Error::Unreachable`], [`Error::Busy`], [`Error::Address`]; [`Error::OtherUser`] if
    /// the store is another user's, which changes nothing; [`Error::Unsupported`] for a backend of the application's.
    pub async fn login(&self, server: &str, credentials: Credentials) -> Result<Account> {
        let core = &self.core;
        let _alone = core.changing.lock().await;
        if matches!(core.backend(), Some(Backend::Own(..))) {
            return Err(Error::Unsupported("login"));
        }
        let server = self.address(server).await?;
        let name = core.name.as_deref().unwrap_or(DEVICE);
        let client =
            Client::login_on(&core.ground(), &server, credentials, Some(name), &core.options).await?;
        core.put(Some(Backend::Matrix(client)));
        self.account().ok_or(Error::NotLoggedIn)
    }

    /// Ends the session, on the homeserver and here. Rooms, messages and unsent messages stay; a login of the same user
    /// goes on with them.
    ///
    /// # Errors
    /// [`Error::Unreachable`] and the homeserver's refusals: the session goes on then, unless
    /// [`Chat::forget_login`] ends it here.
    pub async fn logout(&self) -> Result<()> {
        let _alone = self.core.changing.lock().await;
        Ok(self.client()?.logout().await?)
    }

    /// Ends the session here alone, without a request: the homeserver has the device until it is removed there.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn forget_login(&self) -> Result<()> {
        let core = &self.core;
        let _alone = core.changing.lock().await;
        self.client()?;
        MatrixSession::forget_tokens(&**core.kept.store()).await?;
        core.outbox.pause(None, PauseReason::LoggedOut).await?;
        core.resume().await?;
        Ok(())
    }

    /// The client of whoever logged in on a homeserver, there after a logout as well: for what this crate does not offer,
    /// such as media and the server's answers.
    pub fn client_handle(&self) -> Option<Client> {
        match self.core.backend() {
            Some(Backend::Matrix(client)) => Some(client),
            _ => None,
        }
    }

    /// The client of whoever is logged in.
    pub(crate) fn client(&self) -> Result<Client> {
        if let Some(Backend::Own(..)) = self.core.backend() {
            return Err(Error::Unsupported("homeserver"));
        }
        self.client_handle().filter(|client| client.session().tokens.is_some()).ok_or(Error::NotLoggedIn)
    }

    /// The homeserver, for requests that no store is needed for.
    pub(crate) fn homeserver(&self) -> Result<Arc<Homeserver>> {
        Ok(self.client()?.homeserver().clone())
    }

    /// The base url of a homeserver that is named by it or by its server name.
    async fn address(&self, server: &str) -> Result<String> {
        if server.contains("://") {
            return Ok(server.to_owned());
        }
        let core = &self.core;
        Ok(Homeserver::discover(server, core.host.clone(), core.options.http.clone()).await?)
    }
}
