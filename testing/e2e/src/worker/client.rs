use std::sync::Arc;
use std::time::Duration;

use haos_matrix::{Client, ClientError, Credentials};
use haos_queue::{FileLeader, Lead};
use haos_store::OpenOptions;
use haos_store_api::StorageAdapter;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::command::WorkerCommand;
use super::plan::WorkerPlan;
use super::serve::Obedient;
use crate::host::OffHost;
use crate::{Error, Result};

/// The grace for what is under way when the client stops, in milliseconds.
const GRACE_MS: u64 = 2000;
/// Between two tries to log in.
const AGAIN: Duration = Duration::from_millis(100);

/// The client of a worker, as it runs.
pub(super) struct Active {
    pub(super) plan: WorkerPlan,
    pub(super) host: Arc<OffHost>,
    /// It was not logged in by this process.
    pub(super) resumed: bool,
    pub(super) client: Client,
    running: Mutex<Option<JoinHandle<haos_store_api::Result<()>>>>,
    _leader: FileLeader,
}

impl Obedient for Active {
    type Command = WorkerCommand;

    /// Opens the store, goes on with its session or logs in, and runs.
    async fn start(plan: WorkerPlan) -> Result<Self> {
        let host = Arc::new(OffHost::new(plan.clock_offset_ms));
        let path = plan.store.split_once(':').map_or(&*plan.store, |(_, path)| path);
        let leader = FileLeader::acquire(format!("{path}.leader"), &*host).await;
        let leader = leader.map_err(|e| Error::new("the leader's lock", e))?;
        let secret = plan.secret()?;
        let options = OpenOptions { secret, ..OpenOptions::default() };
        let opened = haos_store::open_with(&plan.store, &options).await;
        let store = opened.map_err(|e| Error::new("opening the store", e))?.store;
        let client = Client::resume(store.clone(), host.clone(), &plan.options()).await;
        let client = client.map_err(|e| Error::new("going on with the session", e))?;
        let resumed = client.is_some();
        let client = match client {
            Some(client) => client,
            None => log_in(&plan, &store, &host).await?,
        };
        let running = Mutex::new(Some(tokio::spawn(client.run(Lead::Alone))));
        Ok(Self { plan, host, resumed, client, running, _leader: leader })
    }

    fn ready(&self) -> Value {
        let session = self.client.session();
        json!({ "user": session.user.as_str(), "device": session.device, "resumed": self.resumed })
    }

    fn waits(command: &WorkerCommand) -> bool {
        command.waits()
    }

    fn ends(command: &WorkerCommand) -> bool {
        matches!(command, WorkerCommand::Stop)
    }

    async fn act(&self, command: WorkerCommand) -> Result<Value> {
        self.obey(command).await
    }

    /// Stops the client and closes the store.
    async fn stop(&self) -> Result<()> {
        if let Some(running) = self.running.lock().await.take() {
            self.client.stop(GRACE_MS);
            let ended = running.await.map_err(|e| Error::new("the client", e))?;
            ended.map_err(|e| Error::new("the client", e))?;
        }
        self.client.store().close().await.map_err(|e| Error::new("closing the store", e))
    }
}

/// Tries as long as a better answer may come, and within the plan's limit.
async fn log_in(plan: &WorkerPlan, store: &Arc<dyn StorageAdapter>, host: &Arc<OffHost>) -> Result<Client> {
    let trying = async {
        loop {
            let credentials =
                Credentials::Password { user: plan.user.clone(), password: plan.password.clone() };
            let name = Some(&*plan.device_name);
            let (store, host) = (store.clone(), host.clone());
            match Client::login(store, host, &plan.homeserver, credentials, name, &plan.options()).await {
                Err(ClientError::Unreachable(_) | ClientError::Busy { .. }) => {
                    tokio::time::sleep(AGAIN).await;
                }
                done => return done.map_err(|e| Error::new("login", e)),
            }
        }
    };
    let limit = Duration::from_millis(plan.limit_ms);
    tokio::time::timeout(limit, trying).await.map_err(|e| Error::new("login", e))?
}
