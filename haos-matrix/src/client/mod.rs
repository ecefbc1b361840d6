//! All of it put together: one account on one store.

mod error;
mod ground;
mod login;
mod options;

use std::fmt;
use std::sync::Arc;

use haos_queue::pressure::Kept;
use haos_queue::{ConnectionState, Driver, Lead, Outbox, Running, Session};
use haos_store_api::StorageAdapter;
use tokio::sync::watch;

use crate::{Engine, Homeserver, MatrixSession, MediaCache, Server};

pub use error::ClientError;
pub use ground::Ground;
pub use options::ClientOptions;

/// An account on its device: the store, what sends, what syncs, and the media cache.
///
/// The store can be read, and the outbox takes messages, whether or not
/// [`Client::run`] runs and whether or not a server can be reached. Clones are the same client.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use haos_matrix::{Client, ClientOptions, Credentials, compose};
/// use haos_queue::{Lead, TokioHost};
/// use haos_store_api::{RoomId, StorageAdapter};
///
/// # async fn example(store: Arc<dyn StorageAdapter>) -> Result<(), Box<dyn std::error::Error>> {
/// let (host, options) = (Arc::new(TokioHost), ClientOptions::default());
/// let client = match Client::resume(store.clone(), host.clone(), &options).await? {
///     Some(client) => client,
///     None => {
///         let ada = Credentials::Password { user: "ada".to_owned(), password: "…".to_owned() };
///         Client::login(store, host, "https://matrix.example.org", ada, Some("phone"), &options).await?
///     }
/// };
/// let running = tokio::spawn(client.run(Lead::Alone));
/// let hello = compose::text(&RoomId::new("!lobby:example.org")?, "hello")?;
/// client.outbox().enqueue(hello).await?; // safe from here on
/// client.stop(5_000);
/// running.await??;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    homeserver: Arc<Homeserver>,
    session: MatrixSession,
    outbox: Outbox,
    driver: Driver,
    engine: Engine,
    media: MediaCache,
    kept: Arc<Kept>,
    #[cfg(feature = "e2ee")]
    encryption: Option<crate::Encryption>,
}

impl Client {
    /// Puts the parts together; `session` is the one that the store holds.
    fn of(
        ground: &Ground,
        session: MatrixSession,
        options: &ClientOptions,
    ) -> std::result::Result<Self, ClientError> {
        let Ground { kept, outbox } = ground.clone();
        let (store, host) = (kept.store().clone(), kept.host().clone());
        let homeserver = Arc::new(Homeserver::resume(session.clone(), store, host, options.http.clone())?);
        let server: Arc<dyn Server> = homeserver.clone();
        let sender = Session { user: session.user.clone(), device: session.device.clone() };
        let driver = Driver::new(outbox.clone(), homeserver.clone(), sender);
        #[cfg(not(feature = "e2ee"))]
        let engine = Engine::new(server.clone(), outbox.clone(), session.user.clone(), options.sync.clone());
        #[cfg(feature = "e2ee")]
        let (engine, driver, encryption) = sealing((&server, &outbox), driver, &session, options);
        let media = MediaCache::new(server, kept.clone());
        #[cfg(feature = "e2ee")]
        let media = media.opening(encryption.clone());
        Ok(Self {
            homeserver,
            session,
            outbox,
            driver,
            engine,
            media,
            kept,
            #[cfg(feature = "e2ee")]
            encryption,
        })
    }

    /// Sends and syncs until [`Client::stop`] is called or the store is closed. Spawn it, once a process;
    /// dropping it loses nothing.
    ///
    /// With [`Lead::Alone`] what an earlier run left behind is taken up at once: say so where no other
    /// process or page runs the same store.
    ///
    /// # Errors
    /// `Closed` if the store must be opened again. Whatever else happens is told as the connection's state
    /// and tried again.
    pub fn run(&self, lead: Lead) -> Running {
        let (sends, syncs) = (self.driver.run(lead), self.engine.run());
        let media = self.media.clone();
        Box::pin(async move {
            let ended = tokio::select! {
                ended = sends => ended,
                ended = syncs => ended,
            };
            // Reads are uses; a store that is closed has no use for them.
            let _ = media.flush().await;
            ended
        })
    }

    /// Ends [`Client::run`]; what is under way has `grace_ms` milliseconds.
    pub fn stop(&self, grace_ms: u64) {
        self.outbox.stop(grace_ms);
    }

    /// The session, with the tokens as they are known here.
    pub fn session(&self) -> MatrixSession {
        self.homeserver.session().unwrap_or_else(|| self.session.clone())
    }

    /// The store; what is written to it is kept within [`ClientOptions::pressure`].
    pub fn store(&self) -> &Arc<dyn StorageAdapter> {
        self.outbox.store()
    }

    /// The outbox, for all messages; [`compose`](crate::compose) makes drafts.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// What sends, for those who decide themselves when: [`Client::run`] runs it.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// Older messages, members, gaps.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Files and pictures.
    pub fn media(&self) -> &MediaCache {
        &self.media
    }

    /// The store, with its level of pressure.
    pub fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// The homeserver, for requests that no store is needed for: joining, inviting, making rooms.
    pub fn homeserver(&self) -> &Arc<Homeserver> {
        &self.homeserver
    }

    /// The encryption of this device; none for a user whose id Matrix does not know.
    #[cfg(feature = "e2ee")]
    pub fn encryption(&self) -> Option<&crate::Encryption> {
        self.encryption.as_ref()
    }

    /// Watches the state of the connection.
    pub fn connection(&self) -> watch::Receiver<ConnectionState> {
        self.outbox.connection()
    }
}

/// An engine that reads encrypted events, and a driver that seals rows for encrypted rooms.
#[cfg(feature = "e2ee")]
fn sealing(
    (server, outbox): (&Arc<dyn Server>, &Outbox),
    driver: Driver,
    session: &MatrixSession,
    ClientOptions { sync: options, key_code, .. }: &ClientOptions,
) -> (Engine, Driver, Option<crate::Encryption>) {
    let who = (session.user.as_str(), session.device.as_str());
    let pace = (options.request_ms, options.retry);
    let encryption = crate::Encryption::new(server.clone(), outbox.clone(), who, pace, key_code.clone());
    let (server, user) = (server.clone(), session.user.clone());
    let engine = Engine::opening(server, outbox.clone(), user, options.clone(), encryption.clone());
    let driver = match encryption.clone() {
        Some(encryption) => {
            driver.sealing(Arc::new(crate::e2ee::Sealer { encryption, engine: engine.clone() }))
        }
        None => driver,
    };
    (engine, driver, encryption)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("session", &self.session).finish_non_exhaustive()
    }
}
