//! The only part that waits: it takes rows in order, sends them, and writes down what came of it.
//!
//! Everything that decides is pure and elsewhere: [`machine`](crate::machine) says what becomes of a row,
//! the schedule whose turn it is. Dropping the run at any point loses nothing: a row that was on its way
//! keeps its lease until it runs out, and is then marked as perhaps sent.

mod adopt;
mod attempt;
mod ended;
mod gate;
mod probe;
mod prove;
mod record;
mod rows;
mod run;
mod seal;
mod upload;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use haos_store_api::Result;

use crate::leader::Lead;
use crate::transport::{Session, Transport};
use crate::{Outbox, Seal};

pub use upload::UploadProgress;

/// A run of a driver, ready to be spawned.
#[cfg(not(target_arch = "wasm32"))]
pub type Running = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
/// A run of a driver, ready to be spawned.
#[cfg(target_arch = "wasm32")]
pub type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Sends the rows of an outbox over a transport.
#[derive(Clone)]
pub struct Driver {
    pub(crate) outbox: Outbox,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) session: Session,
    pub(crate) seal: Option<Arc<dyn Seal>>,
}

impl Driver {
    /// A driver that sends as `session`.
    pub fn new(outbox: Outbox, transport: Arc<dyn Transport>, session: Session) -> Self {
        Self { outbox, transport, session, seal: None }
    }

    /// Encrypts what goes to encrypted rooms. Without it, such rows park.
    #[must_use]
    pub fn sealing(self, seal: Arc<dyn Seal>) -> Self {
        Self { seal: Some(seal), ..self }
    }

    /// Sends until [`Outbox::stop`] is called or the store is closed.
    ///
    /// Several contexts may run at once; leases keep them apart. With [`Lead::Alone`] what an earlier run
    /// left behind is taken up at once, else when its lease runs out.
    ///
    /// # Errors
    /// `Closed` if the store must be opened again. A store that fails otherwise is tried again, slower and
    /// slower.
    pub fn run(&self, lead: Lead) -> Running {
        // From the call on, not from the first poll, a stop counts.
        self.outbox.shared.take_wishes();
        let driver = self.clone();
        Box::pin(async move { run::Run::start(&driver, lead).run().await })
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}
