use std::sync::Arc;
use std::time::Duration;

use haos_matrix::{Client, ClientError, Credentials};
use haos_queue::{FileLeader, Lead};
use haos_store::{OpenOptions, Secret};
use haos_store_api::StorageAdapter;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::plan::WorkerPlan;
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

impl Active {
    /// Opens the store, goes on with its session or logs in, and runs.
    pub(super) async fn start(plan: WorkerPlan) -> Result<Self> {
        let host = Arc::new(OffHost::new(plan.clock_offset_ms));
        let path = plan.store.split_once(':').map_or(&*plan.store, |(_, path)| path);
        let leader = FileLeader::acquire(format!("{path}.leader"), &*host).await;
        let leader = leader.map_err(|e| Error::new("the leader's lock", e))?;
        let secret = plan.key_hex.as_deref().map(key).transpose()?;
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

    /// Stops the client and closes the store.
    pub(super) async fn stop(&self) -> Result<()> {
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

fn key(hex: &str) -> Result<Secret> {
    let wrong = || Error::new("key_hex", "64 hexadecimal digits are needed");
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() || !hex.is_ascii() {
        return Err(wrong());
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).map_err(|_| wrong())?;
    }
    Ok(Secret::key(bytes))
}
