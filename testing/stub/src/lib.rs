//! A homeserver within the process, natively and in a browser: it takes each transaction once, and is as up as it is
//! told to be. [`server`] is one on the loopback, for clients that speak HTTP; [`town`] one with several users and their
//! devices' keys.
//!
//! ```
//! use haos_queue::{Answer, Transport as _};
//! use haos_store_api::{EventType, Json, Pending, RoomId, TxnId};
//! use haos_stub::{Mood, Stub};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! let (room, kind) = (RoomId::new("!lobby")?, EventType::new("m.room.message")?);
//! let row = Pending::new(TxnId::new("t1")?, room.clone(), kind, Json::empty(), 0);
//! let server = Stub::new(Mood::Down);
//! assert!(matches!(server.send(&row).await, Answer::NoAnswer));
//! server.set(Mood::Up);
//! assert!(matches!(server.send(&row).await, Answer::Accepted(_)));
//! server.send(&row).await;
//! assert_eq!((server.calls(), server.taken(&room)), (3, vec![row.txn_id]));
//! # Ok(()) }
//! ```

#[cfg(not(target_arch = "wasm32"))]
pub mod server;
#[cfg(not(target_arch = "wasm32"))]
pub mod town;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use haos_queue::{Answer, Refusal, Session, Transport};
#[cfg(target_arch = "wasm32")]
use haos_queue::{BrowserHost, Host as _};
use haos_store_api::{EventId, Pending, RoomId, TxnId, UserId};
use tokio::sync::watch;

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes what it is sent.
    Up,
    /// Nothing answers.
    Down,
    /// Requests arrive and are not answered as long as this lasts.
    Hangs,
    /// It refuses every message for good.
    Refuses,
}

/// The server, and the transport to it. Clones are the same one.
#[derive(Clone)]
pub struct Stub {
    mood: watch::Sender<Mood>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    calls: usize,
    /// What was taken, in the server's order, and the place of each there.
    taken: Vec<(RoomId, TxnId)>,
    places: HashMap<TxnId, usize>,
    /// What happens as soon as this number of messages is taken.
    then: Option<(usize, Box<dyn FnOnce() + Send>)>,
}

impl Stub {
    /// A server that has nothing yet.
    pub fn new(mood: Mood) -> Self {
        Self { mood: watch::Sender::new(mood), seen: Arc::default() }
    }

    /// The account that sends.
    #[allow(clippy::expect_used, reason = "the id is valid")]
    pub fn session() -> Session {
        Session { user: UserId::new("@me:x").expect("a user's id"), device: "device".to_owned() }
    }

    /// Changes how the server is, also for requests that hang.
    pub fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Does something as the message is taken that is the `count`th, before it is answered.
    pub fn when(&self, count: usize, act: impl FnOnce() + Send + 'static) {
        self.seen().then = Some((count, Box::new(act)));
    }

    /// The number of requests, whatever became of them.
    pub fn calls(&self) -> usize {
        self.seen().calls
    }

    /// The number of messages that were taken.
    pub fn count(&self) -> usize {
        self.seen().taken.len()
    }

    /// The messages of a room, in the server's order.
    pub fn taken(&self, room: &RoomId) -> Vec<TxnId> {
        let seen = self.seen();
        seen.taken.iter().filter(|(of, _)| of == room).map(|(_, txn_id)| txn_id.clone()).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn take(&mut self, row: &Pending) -> Answer {
        let next = self.taken.len();
        let at = *self.places.entry(row.txn_id.clone()).or_insert(next);
        if at == next {
            self.taken.push((row.room.clone(), row.txn_id.clone()));
            if let Some((_, act)) = self.then.take_if(|(count, _)| *count == next + 1) {
                act();
            }
        }
        EventId::new(format!("$event{at}")).map_or(Answer::Unreadable, Answer::Accepted)
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Transport for Stub {
    async fn send(&self, row: &Pending) -> Answer {
        self.seen().calls += 1;
        let mut mood = self.mood.subscribe();
        let mood = mood.wait_for(|mood| *mood != Mood::Hangs).await.map_or(Mood::Down, |mood| *mood);
        // As a request does, it takes a turn of the browser's loop.
        #[cfg(target_arch = "wasm32")]
        BrowserHost.sleep(1).await;
        match mood {
            Mood::Down | Mood::Hangs => Answer::NoAnswer,
            Mood::Refuses => Answer::Refused(Refusal::new(400, "M_BAD")),
            Mood::Up => self.seen().take(row),
        }
    }
}
