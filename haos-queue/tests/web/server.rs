//! A server as scripted: it takes what is sent, knows transaction ids, and can be down or slow.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_queue::{Answer, Session, Transport};
use haos_store_api::{EventId, Pending, RoomId, TxnId, UserId};

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Up,
    /// Nothing answers.
    Down,
    /// Requests arrive and are not answered as long as this lasts.
    Hangs,
    /// It refuses every message for good.
    Refuses,
}

#[derive(Debug)]
struct Seen {
    mood: Mood,
    /// How often anything was sent, and in what order it was taken.
    calls: usize,
    taken: Vec<(RoomId, TxnId)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Server(Arc<Mutex<Seen>>);

impl Server {
    pub(crate) fn new(mood: Mood) -> Self {
        Self(Arc::new(Mutex::new(Seen { mood, calls: 0, taken: Vec::new() })))
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// The messages of a room, in the server's order.
    pub(crate) fn taken(&self, room: &RoomId) -> Vec<TxnId> {
        let state = self.0.lock().unwrap();
        state.taken.iter().filter(|(of, _)| of == room).map(|(_, txn_id)| txn_id.clone()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().taken.len()
    }

    pub(crate) fn session() -> Session {
        Session { user: UserId::new("@me:x").unwrap(), device: "device".to_owned() }
    }

    fn take(&self, row: &Pending) -> Option<Answer> {
        let mut state = self.0.lock().unwrap();
        match state.mood {
            Mood::Down => return Some(Answer::NoAnswer),
            Mood::Hangs => return None,
            Mood::Refuses => return Some(Answer::Refused(haos_queue::Refusal::new(400, "M_BAD"))),
            Mood::Up => {}
        }
        let known = state.taken.iter().position(|(_, txn_id)| *txn_id == row.txn_id);
        let at = known.unwrap_or_else(|| {
            state.taken.push((row.room.clone(), row.txn_id.clone()));
            state.taken.len() - 1
        });
        Some(Answer::Accepted(EventId::new(format!("$event{at}")).unwrap()))
    }
}

#[async_trait(?Send)]
impl Transport for Server {
    async fn send(&self, row: &Pending) -> Answer {
        self.0.lock().unwrap().calls += 1;
        loop {
            // As a request does, it takes a turn of the browser's loop.
            haos_web::sleep(1).await;
            if let Some(answer) = self.take(row) {
                return answer;
            }
        }
    }
}
