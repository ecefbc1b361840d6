use haos_store_api::UserId;
use serde::Serialize;

use super::Chat;
use super::backend::Backend;

/// The account whose chat it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The user.
    pub user: UserId,
    /// The device, as the server knows it; absent for a store that was filled without a login.
    pub device: Option<String>,
    /// The homeserver's base url; absent for other backends.
    pub server: Option<String>,
    /// True if a login holds. After a logout the rest stays, and a login goes on with it.
    pub is_logged_in: bool,
}

impl Chat {
    /// The account, as far as the store knows it; `None` before the first login.
    pub fn account(&self) -> Option<Account> {
        match self.core.backend() {
            #[cfg(feature = "http")]
            Some(Backend::Matrix(client)) => {
                let session = client.session();
                Some(Account {
                    user: session.user,
                    device: Some(session.device),
                    server: Some(session.homeserver),
                    is_logged_in: session.tokens.is_some(),
                })
            }
            Some(Backend::Own(_, session)) => Some(Account {
                user: session.user,
                device: Some(session.device),
                server: None,
                is_logged_in: true,
            }),
            None => {
                let user = self.core.me.borrow().clone()?;
                Some(Account { user, device: None, server: None, is_logged_in: false })
            }
        }
    }

    /// Reads a user's devices, as of now where the server can be asked: who can read what is written in encrypted rooms.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`](crate::Error::NotLoggedIn) without an account that encrypts; those of the store.
    #[cfg(feature = "e2ee")]
    pub async fn devices(&self, user: &UserId) -> crate::Result<haos_matrix::DeviceList> {
        let client = self.client_handle().ok_or(crate::Error::NotLoggedIn)?;
        let encryption = client.encryption().ok_or(crate::Error::NotLoggedIn)?;
        Ok(encryption.devices(user).await?)
    }
}
