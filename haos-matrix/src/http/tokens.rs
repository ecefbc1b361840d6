//! The tokens: in the store, for all its contexts, and a copy of them here.

use std::sync::{Arc, Mutex, PoisonError};

use haos_queue::{Answer, PauseReason, Refusal};
use haos_store_api::StorageAdapter;

use super::Homeserver;
use super::renew::Why;
use crate::session::Stored;
use crate::{MatrixSession, Reply, Tokens};

/// New tokens are not renewed sooner by themselves.
const SOONEST_MS: u64 = 10_000;

/// The session of a [`Homeserver`].
pub(super) struct HeldSession {
    pub(super) store: Arc<dyn StorageAdapter>,
    held: Mutex<Held>,
    /// One renewal at a time.
    pub(super) renewing: tokio::sync::Mutex<()>,
    /// Whose claims are ours.
    pub(super) owner: String,
}

struct Held {
    session: MatrixSession,
    /// When the access token is renewed before the server asks for it.
    renew_at_ms: i64,
}

impl HeldSession {
    pub(super) fn new(session: MatrixSession, store: Arc<dyn StorageAdapter>, owner: String) -> Self {
        let held = Mutex::new(Held { session, renew_at_ms: i64::MAX });
        Self { store, held, renewing: tokio::sync::Mutex::new(()), owner }
    }

    pub(super) fn session(&self) -> MatrixSession {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).session.clone()
    }

    pub(super) fn tokens(&self) -> Option<Tokens> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).session.tokens.clone()
    }

    /// Takes tokens over. They are renewed `early_ms` before their end, but not in the first half of the
    /// life that is left to them, lest short ones be renewed with every request.
    pub(super) fn hold(&self, tokens: Option<Tokens>, early_ms: u64, now_ms: i64) {
        let ends = tokens.as_ref().filter(|tokens| tokens.refresh.is_some()).and_then(|it| it.expires_at_ms);
        let renew_at_ms = ends.map_or(i64::MAX, |ends_ms| {
            let left_ms = u64::try_from(ends_ms.saturating_sub(now_ms)).unwrap_or(0);
            let renew_at_ms = ends_ms.saturating_sub_unsigned(early_ms.min(left_ms / 2));
            // Tokens that end at once are renewed when the server refuses them, not with every request.
            renew_at_ms.max(now_ms.saturating_add_unsigned(SOONEST_MS))
        });
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        (held.session.tokens, held.renew_at_ms) = (tokens, renew_at_ms);
    }

    fn is_due(&self, now_ms: i64) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).renew_at_ms <= now_ms
    }
}

impl Homeserver {
    /// The session, as far as it is known here; none of a homeserver that was merely connected to.
    pub fn session(&self) -> Option<MatrixSession> {
        self.held_session.as_ref().map(HeldSession::session)
    }

    /// The access token for a request; renewed before, if its end is near.
    pub(super) async fn token(&self) -> Reply<String> {
        let Some(held_session) = &self.held_session else { return Err(logged_out()) };
        let Some(tokens) = held_session.tokens() else {
            // A login may have been stored since.
            let stored = self.stored().await?;
            return self.adopt(&stored, None).map(|tokens| tokens.access).ok_or_else(logged_out);
        };
        if held_session.is_due(self.now_ms()) {
            // Should that fail, the token at hand may still do; the server will say.
            if let Ok(Some(token)) = self.renew(&tokens.access, Why::Early).await {
                return Ok(token);
            }
        }
        Ok(tokens.access)
    }

    /// The session in the store. What cannot be read is asked for again: nothing was sent.
    pub(super) async fn stored(&self) -> Reply<Stored> {
        let Some(held_session) = &self.held_session else { return Err(logged_out()) };
        Stored::read(&*held_session.store).await.map_err(|e| {
            tracing::warn!(target: "haos::http", reason = %e, "the session cannot be read");
            Answer::Unsent
        })
    }

    /// Takes over the store's tokens, if they are others than `known`, of the same device.
    pub(super) fn adopt(&self, stored: &Stored, known: Option<&str>) -> Option<Tokens> {
        let held_session = self.held_session.as_ref()?;
        let session =
            stored.session.as_ref().filter(|session| session.is_same_device(&held_session.session()))?;
        let tokens = session.tokens.clone().filter(|tokens| Some(&*tokens.access) != known)?;
        held_session.hold(Some(tokens.clone()), self.options.refresh_early_ms, self.now_ms());
        Some(tokens)
    }
}

/// There are no tokens: what the server would say without one.
pub(super) fn logged_out() -> Answer {
    let account = Some(PauseReason::LoggedOut);
    Answer::Refused(Refusal { account, ..Refusal::new(401, "M_MISSING_TOKEN") })
}
