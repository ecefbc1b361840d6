//! `haos login` and `haos logout`.

use std::io::Write as _;
use std::sync::Arc;

use haos::{Account, Credentials};
use haos_matrix::{Homeserver, HttpOptions, is_cleartext_url};
use haos_queue::TokioHost;
use serde::Serialize;

use crate::args::{LoginArgs, LogoutArgs};
use crate::chat::desk::logged_in;
use crate::error::{Error, Result};
use crate::notice::notice;
use crate::open::Target;
use crate::out::Out;
use crate::private;
use crate::secret::{file, prompt};
use crate::text::clean;

/// The session, for programs. No token.
#[derive(Serialize)]
struct LoggedIn<'a> {
    user: &'a str,
    device: Option<&'a str>,
    homeserver: &'a str,
}

#[derive(Serialize)]
struct LoggedOut {
    /// The homeserver knows.
    told: bool,
}

pub(crate) async fn login(store: &Target, args: &LoginArgs, out: &mut Out) -> Result<()> {
    // Nothing is made, and nobody asked, for a command line that cannot do.
    let from_file = secret_of(args)?;
    if from_file.is_none() && !prompt::is_possible() {
        return Err(Error::Usage(
            "there is no terminal to ask for the password: give --password-file FILE or --token-file FILE"
                .to_owned(),
        ));
    }
    private::prepare(&store.url)?;
    let chat = store.new_chat(&args.device_name).await?;
    let held = chat.account().filter(|account| account.server.is_some());
    let homeserver = homeserver(args, held.as_ref()).await?;
    if is_cleartext_url(&homeserver) {
        notice(&format!("warning: {homeserver} is not encrypted: others on the way can read along"));
    }
    let credentials = credentials(args, held.as_ref(), from_file, &homeserver)?;
    let account = chat.login(&homeserver, credentials).await.map_err(|e| Error::from(e).on(&homeserver))?;
    chat.close().await?;
    let homeserver = account.server.as_ref().unwrap_or(&homeserver);
    let fields = LoggedIn { user: account.user.as_str(), device: account.device.as_deref(), homeserver };
    let [user, homeserver, device] =
        [fields.user, fields.homeserver, fields.device.unwrap_or_default()].map(clean);
    let words = format!("logged in as {user} on {homeserver}, device {device}; `haos sync` brings the rooms");
    out.tell(&fields, |out| Ok(writeln!(out, "{words}")?))
}

pub(crate) async fn logout(store: &Target, args: &LogoutArgs, out: &mut Out) -> Result<()> {
    let chat = store.chat().await?;
    logged_in(&chat)?;
    let told = match chat.logout().await {
        Ok(()) => true,
        Err(haos::Error::Store(error)) => return Err(error.into()),
        Err(_) if args.forget => {
            chat.forget_login().await?;
            false
        }
        Err(error) => {
            let Error::Later(text) = error.into() else {
                return Err(Error::Input(
                    "the homeserver refused to end the session: --forget forgets it here".to_owned(),
                ));
            };
            return Err(Error::Later(format!("{text}, or forget the session here alone with --forget")));
        }
    };
    chat.close().await?;
    let end = if told { "logged out" } else { "forgotten here; the session goes on on the homeserver" };
    out.tell(&LoggedOut { told }, |out| {
        Ok(writeln!(out, "{end}. Rooms, messages and the outbox stay; `haos login` goes on with them")?)
    })
}

/// The url of the homeserver: as given, as found for a name, or as it was.
async fn homeserver(args: &LoginArgs, held: Option<&Account>) -> Result<String> {
    let Some(given) = &args.homeserver else {
        let missing =
            || Error::Usage("which homeserver? Write --homeserver https://matrix.example.org".to_owned());
        return held.and_then(|account| account.server.clone()).ok_or_else(missing);
    };
    if given.contains("://") {
        return Ok(given.clone());
    }
    let found = Homeserver::discover(given, Arc::new(TokioHost), HttpOptions::default()).await;
    found.map_err(|e| Error::from(haos::Error::from(e)).on(&format!("the homeserver of {given}")))
}

/// The secret that a file has.
fn secret_of(args: &LoginArgs) -> Result<Option<zeroize::Zeroizing<String>>> {
    match (&args.token_file, &args.password_file) {
        (Some(path), _) => file::line(path, "token").map(Some),
        (None, Some(path)) => file::line(path, "password").map(Some),
        (None, None) => Ok(None),
    }
}

/// The proof of who it is: from a file, or typed now.
fn credentials(
    args: &LoginArgs,
    held: Option<&Account>,
    from_file: Option<zeroize::Zeroizing<String>>,
    homeserver: &str,
) -> Result<Credentials> {
    if args.token_file.is_some() {
        return Ok(Credentials::Token(from_file.map(|token| token.to_string()).unwrap_or_default()));
    }
    let user = match (&args.user, held) {
        (Some(user), _) => user.clone(),
        (None, Some(account)) => account.user.to_string(),
        (None, None) if prompt::is_possible() => prompt::word("User:")?,
        (None, None) => return Err(Error::Usage("which user? Write --user @me:example.org".to_owned())),
    };
    let password = match from_file {
        Some(password) => password,
        None => prompt::hidden(&format!("Password of {user} on {homeserver}:"), "password")?,
    };
    Ok(Credentials::Password { user, password: password.to_string() })
}
