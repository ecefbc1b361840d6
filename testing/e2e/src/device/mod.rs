//! The client under test as an application holds it: a store on disk that can be closed and opened again,
//! a clock that can jump, and a run that can be ended.

mod kind;
mod options;
mod wait;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use haos_matrix::{Client, ClientOptions, Credentials};
use haos_queue::{ConnectionState, Lead};
use haos_store_api::{Pending, RoomId, StorageAdapter};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub use self::kind::StoreKind;
pub use self::options::hurried;
pub use self::wait::until;

use crate::host::OffHost;
use crate::{Error, Result};

/// How long a run may take to end what is under way, in milliseconds.
const GRACE_MS: u64 = 2_000;

/// A user's device: the library under test in this process, on a store of its own that goes when this is
/// dropped.
#[derive(Debug)]
pub struct Device {
    kind: StoreKind,
    client: Client,
    running: Option<JoinHandle<haos_store_api::Result<()>>>,
    host: Arc<OffHost>,
    options: ClientOptions,
    // Last, so that the store is closed before its folder goes.
    folder: TempDir,
}

impl Device {
    /// Logs a user in on a new store. It does not run yet.
    ///
    /// # Errors
    /// There is no store to be had, or the server refuses.
    pub async fn login(
        kind: StoreKind,
        homeserver: &str,
        user: &str,
        password: &str,
        options: ClientOptions,
    ) -> Result<Self> {
        let folder = crate::folder::temporary().map_err(failed("no folder for a store"))?;
        let host = Arc::new(OffHost::default());
        let store = open(kind, &folder).await?;
        let client = Client::login(
            store,
            host.clone(),
            homeserver,
            Credentials::Password { user: user.to_owned(), password: password.to_owned() },
            Some("e2e"),
            &options,
        )
        .await
        .map_err(failed("login"))?;
        Ok(Self { kind, client, running: None, host, options, folder })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Which store it is on.
    pub fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Sends and syncs from now on, if it does not already.
    pub fn start(&mut self) {
        if self.running.is_none() {
            self.running = Some(tokio::spawn(self.client.run(Lead::Alone)));
        }
    }

    /// Ends the run and waits for its end.
    ///
    /// # Errors
    /// The run ended with an error.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        self.client.stop(GRACE_MS);
        running.await.map_err(failed("run"))?.map_err(failed("run"))
    }

    /// Ends the run, closes the store, opens it again as a new process would, and resumes. It does not run
    /// then.
    ///
    /// # Errors
    /// The run, the store, or that nobody is logged in there.
    pub async fn reopen(&mut self) -> Result<()> {
        let options = self.options.clone();
        self.reopen_with(options).await
    }

    /// [`reopen`](Self::reopen) with other options.
    ///
    /// # Errors
    /// As [`reopen`](Self::reopen).
    pub async fn reopen_with(&mut self, options: ClientOptions) -> Result<()> {
        self.stop().await?;
        self.client.store().close().await.map_err(failed("closing the store"))?;
        let store = open(self.kind, &self.folder).await?;
        let resumed = Client::resume(store, self.host.clone(), &options).await.map_err(failed("resume"))?;
        self.client = resumed.ok_or_else(|| Error::new("resume", "nobody is logged in on the store"))?;
        self.options = options;
        Ok(())
    }

    /// Ends the run and logs in again on the same store, as [`Client::login`] does it. It does not run then.
    ///
    /// # Errors
    /// The run, the store, or the server refuses.
    pub async fn login_again(&mut self, user: &str, password: &str) -> Result<()> {
        self.stop().await?;
        self.client = Client::login(
            self.client.store().clone(),
            self.host.clone(),
            self.client.homeserver().url(),
            Credentials::Password { user: user.to_owned(), password: password.to_owned() },
            None,
            &self.options,
        )
        .await
        .map_err(failed("login"))?;
        Ok(())
    }

    /// Lets the client's clock, and no other, jump ahead.
    pub fn advance_clock(&self, by: Duration) {
        self.host.advance(by);
    }

    /// The rows of the outbox.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rows(&self) -> Result<Vec<Pending>> {
        self.client.outbox().rows(None).await.map_err(failed("reading the outbox"))
    }

    /// The rows of the outbox for a room.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rows_of(&self, room: &RoomId) -> Result<Vec<Pending>> {
        self.client.outbox().rows(Some(room)).await.map_err(failed("reading the outbox"))
    }

    /// The state of the connection.
    pub fn connection(&self) -> ConnectionState {
        self.client.connection().borrow().clone()
    }

    /// Waits until `so` is true; looks again and again, for a minute.
    ///
    /// # Errors
    /// It never was; the error says what was missing, and how the device stood.
    pub async fn until(&self, what: &str, so: impl AsyncFnMut() -> bool) -> Result<()> {
        let Err(error) = until(what, so).await else { return Ok(()) };
        let rows =
            self.rows().await.map_or_else(|e| vec![e.to_string()], |rows| rows.iter().map(line).collect());
        let cause = format!("{}: {:?}; outbox: [{}]", self.kind.name(), self.connection(), rows.join(", "));
        Err(Error::new(error.to_string(), cause))
    }

    /// Waits until everything that was written is delivered, its echo included.
    ///
    /// # Errors
    /// It never was; the error says what is left.
    pub async fn until_delivered(&self) -> Result<()> {
        self.until("everything is delivered", async || self.rows().await.is_ok_and(|rows| rows.is_empty()))
            .await
    }

    /// Waits until the server's news are here.
    ///
    /// # Errors
    /// They never were.
    pub async fn until_live(&self) -> Result<()> {
        self.until("the connection is live", async || self.connection() == ConnectionState::Live).await
    }
}

/// A run that nobody ended does not outlive its device.
impl Drop for Device {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

async fn open(kind: StoreKind, folder: &TempDir) -> Result<Arc<dyn StorageAdapter>> {
    let opened = haos_store::open_with(&kind.url(folder.path()), &kind.open_options()).await;
    Ok(opened.map_err(failed("opening a store"))?.store)
}

/// A row as an error shows it, without content.
fn line(row: &Pending) -> String {
    let Pending { seq, kind, state, attempts, ambiguous, error, .. } = row;
    format!("{seq} {kind} {state:?} attempts={attempts} ambiguous={ambiguous} {error:?}")
}

fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> Error {
    move |e| Error::new(what, e)
}
