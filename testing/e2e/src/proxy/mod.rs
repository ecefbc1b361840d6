//! A network that fails on purpose: an HTTP proxy on the loopback with rules.

mod answer;
mod chance;
mod fault;
mod forward;
mod gate;
mod pattern;
mod road;
mod rule;
mod tape;
mod truncated;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Mutex;

pub use self::fault::{Fault, FaultKind};
pub use self::rule::Rule;
pub use self::tape::Recorded;

use self::gate::Gate;
use self::road::Road;
use crate::{Error, Result, port};

/// Stands between a client and a server and lets faults happen to what passes.
///
/// Bodies stream in both directions, so a long poll answers when the server does. It answers 502 while
/// nothing listens at the server's address, and stays at its own address whatever happens. It keeps nothing of what
/// passes unless it [records](Proxy::record).
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    road: Arc<Road>,
    /// None while it is offline.
    gate: Mutex<Option<Gate>>,
}

impl Proxy {
    /// Opens at a port of the loopback by chance, without rules, in front of the server at `upstream`.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("the proxy does not start", e);
        let listener = port::listen().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let road = Arc::new(Road::new(upstream));
        let gate = Gate::open(listener, Arc::clone(&road));
        Ok(Self { address, road, gate: Mutex::new(Some(gate)) })
    }

    /// The address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:` and the port, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// These rules in place of those that were, which are returned with what they counted; requests under
    /// way are left alone.
    pub fn set_rules(&self, rules: impl IntoIterator<Item = Rule>) -> Vec<Rule> {
        let rules = rules.into_iter().collect();
        std::mem::replace(&mut *self.road.rules(), rules)
    }

    /// How often such a fault took effect since the start.
    pub fn fired(&self, kind: FaultKind) -> u64 {
        self.road.fired(kind)
    }

    /// Requests that the server has answered, those whose answer was lost included.
    pub fn forwarded(&self) -> u64 {
        self.road.forwarded()
    }

    /// From now on it keeps every request that passes to the server, those included whose answer is lost.
    pub fn record(&self) {
        self.road.tape().start();
    }

    /// The requests that were kept, in the order in which they came.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.road.tape().recorded()
    }

    /// While true connections are refused, and those that were open have been closed when this returns.
    ///
    /// # Errors
    /// Its port could not be had again.
    pub async fn offline(&self, offline: bool) -> Result<()> {
        let mut gate = self.gate.lock().await;
        match (offline, gate.take()) {
            (true, Some(open)) => open.close().await,
            (false, None) => {
                let open = Gate::open_at(self.address, Arc::clone(&self.road)).await;
                *gate = Some(open.map_err(|e| Error::new(format!("cannot listen at {}", self.address), e))?);
            }
            (_, unchanged) => *gate = unchanged,
        }
        Ok(())
    }
}
