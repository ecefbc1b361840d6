//! A homeserver that does as it is told, and clients of it.

mod log;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use haos_matrix::{Homeserver, HttpOptions, MatrixSession, MediaCache, Tokens};
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Host, Refusal, Sleep, TokioHost};
use haos_store_api::*;

pub(crate) use log::Log;
pub(crate) use server::{Reaction, Seen, Server, html, json, refused};

/// The time after which something hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Waits for what must happen.
pub(crate) async fn guarded<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANGS, wait).await.unwrap_or_else(|_| panic!("it hangs"))
}

/// A clock that a test sets; the timers are real.
#[derive(Debug, Default)]
pub(crate) struct Clock(pub(crate) AtomicI64);

impl Host for Clock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.now_ms().unsigned_abs()
    }

    fn sleep(&self, ms: u64) -> Sleep {
        TokioHost.sleep(ms)
    }

    fn random(&self) -> u64 {
        TokioHost.random()
    }
}

/// Whose session it is.
pub(crate) fn session(server: &Server, refresh: Option<&str>) -> MatrixSession {
    MatrixSession {
        homeserver: server.url(),
        user: UserId::new("@ada:example.org").unwrap(),
        device: "ADEV".to_owned(),
        tokens: Some(tokens("syt_one", refresh)),
    }
}

pub(crate) fn tokens(access: &str, refresh: Option<&str>) -> Tokens {
    Tokens { access: access.to_owned(), refresh: refresh.map(str::to_owned), expires_at_ms: None }
}

/// Options under which a refused session is asked about again so soon.
pub(crate) fn doubting(doubt_ms: u64) -> HttpOptions {
    HttpOptions { doubt_ms, ..HttpOptions::default() }
}

/// A session over a store of its own.
pub(crate) struct Home {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) http: Arc<Homeserver>,
}

impl Home {
    pub(crate) fn cache(&self) -> MediaCache {
        let options = PressureOptions::of_media(MediaPolicy::default());
        let store: Arc<dyn StorageAdapter> = self.store.clone();
        MediaCache::new(self.http.clone(), Arc::new(Kept::new(store, self.clock.clone(), options)))
    }

    pub(crate) async fn of(session: &MatrixSession, options: HttpOptions) -> Self {
        let store = Arc::new(MemoryStore::new());
        session.save(&*store).await.unwrap();
        Self::over(store, session, options)
    }

    /// Another context of the same store.
    pub(crate) fn over(store: Arc<MemoryStore>, session: &MatrixSession, options: HttpOptions) -> Self {
        let clock = Arc::new(Clock(AtomicI64::new(1_795_000_000_000)));
        let http = Homeserver::resume(session.clone(), store.clone(), clock.clone(), options).unwrap();
        Self { store, clock, http: Arc::new(http) }
    }

    /// One that doubts a refused session for a moment only.
    pub(crate) async fn to(server: &Server) -> Self {
        Self::of(&session(server, None), doubting(1)).await
    }

    pub(crate) async fn stored(&self) -> Option<Tokens> {
        MatrixSession::load(&*self.store).await.unwrap().unwrap().tokens
    }
}

pub(crate) fn room(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

pub(crate) fn event(id: &str) -> EventId {
    EventId::new(id).unwrap()
}

/// An outbox row.
pub(crate) fn row(kind: &str, content: &str) -> Pending {
    let (kind, content) = (EventType::new(kind).unwrap(), Json::new(content).unwrap());
    Pending::new(TxnId::new("t1").unwrap(), room("!lobby"), kind, content, 0)
}

pub(crate) fn refusal(status: u16, code: &str) -> Refusal {
    Refusal::new(status, code)
}
