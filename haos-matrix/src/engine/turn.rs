use haos_queue::{Answer, Since, SyncProgress, SyncState, Synced, Verdict, apply_sync};
use haos_store_api::{Result, RoomQuery, StorageAdapterExt as _};

use super::Engine;
use super::amend::amend;
use super::news::has_news;
use super::step::{Asked, Brought, FilterUse, Memory, Outcome};
use crate::{MatrixProtocol, ParseError, SyncRequest, parse_sync};

/// One request, from reading the token to storing the answer.
pub(super) struct Turn {
    pub(super) asked: Asked,
    /// How often the account had been resumed before it.
    pub(super) resumed: u64,
    pub(super) outcome: Outcome,
}

impl Engine {
    pub(super) async fn turn(&self, memory: &Memory, first_ms: &mut Option<u64>) -> Turn {
        let asked = Asked { since: false, filter: memory.filter, slim: memory.slim };
        let mut turn = Turn { asked, resumed: 0, outcome: Outcome::Stale };
        turn.outcome = match self.try_turn(memory, first_ms, &mut turn).await {
            Ok(outcome) => outcome,
            Err(e) => Outcome::Store(e),
        };
        turn
    }

    async fn try_turn(
        &self,
        memory: &Memory,
        first_ms: &mut Option<u64>,
        turn: &mut Turn,
    ) -> Result<Outcome> {
        let inner = &*self.inner;
        turn.resumed = inner.outbox.resumed().await?;
        if let Some(reason) = inner.outbox.paused(None).await? {
            return Ok(Outcome::Paused(reason));
        }
        let token = inner.store.sync_token().await?;
        let since = token.clone().filter(|_| !memory.fresh);
        let first_ms = match (&since, *first_ms) {
            (Some(_), _) => {
                *first_ms = None;
                0
            }
            (None, Some(ms)) if ms > 0 => ms,
            // Another context may have stored the list since.
            (None, begun) => *first_ms.insert(self.begin(token.is_none() && begun.is_none()).await?),
        };
        let filter = match self.filter(&mut turn.asked).await? {
            Ok(filter) => filter,
            Err(answer) => return Ok(Outcome::Failed(answer)),
        };
        turn.asked.since = since.is_some();
        // A wait that differs a little makes another request of one whose answer a server may have kept.
        let waits = memory.live && !memory.prompt;
        let timeout_ms = if waits { inner.options.poll_ms + u64::from(memory.lulls) } else { first_ms };
        let patience_ms = if since.is_some() { inner.options.request_ms } else { inner.options.initial_ms };
        let request = SyncRequest { since, timeout_ms, filter: Some(filter), quiet: inner.options.quiet };
        let began_ms = self.now_ms();
        let reply = self.within(timeout_ms.saturating_add(patience_ms), inner.server.sync(&request));
        let mut nudges = inner.outbox.nudges();
        let reply = tokio::select! {
            biased;
            reply = reply => reply,
            Ok(()) = nudges.changed(), if waits => return Ok(Outcome::Nudged),
        };
        let body = match reply {
            Ok(body) => body,
            Err(answer @ Answer::TooLarge { .. }) => return Ok(Outcome::TooMuch(answer.to_string())),
            Err(answer) => return Ok(Outcome::Failed(answer)),
        };
        let took_ms = self.now_ms().saturating_sub(began_ms);
        let early = waits && timeout_ms > 0 && (0..=(timeout_ms / 2).cast_signed()).contains(&took_ms);
        self.land(token, &request, &body, (memory.live, early)).await
    }

    /// Brings the list of rooms before a first sync, and gives the wait that this run's requests without a token
    /// ask for. No server waits where it has rooms to tell of; but one that keeps its answers, as Synapse does for
    /// two minutes, gives what is as old as the list or newer to this run, and to its repetitions the same.
    async fn begin(&self, is_first: bool) -> Result<u64> {
        const MOST_MS: u64 = 1000;
        let inner = &*self.inner;
        if is_first {
            self.list_rooms().await?;
        }
        let is_empty = inner.store.rooms(RoomQuery::latest(1)).await?.is_empty();
        Ok(if is_empty { 0 } else { 1 + inner.outbox.host().random() % MOST_MS })
    }

    /// Stores an answer with its token.
    async fn land(
        &self,
        token: Option<String>,
        request: &SyncRequest,
        body: &[u8],
        (live, early): (bool, bool),
    ) -> Result<Outcome> {
        let inner = &*self.inner;
        let mut delta = match parse_sync(body, &inner.account) {
            Ok(delta) => delta,
            Err(e @ ParseError::TooMuch { .. }) => return Ok(Outcome::TooMuch(e.to_string())),
            Err(e) => return Ok(Outcome::Unreadable(e.to_string())),
        };
        let stands = delta.next == request.since;
        let stored = match request.since {
            Some(_) => None,
            None => Some(inner.store.rooms(RoomQuery::default()).await?),
        };
        amend(&mut delta, stored.as_deref());
        let _alone = inner.admitting.lock().await;
        inner.options.keep.admit(&*inner.store, &mut delta).await?;
        let is_idle = early && !self.types_anew(&delta) && !has_news(&*inner.store, &delta).await?;
        #[cfg(feature = "e2ee")]
        let waits = self.open_sync(&mut delta, Some((body, request.since.is_none()))).await?;
        (delta.since, delta.initial) = (Since::Stored(token), request.since.is_none());
        delta.arrived_ms = Some(self.now_ms());
        if !live {
            let total = Some(delta.rooms.len() as u64);
            inner.outbox.sync_state(SyncState::CatchingUp(SyncProgress { done: 0, total }));
        }
        Ok(match apply_sync(&*inner.store, &delta, Some(&inner.user), &MatrixProtocol).await? {
            Synced::Stale => Outcome::Stale,
            _ => {
                #[cfg(feature = "e2ee")]
                self.opened(waits).await;
                self.shown_again(&delta);
                self.note_typing(&delta);
                if delta.rooms.iter().any(|room| room.limited) {
                    inner.holes.send_modify(|holes| *holes += 1);
                }
                Outcome::Applied(match (is_idle, stands) {
                    (false, _) => Brought::News,
                    (true, false) => Brought::Token,
                    (true, true) => Brought::Nothing,
                })
            }
        })
    }

    /// How the filter is named: uploaded where it is not yet, or else as JSON.
    async fn filter(&self, asked: &mut Asked) -> Result<std::result::Result<String, Answer>> {
        let inner = &*self.inner;
        let filter = inner.options.filter;
        if asked.slim {
            asked.filter = FilterUse::Inline;
            return Ok(Ok(filter.slim().as_str().to_owned()));
        }
        let json = filter.to_json();
        if asked.filter == FilterUse::Stored {
            if let Some(id) = filter.stored(&*inner.store, &inner.user).await? {
                return Ok(Ok(id));
            }
            asked.filter = FilterUse::Renewed;
        }
        if asked.filter == FilterUse::Renewed {
            match self.within(inner.options.request_ms, inner.server.upload_filter(&json)).await {
                Ok(id) => {
                    filter.keep(&*inner.store, &inner.user, &id).await?;
                    return Ok(Ok(id));
                }
                // This upload fails, not the connection.
                Err(answer)
                    if matches!(
                        answer.verdict(false),
                        Verdict::Park { .. } | Verdict::Transient { offline: false, .. }
                    ) =>
                {
                    asked.filter = FilterUse::Inline;
                }
                Err(answer) => return Ok(Err(answer)),
            }
        }
        Ok(Ok(json.as_str().to_owned()))
    }
}
