use std::sync::Arc;

use haos_matrix::Typing;
use haos_queue::pressure::Kept;
use haos_queue::{Outbox, Protocol, SharedHost};
use haos_store::Scheme;
use haos_store_api::{
    Change, EventType, Result, Scope, StateKey, StorageAdapter, StorageAdapterExt as _, Touched, UserId,
    state_kind,
};
use tokio::sync::{Mutex, watch};

use super::backend::{Backend, Options};
use crate::base::Base;

/// What a chat is made of.
pub(super) struct Parts {
    pub(super) raw: Arc<dyn StorageAdapter>,
    pub(super) host: SharedHost,
    pub(super) options: Options,
    pub(super) scheme: Scheme,
    pub(super) name: Option<String>,
    pub(super) is_offline: bool,
    pub(super) is_held: bool,
}

/// An open chat, without what keeps it running.
pub(crate) struct Core {
    pub(crate) kept: Arc<Kept>,
    /// The same, as others take it.
    pub(crate) store: Arc<dyn StorageAdapter>,
    pub(crate) outbox: Outbox,
    pub(crate) host: SharedHost,
    protocol: Arc<dyn Protocol>,
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "logins alone need them"))]
    pub(super) options: Options,
    pub(super) scheme: Scheme,
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "logins alone need it"))]
    pub(super) name: Option<String>,
    pub(super) is_offline: bool,
    /// True until the chat is started.
    pub(super) is_held: watch::Sender<bool>,
    /// The backend to run, once somebody is there.
    pub(super) backend: watch::Sender<Option<Backend>>,
    /// True while a backend sends and syncs here.
    pub(super) is_running: watch::Sender<bool>,
    pub(super) role: watch::Sender<Role>,
    pub(super) typing: watch::Sender<Typing>,
    pub(super) me: watch::Sender<Option<UserId>>,
    /// One login or logout at a time.
    pub(super) changing: Mutex<()>,
}

/// The part of this process or page in sending and syncing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing runs here.
    Idle,
    /// Another process or page runs.
    Waiting,
    /// It is the one that runs.
    Leading,
}

impl Core {
    pub(super) fn new(parts: Parts, protocol: Arc<dyn Protocol>) -> Result<Self> {
        let Parts { raw, host, options, scheme, name, is_offline, is_held } = parts;
        #[cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync, reason = "one thread"))]
        let kept = Arc::new(Kept::new(raw, host.clone(), options.pressure.clone()));
        let outbox = Outbox::new(kept.clone(), host.clone(), protocol.clone(), options.outbox.clone())?;
        outbox.platform_online(!is_offline);
        Ok(Self {
            store: kept.clone(),
            kept,
            outbox,
            host,
            protocol,
            options,
            scheme,
            name,
            is_offline,
            is_held: watch::Sender::new(is_held),
            backend: watch::Sender::new(None),
            is_running: watch::Sender::new(false),
            role: watch::Sender::new(Role::Idle),
            typing: watch::Sender::default(),
            me: watch::Sender::new(None),
            changing: Mutex::default(),
        })
    }

    /// What is shared with lists that are read.
    pub(crate) fn base(&self) -> Base {
        Base {
            store: self.store.clone(),
            protocol: self.protocol.clone(),
            outbox: self.outbox.clone(),
            backend: self.backend.subscribe(),
            me: self.me.subscribe(),
            typing: self.typing.subscribe(),
        }
    }

    /// Puts a backend in the place of another one, which is then stopped.
    pub(super) fn put(&self, backend: Option<Backend>) {
        if let Some(backend) = &backend {
            self.now_me(backend.user());
        }
        self.backend.send_replace(backend);
    }

    /// Waits until no backend sends and syncs here.
    #[cfg(feature = "http")]
    pub(super) async fn quiet(&self) {
        // The chat has the sender.
        let _ = self.is_running.subscribe().wait_for(|is_running| !is_running).await;
    }

    /// The backend now.
    pub(crate) fn backend(&self) -> Option<Backend> {
        self.backend.borrow().clone()
    }

    /// Takes up the session that the store holds, if there is one that can be used.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn resume(&self) -> Result<()> {
        #[cfg(feature = "http")]
        match haos_matrix::Client::resume_on(&self.ground(), &self.options).await {
            Ok(client) => self.put(client.map(Backend::Matrix)),
            Err(haos_matrix::ClientError::Store(e)) if e.kind() != haos_store_api::ErrorKind::Corrupt => {
                return Err(e);
            }
            // Reading and writing need no session, and a login makes another one.
            Err(error) => tracing::warn!(%error, "the stored session cannot be used"),
        }
        Ok(())
    }

    #[cfg(feature = "http")]
    pub(super) fn ground(&self) -> haos_matrix::Ground {
        haos_matrix::Ground { kept: self.kept.clone(), outbox: self.outbox.clone() }
    }

    /// Finds out whose store it is, where no session tells.
    pub(super) async fn find_me(&self) -> Result<()> {
        if self.me.borrow().is_none() {
            let (kind, key) = (EventType::new(state_kind::OWN_USER)?, StateKey::new("")?);
            let value = self.store.state_value(Scope::Account, &kind, &key).await?;
            if let Some(me) = value.and_then(|value| value.parse().ok()) {
                self.now_me(me);
            }
        }
        Ok(())
    }

    fn now_me(&self, me: UserId) {
        self.me.send_if_modified(|held| {
            let is_other = held.as_ref() != Some(&me);
            *held = Some(me);
            is_other
        });
    }

    pub(super) fn now(&self, role: Role) {
        self.role.send_if_modified(|held| std::mem::replace(held, role) != role);
    }
}

/// Tells if a change may be one of the account's state.
pub(super) fn is_of_account(change: &Change) -> bool {
    match change {
        Change::Commit { touched, .. } => touched.contains(&Touched::State(Scope::Account)),
        _ => true,
    }
}
