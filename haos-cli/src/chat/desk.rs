//! Who is logged in.

use haos::{Chat, Client};

use crate::error::{Error, Result};

/// The client, if anybody ever logged in.
pub(super) fn client(chat: &Chat) -> Result<Client> {
    let nobody = "nobody is logged in: `haos login --homeserver URL` does that";
    chat.client_handle().ok_or_else(|| Error::Input(nobody.to_owned()))
}

/// The client of who is logged in now.
pub(super) fn logged_in(chat: &Chat) -> Result<Client> {
    let client = client(chat)?;
    let session = client.session();
    if session.tokens.is_none() {
        let user = session.user;
        return Err(Error::Input(format!("{user} is logged out: `haos login` logs in again")));
    }
    Ok(client)
}
