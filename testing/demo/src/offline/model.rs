//! The model homeserver on the loopback, which is the demo's own.

use std::path::Path;
use std::sync::Arc;

use haos_cli::parts::{Error, Result};
use haos_sim::{LoopbackFaults, LoopbackFired, LoopbackServer, ModelServer};
use haos_store_api::{MediaUri, RoomId, StorageAdapter};

use super::script::{rooms, session};
use super::server::{Held, Place, Sent, Server, Way, nowhere};

/// Requests of 1000 that each fault hits.
pub(super) const FAULTS: LoopbackFaults = LoopbackFaults {
    lost: 110,
    answer_lost: 130,
    proxy: 110,
    limited: 100,
    slow: 200,
    slow_ms: 60,
    retry_after_ms: 50,
    seed: 5,
};
/// The messages of others in each room while we are away: more than a sync shows.
const OTHERS: usize = 15;

pub(super) struct Model {
    places: Vec<Place>,
    server: LoopbackServer,
}

impl Model {
    pub(super) fn new() -> Result<Self> {
        let rooms = rooms()?;
        let server = LoopbackServer::start(session()?, &rooms, FAULTS)
            .map_err(|e| Error::Failed(format!("the demo's server cannot listen on the loopback: {e}")))?;
        let place = |id: RoomId| Place { label: id.to_string(), id };
        Ok(Self { places: rooms.into_iter().map(place).collect(), server })
    }
}

impl Server for Model {
    fn places(&self) -> &[Place] {
        &self.places
    }

    async fn unplug(&mut self, _: &Path) -> Result<Way> {
        Ok(Way { address: Some(nowhere()?), rooms: rooms()? })
    }

    async fn plug(&mut self, _: &Path) -> Result<Way> {
        Ok(Way { address: Some(self.server.address()), rooms: rooms()? })
    }

    fn others(&self) -> Result<()> {
        let mut model = self.server.model();
        for place in &self.places {
            for _ in 0..OTHERS {
                model.other(&place.id, 0)?;
            }
        }
        Ok(())
    }

    async fn arrived(&self) -> Result<usize> {
        let model = self.server.model();
        let events = model.rooms.values().flat_map(|room| &room.events);
        Ok(events.filter(|kept| kept.device.is_some()).count())
    }

    fn fired(&self) -> Option<LoopbackFired> {
        Some(self.server.fired())
    }

    async fn held(&self, _: &Arc<dyn StorageAdapter>) -> Result<Held> {
        Ok(held(&self.server.model()))
    }

    async fn file(&self, uri: &MediaUri) -> Result<Option<Vec<u8>>> {
        Ok(self.server.model().media.get(uri).cloned().flatten())
    }
}

pub(super) fn held(model: &ModelServer) -> Held {
    let rooms = model.rooms.iter().map(|(id, room)| {
        let sent = |kept: &haos_sim::Kept| Sent { event: kept.event.clone(), own: kept.device.is_some() };
        (id.clone(), room.events.iter().map(sent).collect())
    });
    Held { rooms: rooms.collect(), files: Some(model.media.values().flatten().count()), exact: true }
}
