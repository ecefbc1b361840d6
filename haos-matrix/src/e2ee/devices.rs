//! The devices of people.

use std::collections::BTreeMap;

use haos_store_api::{Error, ErrorKind, Json, Result, UserId};
use matrix_sdk_common::ruma::UserId as RumaUserId;
use serde::Deserialize;

use super::call::Call;
use super::trouble::Trouble;
use super::{Encryption, Inner};
use crate::engine::ask;
use crate::{FetchError, KeyRequest, KeyVerb};

/// A device of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Its id.
    pub id: String,
    /// The name that its user gave it.
    pub name: Option<String>,
    /// Its Ed25519 key in base64, for people to compare; none if it cannot encrypt.
    pub fingerprint: Option<String>,
    /// When the server saw it last, in milliseconds since 1970; told of the own devices alone.
    pub last_seen_ms: Option<i64>,
    /// It is the one that asks.
    pub is_this: bool,
}

/// The devices of a user, by their ids.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeviceList {
    /// The devices, as far as they are known.
    pub devices: Vec<Device>,
    /// The reason why the server was not asked for all of them.
    pub stopped: Option<FetchError>,
}

/// The answer to `GET /devices`.
#[derive(Deserialize)]
struct Told {
    devices: Vec<ToldDevice>,
}

#[derive(Deserialize)]
struct ToldDevice {
    device_id: String,
    display_name: Option<String>,
    last_seen_ts: Option<i64>,
}

impl Encryption {
    /// Reads the devices of a user: their keys are asked for where they are not known as they are now, and of the own
    /// user the server tells those without keys, too.
    ///
    /// # Errors
    /// Those of the store; `Invalid` for a user whose id Matrix does not know.
    pub async fn devices(&self, user: &UserId) -> Result<DeviceList> {
        let of = RumaUserId::parse(user.as_str())
            .map_err(|_| Error::new(ErrorKind::Invalid, "devices", format!("{user} is no id of a user")))?;
        let mut stopped = self.learn(&of).await?;
        let mut devices = BTreeMap::new();
        if of == self.inner.user {
            match self.own().await {
                Ok(own) => devices.extend(own.into_iter().map(|device| (device.id.clone(), device))),
                Err(error) => stopped = stopped.or(Some(error)),
            }
        }
        let turn = self.turn().await.map_err(stored)?;
        let known = turn.machine.get_user_devices(&of, None).await;
        turn.done();
        for device in known.map_err(Trouble::from).map_err(stored)?.devices() {
            let id = device.device_id().to_string();
            let entry = devices.entry(id.clone()).or_insert_with(|| Device { id, ..Device::default() });
            entry.fingerprint = device.ed25519_key().map(|key| key.to_base64());
            entry.name = entry.name.take().or_else(|| device.display_name().map(str::to_owned));
        }
        let mut devices: Vec<_> = devices.into_values().collect();
        for device in &mut devices {
            device.is_this = of == self.inner.user && device.id == self.inner.device.as_str();
        }
        Ok(DeviceList { devices, stopped })
    }

    /// Has the keys of a user's devices asked for, and kept up to date from then on. The reason why not.
    async fn learn(&self, user: &RumaUserId) -> Result<Option<FetchError>> {
        let done = async {
            self.drain().await?;
            let turn = self.turn().await?;
            turn.machine.update_tracked_users(std::iter::once(user)).await?;
            turn.done();
            self.pump(Call::is_of_devices).await
        };
        match done.await {
            Ok(()) => Ok(None),
            Err(Trouble::Fetch(FetchError::Store(error))) => Err(error),
            Err(Trouble::Fetch(error)) => Ok(Some(error)),
            Err(trouble) => Err(stored(trouble)),
        }
    }

    /// The own devices, as the server tells them.
    async fn own(&self) -> Result<Vec<Device>, FetchError> {
        let Inner { outbox, server, request_ms, .. } = &*self.inner;
        let path = ["v3", "devices"].map(str::to_owned).to_vec();
        let request =
            KeyRequest { name: "devices", verb: KeyVerb::Get, path, version: None, body: Json::empty() };
        let body = ask(outbox, *request_ms, server.call(&request)).await?;
        let unreadable = |_| FetchError::Answer(haos_queue::Answer::Unreadable);
        let told: Told = serde_json::from_slice(&body).map_err(unreadable)?;
        let device = |told: ToldDevice| Device {
            id: told.device_id,
            name: told.display_name,
            last_seen_ms: told.last_seen_ts,
            ..Device::default()
        };
        Ok(told.devices.into_iter().map(device).collect())
    }
}

/// What is not about a request, as an error of the store.
fn stored(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Store(error) => error,
        Trouble::Stale => Error::new(ErrorKind::Conflict, "devices", trouble.to_string()),
        other => Error::new(ErrorKind::Other, "devices", other.to_string()),
    }
}
