//! The tools of a command that writes.

use std::sync::Arc;

use haos_matrix::{Client, ClientError, ClientOptions, FillOptions, MatrixProtocol};
use haos_queue::pressure::Kept;
use haos_queue::{EnqueueError, Outbox, TokioHost};
use haos_store_api::{
    EventType, Scope, StateKey, StorageAdapter, StorageAdapterExt as _, UserId, state_kind,
};

use super::online::client_fault;
use crate::error::{Error, Result};
use crate::open::Target;

/// A store with its outbox, and its client where somebody logged in.
pub(super) struct Desk {
    pub(super) store: Arc<dyn StorageAdapter>,
    pub(super) outbox: Outbox,
    /// Whose store it is, if it knows.
    pub(super) own: Option<UserId>,
    /// The place of the store.
    pub(super) target: Target,
    client: Option<Client>,
    /// The reason why there is no client, where somebody logged in.
    fault: Option<String>,
}

impl Desk {
    /// Opens the store of the command, which has to be there. Gaps are left to `haos sync`.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let mut options = ClientOptions::default();
        options.sync.fill = FillOptions::off();
        Self::with(target, options).await
    }

    /// Opens the store for a client with options of its own.
    pub(super) async fn with(target: &Target, options: ClientOptions) -> Result<Self> {
        let store = target.existing().await?.store;
        let own = own_user(&*store).await?;
        let (client, fault) = match Client::resume(store.clone(), Arc::new(TokioHost), &options).await {
            Ok(client) => (client, None),
            // Writing needs no homeserver.
            Err(error @ ClientError::Connect(_)) => (None, Some(error.to_string())),
            Err(error) => return Err(client_fault(error)),
        };
        let outbox = match &client {
            Some(client) => client.outbox().clone(),
            None => {
                let host = Arc::new(TokioHost);
                let kept = Arc::new(Kept::new(store.clone(), host.clone(), options.pressure));
                Outbox::new(kept, host, Arc::new(MatrixProtocol), options.outbox)?
            }
        };
        Ok(Self { store, outbox, own, target: target.clone(), client, fault })
    }

    /// The client, if anybody ever logged in.
    pub(super) fn client(&self) -> Result<&Client> {
        self.client.as_ref().ok_or_else(|| {
            let nobody = "nobody is logged in: `haos login --homeserver URL` does that";
            Error::Input(self.fault.clone().unwrap_or_else(|| nobody.to_owned()))
        })
    }

    /// The client of who is logged in now.
    pub(super) fn logged_in(&self) -> Result<&Client> {
        let client = self.client()?;
        if client.session().tokens.is_none() {
            let user = client.session().user;
            return Err(Error::Input(format!("{user} is logged out: `haos login` logs in again")));
        }
        Ok(client)
    }

    pub(super) async fn close(self) -> Result<()> {
        Ok(self.store.close().await?)
    }
}

/// The own user, as a login or an import said.
async fn own_user(store: &dyn StorageAdapter) -> Result<Option<UserId>> {
    let (kind, key) = (EventType::new(state_kind::OWN_USER)?, StateKey::new("")?);
    let value = store.state_value(Scope::Account, &kind, &key).await?;
    Ok(value.map(|value| value.parse()).transpose()?)
}

/// A draft that the outbox does not take is bad input.
pub(super) fn refused(error: EnqueueError) -> Error {
    match error {
        EnqueueError::Store(error) => Error::Store(error),
        other => Error::Input(format!("{other}; nothing was stored")),
    }
}
