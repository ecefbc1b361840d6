//! The homeserver of the demo: the difference between the model and a real one.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use haos_cli::parts::{Error, Result};
use haos_queue::Event;
use haos_sim::LoopbackFired;
use haos_store_api::{MediaUri, RoomId, StorageAdapter};

/// A room of the script.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) id: RoomId,
    /// How the story calls it.
    pub(super) label: String,
}

/// How a process reaches the server.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// Of the model; none: the session in the store says where to.
    pub(super) address: Option<SocketAddr>,
    /// By number in the script.
    pub(super) rooms: Vec<RoomId>,
}

/// An event as the server has it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) event: Event,
    /// It was written by the demo's device.
    pub(super) own: bool,
}

/// The server's messages, read from the server.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    /// Whole timelines in the server's order.
    pub(super) rooms: BTreeMap<RoomId, Vec<Sent>>,
    /// How many files were uploaded, where that can be known.
    pub(super) files: Option<usize>,
    /// It shows a content with the same bytes each time.
    pub(super) exact: bool,
}

/// A homeserver, and the road there.
pub(super) trait Server {
    /// The rooms, by number in the script.
    fn places(&self) -> &[Place];

    /// The way to nowhere.
    async fn unplug(&mut self, folder: &Path) -> Result<Way>;

    /// The way to the server, from now on.
    async fn plug(&mut self, folder: &Path) -> Result<Way>;

    /// Others write meanwhile, so that the syncs leave holes.
    fn others(&self) -> Result<()>;

    /// How many messages of the demo's are on the server.
    async fn arrived(&self) -> Result<usize>;

    /// Counts the fates of requests; `None` where no fault is made on purpose.
    fn fired(&self) -> Option<LoopbackFired>;

    /// All that the server has; the store has the session, where there is one.
    async fn held(&self, store: &Arc<dyn StorageAdapter>) -> Result<Held>;

    /// A file, as the server gives it.
    async fn file(&self, uri: &MediaUri) -> Result<Option<Vec<u8>>>;
}

/// An address where nothing listens any more.
pub(super) fn nowhere() -> Result<SocketAddr> {
    let address = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    address.map_err(|e| no_port(&e))
}

pub(super) fn no_port(e: &std::io::Error) -> Error {
    Error::Failed(format!("the system gives no port of the loopback: {e}"))
}
