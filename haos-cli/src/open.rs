//! The store of a command.

use std::io::ErrorKind as IoKind;

use haos::{Chat, ClientOptions, Opening, RecoveryReport};
use haos_matrix::FillOptions;
use haos_store::{ErrorKind, OpenOptions, Opened, Recovery, Scheme};

use crate::args::{KeyArgs, StoreArg};
use crate::error::{Error, Result};
use crate::secret::{self, Given, prompt};

/// How often a passphrase is asked for.
const TRIES: u32 = 3;

/// Which store is meant, and what opens it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) given: Option<Given>,
    /// Without a secret.
    pub(crate) options: OpenOptions,
}

impl Target {
    /// Reads the secret, where one is named.
    pub(crate) fn new(url: String, keys: &KeyArgs) -> Result<Self> {
        Ok(Self { url, given: secret::given(keys)?, options: secret::options(keys) })
    }

    /// The store that the command names itself, if it does.
    pub(crate) fn at(self, store: &StoreArg) -> Self {
        Self { url: store.url.clone().unwrap_or(self.url), ..self }
    }

    /// Opens a store that has to be there.
    pub(crate) async fn existing(&self) -> Result<Opened> {
        Ok(self.unlocked().await?.0)
    }

    /// Opens a store that has to be there; if anything of it is damaged, a fresh one with everything
    /// that is readable.
    pub(crate) async fn checked(&self) -> Result<Opened> {
        self.must_exist()?;
        Ok(self.open_store(OpenOptions { create: false, check: true, ..self.options.clone() }).await?.0)
    }

    /// Opens a store that has to be there, and gives what opened it.
    pub(crate) async fn unlocked(&self) -> Result<(Opened, OpenOptions)> {
        self.must_exist()?;
        self.open_store(OpenOptions { create: false, ..self.options.clone() }).await
    }

    /// Opens a store, or makes one: a sealed one if a secret was given.
    pub(crate) async fn or_create(&self) -> Result<Opened> {
        Ok(self.open_store(self.options.clone()).await?.0)
    }

    /// Opens the chat of a store that has to be there; it waits to be started. Gaps are left to `haos sync`.
    pub(crate) async fn chat(&self) -> Result<Chat> {
        let mut options = ClientOptions::default();
        options.sync.fill = FillOptions::off();
        self.chat_with(options).await
    }

    /// Opens the chat of a store that has to be there, with options; it waits to be started.
    pub(crate) async fn chat_with(&self, options: ClientOptions) -> Result<Chat> {
        self.must_exist()?;
        let store = OpenOptions { create: false, ..self.options.clone() };
        self.open_chat(store, |opening| opening.options(options.clone())).await
    }

    /// Opens the chat of a store, or makes one, for the login of a device.
    pub(crate) async fn new_chat(&self, device: &str) -> Result<Chat> {
        self.open_chat(self.options.clone(), |opening| opening.name(device)).await
    }

    /// Refuses a store that is not there, and a sealed one.
    pub(crate) async fn must_be_plain(&self) -> Result<()> {
        self.must_exist()?;
        let url = &self.url;
        match haos_store::open_with(url, &OpenOptions { create: false, ..OpenOptions::default() }).await {
            Ok(opened) => {
                tell(opened.capabilities.recovery.as_ref());
                Ok(opened.store.close().await?)
            }
            Err(error) if error.kind() == ErrorKind::Sealed => Err(Error::Unhealthy(format!(
                "{url} is sealed already: change what opens it with `haos rekey {url}`"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a store that is not there.
    fn must_exist(&self) -> Result<()> {
        let scheme: Scheme = self.url.parse()?;
        let Some(path) = scheme.path() else { return Ok(()) };
        if path.metadata().is_err_and(|e| e.kind() == IoKind::NotFound) {
            return Err(Error::Unhealthy(format!(
                "there is no store at {}: fill one with `haos import`, or name another with --store",
                path.display()
            )));
        }
        Ok(())
    }

    async fn open_store(&self, options: OpenOptions) -> Result<(Opened, OpenOptions)> {
        let open = async |options: &OpenOptions| Ok(haos_store::open_with(&self.url, options).await?);
        let opened = self.open(options, open).await?;
        tell(opened.0.capabilities.recovery.as_ref());
        Ok(opened)
    }

    async fn open_chat(&self, options: OpenOptions, opening: impl Fn(Opening) -> Opening) -> Result<Chat> {
        let open = async |options: &OpenOptions| {
            opening(Chat::open(&self.url).store_options(options.clone())).held().await
        };
        let (chat, _) = self.open(options, open).await?;
        tell(chat.store().info().recovery.as_ref());
        Ok(chat)
    }

    /// Opens it, and asks for its passphrase if it has one that is not given.
    async fn open<T>(
        &self,
        options: OpenOptions,
        open: impl AsyncFn(&OpenOptions) -> haos::Result<T>,
    ) -> Result<(T, OpenOptions)> {
        let secret = self.given.as_ref().map(|given| given.secret.clone());
        let mut options = OpenOptions { secret, ..options };
        let mut asked = 0;
        loop {
            let error = match open(&options).await {
                Ok(opened) => return Ok((opened, options)),
                Err(haos::Error::Store(error)) => error,
                Err(error) => return Err(error.into()),
            };
            let again = match error.kind() {
                ErrorKind::Sealed => asked == 0,
                ErrorKind::WrongKey => (1..TRIES).contains(&asked),
                _ => false,
            };
            if !again || self.given.is_some() || !prompt::is_possible() {
                return Err(self.explain(error, asked > 0));
            }
            let sorry = if asked > 0 { "That is not it. " } else { "" };
            options.secret = Some(prompt::passphrase(&format!("{sorry}Passphrase of {}:", self.url))?);
            asked += 1;
        }
    }

    /// An error about keys, with the options of this command in it.
    fn explain(&self, error: haos_store::Error, typed: bool) -> Error {
        let url = &self.url;
        let from = match &self.given {
            Some(given) => given.from.as_str(),
            None if typed => "what was typed",
            None => url,
        };
        match error.kind() {
            ErrorKind::Sealed => Error::Unhealthy(format!(
                "{url} is sealed: give --passphrase-file FILE or --key-file FILE, or run this in a terminal, \
                 which asks for the passphrase"
            )),
            ErrorKind::WrongKey => Error::Unhealthy(format!("{from}: {error}")),
            ErrorKind::Unsupported if error.to_string().contains("kdf_limits") => Error::Unhealthy(format!(
                "{url}: {error}; `kdf_limits` is --any-kdf-cost here, the key is given with --key-file FILE"
            )),
            ErrorKind::NotSealed => Error::Unhealthy(format!(
                "{url} is plain: leave out --passphrase-file and --key-file, or seal it with `haos seal {url}`"
            )),
            _ => error.into(),
        }
    }
}

/// Says what became of a damaged store.
fn tell(recovery: Option<&Recovery>) {
    let Some(report) = recovery.map(RecoveryReport::from) else { return };
    let rest = match report.is_whole {
        true => "",
        false => ". Sync, or import your files again, to fill what is missing",
    };
    crate::notice::notice(&format!("warning: {report}{rest}"));
}
