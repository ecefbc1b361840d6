//! One download at a time for one item.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};
use haos_store_api::{MediaKey, RoomId};

use super::MediaError;

/// A download, without the bytes: they are in the store when it has ended well.
#[cfg(not(target_arch = "wasm32"))]
pub(super) type Flight = Pin<Box<dyn Future<Output = Result<(), MediaError>> + Send>>;
/// A download, without the bytes: they are in the store when it has ended well.
#[cfg(target_arch = "wasm32")]
pub(super) type Flight = Pin<Box<dyn Future<Output = Result<(), MediaError>>>>;

/// The rooms of those who wait.
pub(super) type Rooms = Arc<Mutex<Vec<RoomId>>>;

/// Downloads on their way. They belong to those who wait for them, who drive them together: when some leave,
/// the others go on; when all have left, it ends.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<MediaKey, Running>>);

struct Running {
    flight: WeakShared<Flight>,
    rooms: Rooms,
    /// Alive until the flight has ended: what has ended is not joined, so that who asks again after a
    /// failure tries again, though others have not heard of the failure yet.
    alive: Weak<()>,
}

impl Flights {
    /// Joins the flight for `key`, or starts what `take_off` gives.
    pub(super) fn join(
        &self,
        key: &MediaKey,
        room: Option<&RoomId>,
        take_off: impl FnOnce(Rooms, Arc<()>) -> Flight,
    ) -> Shared<Flight> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = running.get(key).filter(|found| found.alive.strong_count() > 0)
            && let Some(flight) = found.flight.upgrade()
        {
            add(&found.rooms, room);
            return flight;
        }
        // Those that were left by everybody have nobody else to forget them.
        running.retain(|_, other| other.alive.strong_count() > 0);
        let (rooms, alive) = (Rooms::default(), Arc::new(()));
        add(&rooms, room);
        let ending = Arc::downgrade(&alive);
        let flight = take_off(rooms.clone(), alive).shared();
        if let Some(weak) = flight.downgrade() {
            running.insert(key.clone(), Running { flight: weak, rooms, alive: ending });
        }
        flight
    }
}

impl fmt::Debug for Flights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_tuple("Flights").field(&count).finish()
    }
}

fn add(rooms: &Rooms, room: Option<&RoomId>) {
    let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(room) = room.filter(|room| !rooms.contains(room)) {
        rooms.push(room.clone());
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::MediaUri;
    use tokio::sync::oneshot;

    use super::*;
    use crate::Variant;

    /// Joins, or takes off with what is sent.
    fn join(flights: &Flights, answer: oneshot::Receiver<Result<(), MediaError>>) -> Shared<Flight> {
        let key = MediaKey {
            uri: MediaUri::new("mxc://example.org/1").unwrap(),
            format: Variant::Original.format().unwrap(),
        };
        flights.join(&key, None, |_, alive| {
            Box::pin(async move {
                let _alive = alive;
                answer.await.unwrap_or(Err(MediaError::NotStored))
            })
        })
    }

    #[test]
    fn who_asks_again_does_not_join_what_has_failed() {
        let flights = Flights::default();
        let (send, answer) = oneshot::channel();
        let (never, nobody) = oneshot::channel();
        let mut prompt = join(&flights, answer);
        let mut late = join(&flights, nobody);
        assert!((&mut prompt).now_or_never().is_none() && (&mut late).now_or_never().is_none());
        assert!(never.is_closed(), "the second joined the first");

        send.send(Err(MediaError::Full)).unwrap();
        assert!(matches!((&mut prompt).now_or_never(), Some(Err(MediaError::Full))));
        let (send, answer) = oneshot::channel();
        send.send(Ok(())).unwrap();
        let again = join(&flights, answer);
        assert!(matches!(again.now_or_never(), Some(Ok(()))), "though the other has not heard yet");
        assert!(matches!(late.now_or_never(), Some(Err(MediaError::Full))));
    }
}
