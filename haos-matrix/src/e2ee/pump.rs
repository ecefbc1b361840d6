//! Sends what the machine asks for, as long as somebody syncs.

use std::convert::Infallible;

use haos_queue::{Answer, Verdict};
use haos_store_api::{Scope, StateEntry, StateQuery, StorageAdapter, WriteBatch};
use matrix_sdk_crypto::store::CryptoStore as _;
use tokio::sync::watch;

use super::Encryption;
use super::call::Call;
use super::trouble::{Result, Trouble};
use super::words::anew;
use crate::FetchError;
use crate::engine::ask;
use crate::parse::known_kind;

/// Rounds of requests that follow from answers: keys are queried, then claimed, then sent.
const ROUNDS: usize = 8;

impl Encryption {
    /// Reads what waits and sends what is asked for, whenever there is something, until it is dropped.
    pub(crate) async fn work(&self) -> Infallible {
        let inner = &*self.inner;
        let (mut stirred, mut nudges) = (inner.stirred.subscribe(), inner.outbox.nudges());
        let mut failures = 0_u32;
        loop {
            stirred.mark_unchanged();
            let done = async {
                if !self.is_wanted().await? {
                    return Ok(());
                }
                self.drain().await?;
                self.pump(|_| true).await
            };
            let (done, host) = (done.await, inner.outbox.host());
            let asked_ms = match &done {
                Ok(()) => {
                    failures = 0;
                    changed(&mut stirred).await;
                    continue;
                }
                // The next turn has another machine.
                Err(Trouble::Stale) => 0,
                Err(Trouble::Fetch(FetchError::Paused(_))) => {
                    // After it a sync comes, or somebody says so.
                    tokio::select! {
                        () = changed(&mut stirred) => {}
                        _ = nudges.changed() => {}
                    }
                    continue;
                }
                Err(Trouble::Fetch(FetchError::Answer(answer))) => match answer.verdict(false) {
                    Verdict::RateLimited { wait_ms } => wait_ms,
                    _ => 0,
                },
                Err(_) => 0,
            };
            if let Err(error) = done {
                tracing::debug!(%error, "encryption waits");
            }
            failures = failures.saturating_add(1);
            let wait_ms = inner.retry.delay_ms(failures, 0, host.random()).max(asked_ms);
            tokio::select! {
                biased;
                () = host.sleep(wait_ms) => {}
                // What the server asks for is waited.
                _ = nudges.changed(), if asked_ms == 0 => {}
            }
        }
    }

    /// Sends what the machine asks for, of the kinds that are wanted, until it asks for nothing more. Of what fails the
    /// first is told, once all was tried: one request that is always refused keeps no other from being sent.
    pub(super) async fn pump(&self, wants: impl Fn(&Call) -> bool) -> Result<()> {
        let _alone = self.inner.sending.lock().await;
        self.pump_alone(&wants).await
    }

    /// The same for who is alone already.
    pub(super) async fn pump_alone(&self, wants: &impl Fn(&Call) -> bool) -> Result<()> {
        for _ in 0..ROUNDS {
            let mut failed = None;
            let mut sent = 0_usize;
            for call in self.calls().await?.into_iter().filter(wants) {
                match self.send(&call).await {
                    Ok(()) => sent += 1,
                    Err(error) if is_of_request(&error) => failed = failed.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if sent == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the machine asks for now.
    async fn calls(&self) -> Result<Vec<Call>> {
        let inner = &*self.inner;
        let turn = self.turn().await?;
        let mut calls = Vec::new();
        if self.is_anew().await?
            && let Some(own) = turn.machine.get_device(&inner.user, &inner.device, None).await?
        {
            calls.push(Call::anew(own.as_device_keys())?);
        }
        for request in turn.machine.outgoing_requests().await? {
            calls.push(Call::of(request.request_id(), request.request())?);
        }
        // Sessions with devices that could not be read.
        if let Some((id, request)) = turn.machine.get_missing_sessions(std::iter::empty()).await? {
            calls.push(Call::claim(&id, &request)?);
        }
        if let Some((id, request)) = turn.machine.backup_machine().backup().await? {
            calls.push(Call::backup(&id, &request)?);
        }
        if calls.iter().any(Call::is_upload) {
            // A machine that another context overtook may hold keys that were uploaded, and claimed, since.
            turn.keys.set_custom_value("upload", vec![1]).await?;
        }
        turn.done();
        Ok(calls)
    }

    /// Tells if the server may have forgotten this device's keys: it does at a logout.
    async fn is_anew(&self) -> haos_store_api::Result<bool> {
        let StateEntry { scope, kind, key, .. } = anew();
        Ok(!self.inner.store.state(StateQuery::one(scope, kind, key)).await?.is_empty())
    }

    /// Has the device's keys uploaded once more after a login, if it has any: in the login's commit.
    pub(crate) async fn logged_in(
        store: &dyn StorageAdapter,
        batch: &mut WriteBatch,
    ) -> haos_store_api::Result<()> {
        let own = known_kind("haos.e2ee.own");
        if store.count_state(&Scope::Account, &own).await? > 0 {
            batch.put_state(anew());
        }
        Ok(())
    }

    /// Sends one request and gives the machine its answer.
    pub(super) async fn send(&self, call: &Call) -> Result<()> {
        let inner = &*self.inner;
        let body = ask(&inner.outbox, inner.request_ms, inner.server.call(&call.request)).await?;
        let turn = self.turn().await?;
        let told = call.told(&turn, body).await;
        turn.done();
        told?;
        if call.is_anew {
            let StateEntry { scope, kind, key, .. } = anew();
            let mut batch = WriteBatch::relaxed();
            batch.remove_state(scope, kind, key);
            inner.store.apply(batch).await?;
        }
        Ok(())
    }
}

/// Tells if it says something about one request, and nothing about those beside it.
fn is_of_request(error: &Trouble) -> bool {
    match error {
        Trouble::Fetch(FetchError::Answer(answer)) => {
            matches!(answer, Answer::Unreadable)
                || matches!(
                    answer.verdict(false),
                    Verdict::Park { .. } | Verdict::Transient { offline: false, .. }
                )
        }
        Trouble::Machine(_) => true,
        _ => false,
    }
}

/// Waits for something new; for ever where nothing can come.
async fn changed(stirred: &mut watch::Receiver<u64>) {
    if stirred.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
