use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use haos_store_api::RoomId;

/// A gap, as far as asking for its page matters: its place may change, its token is what is asked with.
pub(super) type Hole = (RoomId, Option<String>);

/// One request at a time for each gap, whoever asks.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Hole, Weak<tokio::sync::Mutex<()>>>>);

impl Flights {
    /// The lock of a gap. Whoever has waited for it looks whether the gap is still there.
    pub(super) fn of(&self, hole: Hole) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = flights.get(&hole).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::default();
        flights.insert(hole, Arc::downgrade(&flight));
        flight
    }
}
