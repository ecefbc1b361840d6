//! The sender: an account that is there, or one made for the demo.

use std::sync::Arc;

use haos_cli::parts::{Error, Result, ask_hidden, can_ask, notice, secret_line};
use haos_matrix::{
    Client, ClientOptions, Credentials, Homeserver, HttpOptions, Login, MatrixSession, is_cleartext_url,
};
use haos_queue::{Host as _, TokioHost};
use haos_store_api::{MemoryStore, StorageAdapter};
use zeroize::Zeroizing;

use super::halt::{Halt, patiently};
use super::register;
use crate::args::DemoArgs;

/// The names of the device that sends, and of the one that looks.
const NAMES: [&str; 2] = ["haos demo", "haos demo, reading along"];

/// A user, and what proves it.
pub(super) struct Who {
    pub(super) user: String,
    password: Zeroizing<String>,
}

impl Who {
    fn credentials(&self) -> Credentials {
        Credentials::Password { user: self.user.clone(), password: self.password.to_string() }
    }
}

/// The base url: as given, or as found for a name.
pub(super) async fn url(named: &str) -> Result<String> {
    let connect = |url: &str| Homeserver::connect(url, Arc::new(TokioHost), HttpOptions::default());
    let url = if named.contains("://") {
        named.to_owned()
    } else {
        let what = format!("the homeserver of {named}");
        patiently(&what, 1, async || {
            let found = Homeserver::discover(named, Arc::new(TokioHost), HttpOptions::default()).await;
            found.map_err(|answer| Halt::of(&what, &answer))
        })
        .await?
    };
    let server = connect(&url).map_err(|e| Error::Input(e.to_string()))?;
    let url = server.url().to_owned();
    if is_cleartext_url(&url) {
        notice(&format!("warning: {url} is not encrypted: others on the way can read along"));
    }
    Ok(url)
}

/// Finds the user; one that is not named is made.
pub(super) async fn who(args: &DemoArgs, url: &str) -> Result<Who> {
    let Some(user) = args.user.clone() else {
        let user = format!("haos-demo-{:016x}", TokioHost.random());
        let password = Zeroizing::new(format!("{:016x}{:016x}", TokioHost.random(), TokioHost.random()));
        register::register(url, &user, &password).await?;
        return Ok(Who { user, password });
    };
    let password = match &args.password_file {
        Some(path) => secret_line(path, "password")?,
        None if can_ask() => ask_hidden(&format!("Password of {user} on {url}:"), "password")?,
        None => {
            return Err(Error::Usage(
                "there is no terminal to ask for the password: give --password-file FILE".to_owned(),
            ));
        }
    };
    Ok(Who { user, password })
}

/// The device that looks at the server.
pub(super) async fn reader(url: &str, who: &Who) -> Result<Homeserver> {
    let connect = || Homeserver::connect(url, Arc::new(TokioHost), HttpOptions::default());
    let server = connect().map_err(|e| Error::Input(e.to_string()))?;
    let login =
        Login { credentials: who.credentials(), device: None, device_name: Some(NAMES[1].to_owned()) };
    let session = patiently(url, 1, async || {
        server.login(&login).await.map_err(|answer| match Halt::of(url, &answer) {
            Halt::Over(_) => named(url, haos_matrix::ClientError::from(answer).into()),
            other => other,
        })
    })
    .await?;
    let session = MatrixSession { homeserver: url.to_owned(), ..session };
    let store: Arc<dyn StorageAdapter> = Arc::new(MemoryStore::new());
    session.save(&*store).await?;
    let resumed = Homeserver::resume(session, store, Arc::new(TokioHost), HttpOptions::default());
    resumed.map_err(|e| Error::Input(e.to_string()))
}

/// The device that sends, logged in on its store.
pub(super) async fn sender(store: &Arc<dyn StorageAdapter>, url: &str, who: &Who) -> Result<MatrixSession> {
    let options = ClientOptions::default();
    let client = patiently(url, 1, async || {
        let (store, host) = (store.clone(), Arc::new(TokioHost));
        let login = Client::login(store, host, url, who.credentials(), Some(NAMES[0]), &options).await;
        login.map_err(|e| named(url, e.into()))
    });
    // Wherever the server would rather be found: the demo goes where it was sent.
    Ok(MatrixSession { homeserver: url.to_owned(), ..client.await?.session() })
}

/// A refusal, with the name of who refused.
fn named(url: &str, halt: Halt) -> Halt {
    match halt {
        Halt::Over(Error::Input(text)) => Halt::Over(Error::Input(format!("{url}: {text}"))),
        other => other,
    }
}
