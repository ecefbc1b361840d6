use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;

use haos_queue::{Protocol, Session, SharedHost, Transport};
use haos_store::{OpenOptions, Scheme, Secret};

use super::Chat;
use super::backend::{Backend, Options};
use super::core::{Core, Parts};
use crate::error::Result;

/// A chat that is about to be opened: await it.
///
/// ```no_run
/// # async fn open() -> haos::Result<()> {
/// let secret = haos::Secret::passphrase("red green blue");
/// let chat = haos::Chat::open("sqlite:chat.db").secret(secret).await?;
/// # Ok(()) }
/// ```
#[must_use = "nothing is opened until it is awaited"]
pub struct Opening {
    url: String,
    store: OpenOptions,
    options: Options,
    host: Option<SharedHost>,
    own: Option<Own>,
    is_offline: bool,
    is_held: bool,
    name: Option<String>,
}

/// A backend that is not Matrix.
struct Own {
    transport: Arc<dyn Transport>,
    protocol: Arc<dyn Protocol>,
    session: Session,
}

#[cfg(not(target_arch = "wasm32"))]
type Opened = Pin<Box<dyn Future<Output = Result<Chat>> + Send>>;
#[cfg(target_arch = "wasm32")]
type Opened = Pin<Box<dyn Future<Output = Result<Chat>>>>;

impl Opening {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            store: OpenOptions::default(),
            options: Options::default(),
            host: None,
            own: None,
            is_offline: false,
            is_held: false,
            name: None,
        }
    }

    /// Names the passphrase or key of the store. A store that is made is made sealed.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.store.secret = Some(secret);
        self
    }

    /// Sets how the store is opened; a [`secret`](Opening::secret) of before stands unless these name one.
    pub fn store_options(mut self, options: OpenOptions) -> Self {
        let secret = self.store.secret.take();
        self.store = OpenOptions { secret: options.secret.clone().or(secret), ..options };
        self
    }

    /// Sets how the outbox, the sync, requests and a full store behave. Signs of typing are asked for in any case.
    #[cfg(feature = "http")]
    pub fn options(mut self, options: haos_matrix::ClientOptions) -> Self {
        #[cfg(feature = "e2ee")]
        let options = Options { key_code: options.key_code.or(self.options.key_code), ..options };
        self.options = options;
        self
    }

    /// Names what loads the code for encryption, where it comes apart from the rest, as in browsers: it is loaded once the
    /// account has had an encrypted room.
    #[cfg(all(feature = "e2ee", feature = "http"))]
    pub fn key_code(mut self, code: Arc<dyn haos_matrix::KeyCode>) -> Self {
        self.options.key_code = Some(code);
        self
    }

    /// Names a backend that is not Matrix: how it sends, what its messages mean, and who sends. What it receives, the
    /// application brings into [`Chat::store`] by `haos_queue::apply_sync`.
    pub fn transport(
        mut self,
        transport: Arc<dyn Transport>,
        protocol: Arc<dyn Protocol>,
        session: Session,
    ) -> Self {
        self.own = Some(Own { transport, protocol, session });
        self
    }

    /// Names another clock, timer and source of chance than the machine's.
    pub fn host(mut self, host: SharedHost) -> Self {
        self.host = Some(host);
        self
    }

    /// Runs nothing: no sends and no syncs, as tools want it. What is written waits for whoever runs.
    pub fn offline(mut self) -> Self {
        self.is_offline = true;
        self
    }

    /// Sends and syncs nothing until [`Chat::start`]: what is unsent can be looked at, changed and taken back first.
    pub fn held(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// Names the device, for the user's other devices to show, as of the next login.
    pub fn name(mut self, device_name: impl Into<String>) -> Self {
        self.name = Some(device_name.into());
        self
    }

    #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
    async fn open(mut self) -> Result<Chat> {
        // Checked before anything is made.
        let scheme: Scheme = self.url.parse()?;
        let spawner = super::run::Spawner::find(self.is_offline)?;
        #[cfg(feature = "http")]
        {
            self.options.sync.filter.typing = true;
        }
        let opened = haos_store::open_with(&self.url, &self.store).await?;
        let host = self.host.take().unwrap_or_else(super::run::host);
        let parts = Parts {
            raw: opened.store,
            host,
            options: self.options,
            scheme,
            name: self.name,
            // Where nothing can be written down, nothing is sent.
            is_offline: self.is_offline || opened.capabilities.read_only,
            is_held: self.is_held,
        };
        let core = match self.own {
            Some(own) => {
                let core = Core::new(parts, own.protocol)?;
                let driver = haos_queue::Driver::new(core.outbox.clone(), own.transport, own.session.clone());
                core.put(Some(Backend::Own(driver, own.session)));
                core
            }
            None => {
                let core = Core::new(parts, Arc::new(haos_matrix::MatrixProtocol))?;
                core.resume().await?;
                core
            }
        };
        core.find_me().await?;
        Ok(Chat::of(Arc::new(core), spawner))
    }
}

impl IntoFuture for Opening {
    type Output = Result<Chat>;
    type IntoFuture = Opened;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("url", &self.url).finish_non_exhaustive()
    }
}
