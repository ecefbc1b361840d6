//! Logging in, going on, logging out.

use std::sync::Arc;

use haos_queue::{PauseReason, Retries, SharedHost};
use haos_store_api::{
    ErrorKind, EventType, Json, MemoryStore, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, UserId,
    WriteBatch, state_kind,
};

use super::{Client, ClientError, ClientOptions, Ground};
use crate::{Credentials, Homeserver, Login, MatrixSession};

impl Client {
    /// Logs in, and writes the session down. A store that was logged in before keeps its device, so that
    /// what was being sent is not sent twice; what was paused for want of a login goes on.
    ///
    /// # Errors
    /// [`ClientError`]; `OtherUser` where the store is another user's.
    pub async fn login(
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        homeserver: &str,
        credentials: Credentials,
        device_name: Option<&str>,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        let ground = Ground::new(store, host, options)?;
        Self::login_on(&ground, homeserver, credentials, device_name, options).await
    }

    /// Logs in, as [`Client::login`] does, on a store whose outbox is in use already.
    ///
    /// A client that runs on it is stopped before this one runs.
    ///
    /// # Errors
    /// As of [`Client::login`].
    pub async fn login_on(
        ground: &Ground,
        homeserver: &str,
        credentials: Credentials,
        device_name: Option<&str>,
        options: &ClientOptions,
    ) -> Result<Self, ClientError> {
        let (store, host) = (ground.kept.store(), ground.kept.host());
        let held = match MatrixSession::load(&**store).await {
            // It says to log in again.
            Err(e) if e.kind() == ErrorKind::Corrupt => None,
            held => held?,
        };
        let server = Homeserver::connect(homeserver, host.clone(), options.http.clone())?;
        let login = Login {
            credentials,
            device: held.as_ref().map(|session| session.device.clone()),
            device_name: device_name.map(str::to_owned),
        };
        let session = server.login(&login).await?;
        let owner = own_user(&**store).await?.or(held.map(|session| session.user));
        if let Some(held) = owner.filter(|held| *held != session.user) {
            // The server has a session now that nobody will use.
            let given = session.user.clone();
            let aside = Arc::new(MemoryStore::new());
            session.save(&*aside).await?;
            let _ = Homeserver::resume(session, aside, host.clone(), options.http.clone())?.logout().await;
            return Err(ClientError::OtherUser { held, given });
        }
        let client = Self::of(ground, session, options)?;
        client.write_down().await?;
        client.outbox.try_now();
        Ok(client)
    }

    /// The session, whose store this is from now on, and what it leaves in doubt: one commit.
    async fn write_down(&self) -> Result<(), ClientError> {
        // Another context may be sending.
        let mut retries = Retries::default();
        loop {
            let mut batch = WriteBatch::strict();
            self.session.put(&mut batch)?;
            batch.put_state(StateEntry {
                scope: Scope::Account,
                kind: EventType::new(state_kind::OWN_USER)?,
                key: StateKey::new("")?,
                event_id: None,
                value: Json::of(self.session.user.as_str())?,
            });
            self.outbox.logged_in(&mut batch).await?;
            #[cfg(feature = "e2ee")]
            crate::Encryption::logged_in(&**self.store(), &mut batch).await?;
            if retries.committed(self.store().apply(batch).await)?.is_some() {
                return Ok(());
            }
        }
    }

    /// The client of whoever is logged in on this store; makes no request. None: nobody ever was. After a
    /// logout it is there as well, with its outbox paused, so that what was written can be seen.
    ///
    /// # Errors
    /// Those of the store; `Connect` if the stored homeserver is invalid.
    pub async fn resume(
        store: Arc<dyn StorageAdapter>,
        host: SharedHost,
        options: &ClientOptions,
    ) -> Result<Option<Self>, ClientError> {
        Self::resume_on(&Ground::new(store, host, options)?, options).await
    }

    /// The client of whoever is logged in, as of [`Client::resume`], on a store whose outbox is in use already.
    ///
    /// # Errors
    /// As of [`Client::resume`].
    pub async fn resume_on(ground: &Ground, options: &ClientOptions) -> Result<Option<Self>, ClientError> {
        match MatrixSession::load(&**ground.kept.store()).await? {
            Some(session) => Self::of(ground, session, options).map(Some),
            None => Ok(None),
        }
    }

    /// Ends the session, on the server and here. Rooms, messages and unsent messages stay; a login goes on
    /// on the same device.
    ///
    /// # Errors
    /// [`ClientError`]. What could not be told to the server can be repeated.
    pub async fn logout(&self) -> Result<(), ClientError> {
        self.homeserver.logout().await?;
        let resumed = self.outbox.resumed().await?;
        Ok(self.outbox.refused(PauseReason::LoggedOut, resumed).await?)
    }
}

/// Whose store it is, if anybody's.
async fn own_user(store: &dyn StorageAdapter) -> Result<Option<UserId>, ClientError> {
    let (kind, key) = (EventType::new(state_kind::OWN_USER)?, StateKey::new("")?);
    let found = store.state(StateQuery::one(Scope::Account, kind, key)).await?;
    Ok(found.into_iter().next().and_then(|entry| entry.value.parse().ok()))
}
