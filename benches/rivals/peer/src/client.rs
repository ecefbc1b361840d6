use std::path::PathBuf;
use std::time::Duration;

use matrix_sdk::Client;
use matrix_sdk::config::SyncSettings;
use matrix_sdk::ruma::api::client::keys::get_keys;
use matrix_sdk::ruma::{DeviceId, UserId};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Result;

/// Looks at something that is waited for, and the time between two of them.
const LOOKS: usize = 1200;
const LOOK: Duration = Duration::from_millis(50);

/// The settings: the first line.
#[derive(Deserialize)]
pub(crate) struct Plan {
    homeserver: String,
    user: String,
    password: String,
    device_name: String,
    /// The folder of its store.
    store: PathBuf,
    /// How long a sync waits for news.
    poll_ms: u64,
}

/// The client of this process.
pub(crate) struct Peer {
    pub(crate) client: Client,
    user: String,
    device: String,
}

impl Peer {
    /// Logs a new device in, and syncs from then on.
    pub(crate) async fn login(plan: Plan) -> Result<Self> {
        let builder = Client::builder().homeserver_url(&plan.homeserver).sqlite_store(&plan.store, None);
        let client = builder.build().await?;
        let login = client.matrix_auth().login_username(&plan.user, &plan.password);
        let session = login.initial_device_display_name(&plan.device_name).send().await?;
        let settings = SyncSettings::default().timeout(Duration::from_millis(plan.poll_ms));
        client.sync_once(settings.clone().timeout(Duration::ZERO)).await?;
        let syncing = client.clone();
        tokio::spawn(async move {
            // It ends by errors alone.
            while syncing.sync(settings.clone()).await.is_err() {
                sleep(LOOK).await;
            }
        });
        let (user, device) = (session.user_id.to_string(), session.device_id.to_string());
        let peer = Self { client, user, device };
        // Nobody can write to a device before its keys are there.
        peer.knows(&session.user_id, &session.device_id).await?;
        Ok(peer)
    }

    pub(crate) fn ready(&self) -> Value {
        json!({ "user": self.user, "device": self.device, "resumed": false })
    }

    /// Waits until the server has the keys of a device.
    pub(crate) async fn knows(&self, user: &UserId, device: &DeviceId) -> Result<()> {
        until(&format!("the keys of {user} {device}"), async || {
            let mut request = get_keys::v3::Request::new();
            request.device_keys.insert(user.to_owned(), Vec::new());
            let answer = self.client.send(request).await?;
            let is_there = answer.device_keys.get(user).is_some_and(|devices| devices.contains_key(device));
            Ok(is_there.then_some(()))
        })
        .await
    }
}

/// Looks again and again until it is there.
pub(crate) async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..LOOKS {
        if let Some(value) = found().await? {
            return Ok(value);
        }
        sleep(LOOK).await;
    }
    Err(format!("not within {:?}: {what}", LOOK * LOOKS as u32).into())
}
