//! A real homeserver, in a folder of its own, on the loopback.

mod clock;
mod config;
mod folder;
mod options;
mod process;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use self::options::{Rate, SynapseOptions};

use self::clock::Clock;
use self::folder::Folder;
use self::process::Process;
use crate::{Error, Result, port};

/// A Synapse with an SQLite database and no federation. It ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct Synapse {
    // The first field is dropped first: the process ends before its folder goes.
    process: Option<Process>,
    clock: Option<Clock>,
    address: SocketAddr,
    folder: Folder,
}

impl Synapse {
    /// Starts a new server, without users, and waits until it answers: two seconds or so.
    ///
    /// # Errors
    /// There is no Synapse, no libfaketime where the options want it, or the server does not start; the
    /// error then has the end of its log.
    pub async fn start(options: SynapseOptions) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("no port for Synapse", e);
        let listener = port::listen().map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let folder = Folder::new()?;
        folder.write("homeserver.yaml", &config::homeserver(folder.path(), port, &options).to_string())?;
        folder.write("log.yaml", &config::log().to_string())?;
        folder.write("signing.key", &config::signing_key())?;
        let clock = if options.movable_clock { Some(Clock::new(folder.path())?) } else { None };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut synapse = Self { process: None, clock, address, folder };
        drop(listener);
        synapse.resume().await?;
        Ok(synapse)
    }

    /// Its address while it runs, the same for all of its life.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:` and the port, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The part of user ids behind the colon.
    pub fn server_name(&self) -> &'static str {
        config::SERVER_NAME
    }

    /// The id of the process; none while it is down.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// Ends it in order (SIGTERM) and waits for that; the data stays.
    ///
    /// # Errors
    /// It does not end; it is killed then.
    pub async fn stop(&mut self) -> Result<()> {
        match self.process.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }

    /// Ends it at once (SIGKILL); the data stays.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again with the same data at the same address, if it is down, and waits until it answers.
    ///
    /// # Errors
    /// It does not start; the error has the end of its log.
    pub async fn resume(&mut self) -> Result<()> {
        if self.process.is_none() {
            self.process = Some(Process::start(&self.folder, self.address, self.clock.as_ref()).await?);
        }
        Ok(())
    }

    /// [`stop`](Self::stop), then [`resume`](Self::resume).
    ///
    /// # Errors
    /// As those two.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.resume().await
    }

    /// Lets the server's clock, and no other, jump ahead by so much, to the second, while it runs.
    ///
    /// # Errors
    /// The options did not ask for a [movable clock](SynapseOptions::movable_clock).
    pub fn advance_clock(&mut self, by: Duration) -> Result<()> {
        match &mut self.clock {
            Some(clock) => clock.advance(by),
            None => Err(Error::new("the clock does not move", "start with SynapseOptions::movable_clock")),
        }
    }
}
