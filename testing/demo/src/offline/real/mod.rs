//! A real homeserver: logged in on it for the demo, four rooms on it, and the road there.

mod account;
mod address;
mod halt;
mod read;
mod register;
mod relay;
mod rooms;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use haos_cli::parts::{Error, Result, notice, plural};
use haos_matrix::{Client, ClientOptions, Homeserver, HttpOptions, MatrixSession, Tokens};
use haos_queue::{Event, TokioHost};
use haos_sim::LoopbackFired;
use haos_store_api::{MediaUri, RoomId, StorageAdapter};
use tokio::task::{JoinSet, LocalSet};

use self::address::Address;
use self::relay::Relay;
use super::super::story::Story;
use super::model::FAULTS;
use super::part::open;
use super::server::{Held, Place, Sent, Server, Way, nowhere};
use crate::args::DemoArgs;

/// A homeserver that somebody runs.
pub(crate) struct Real {
    url: String,
    /// Another device of the same user, which reads what is true, past the relay.
    reader: Arc<Homeserver>,
    /// The demo's device.
    sender: MatrixSession,
    places: Vec<Place>,
    relay: Option<Relay>,
    keep_rooms: bool,
}

impl Real {
    /// Logs in and makes the rooms; none where no homeserver is named.
    pub(crate) async fn arrive(
        args: &DemoArgs,
        folder: &Path,
        story: &mut Story<'_>,
    ) -> Result<Option<Self>> {
        let Some(named) = &args.homeserver else { return Ok(None) };
        let url = account::url(named).await?;
        let who = account::who(args, &url).await?;
        let road = match Address::of(&url).is_some_and(|address| address.is_loopback()) {
            true => "through a relay that loses requests and answers",
            false => "over the network as it is, without faults",
        };
        story.say(format_args!("server: {url}, as {}, {road}", who.user))?;
        let reader = Arc::new(account::reader(&url, &who).await?);
        let sender = match Self::log_in(folder, &url, &who).await {
            Ok(sender) => sender,
            Err(error) => {
                // It is said below what went wrong.
                let _ = reader.logout().await;
                return Err(error);
            }
        };
        let mut real =
            Self { url, reader, sender, places: Vec::new(), relay: None, keep_rooms: args.keep_rooms };
        if let Err(error) = rooms::make(&real.reader, &mut real.places).await {
            real.depart(folder, story).await?;
            return Err(error);
        }
        Ok(Some(real))
    }

    async fn log_in(folder: &Path, url: &str, who: &account::Who) -> Result<MatrixSession> {
        let store = open(folder).await?;
        let sender = account::sender(&store, url, who).await;
        store.close().await?;
        sender
    }

    /// Leaves the rooms and ends the sessions. What cannot be done is told, and no fault of the store's.
    pub(crate) async fn depart(self, folder: &Path, story: &mut Story<'_>) -> Result<()> {
        let rooms = plural(self.places.len() as u64, "room");
        if self.keep_rooms {
            story.say(format_args!("\nnot left: {rooms} on {}", self.url))?;
        } else if !self.places.is_empty() {
            match rooms::leave(&self.reader, &self.places).await {
                Ok(()) => story.say(format_args!("\nleft again: {rooms} on {}", self.url))?,
                Err(error) => warn(&error),
            }
        }
        if let Err(error) = self.log_out(folder).await {
            warn(&error);
        }
        Ok(())
    }

    async fn log_out(&self, folder: &Path) -> Result<()> {
        let ended = |e: String| Error::Later(format!("a session of the demo goes on on {}: {e}", self.url));
        self.reader.logout().await.map_err(|answer| ended(answer.to_string()))?;
        let store = open(folder).await?;
        self.direct(&store).await?;
        let client = Client::resume(store.clone(), Arc::new(TokioHost), &ClientOptions::default()).await;
        if let Some(client) = client.map_err(|e| ended(e.to_string()))? {
            client.logout().await.map_err(|e| ended(e.to_string()))?;
        }
        Ok(store.close().await?)
    }

    /// The demo's session in the store, for the server itself; with the tokens that were renewed meanwhile.
    async fn direct(&self, store: &Arc<dyn StorageAdapter>) -> Result<MatrixSession> {
        let held = MatrixSession::load(&**store).await?.filter(|held| held.tokens != offline());
        let session =
            MatrixSession { homeserver: self.url.clone(), ..held.unwrap_or_else(|| self.sender.clone()) };
        session.save(&**store).await?;
        Ok(session)
    }

    /// Everything else that the user did was to make the rooms.
    fn is_own(&self, event: &Event) -> bool {
        event.state_key.is_none() && event.sender == self.sender.user
    }

    async fn point(&self, folder: &Path, session: MatrixSession) -> Result<Way> {
        let store = open(folder).await?;
        session.save(&*store).await?;
        store.close().await?;
        Ok(Way { address: None, rooms: self.places.iter().map(|place| place.id.clone()).collect() })
    }
}

/// A session that is offline has no use for secrets, and nobody else hears them.
fn offline() -> Option<Tokens> {
    Some(Tokens { access: "offline".to_owned(), refresh: None, expires_at_ms: None })
}

fn warn(error: &Error) {
    notice(&format!("warning: {error}"));
}

impl Server for Real {
    fn places(&self) -> &[Place] {
        &self.places
    }

    async fn unplug(&mut self, folder: &Path) -> Result<Way> {
        let homeserver = format!("http://{}", nowhere()?);
        self.point(folder, MatrixSession { homeserver, tokens: offline(), ..self.sender.clone() }).await
    }

    async fn plug(&mut self, folder: &Path) -> Result<Way> {
        let mut session = self.sender.clone();
        if let Some(target) = Address::of(&self.url).filter(Address::is_loopback) {
            let path = target.path.clone();
            let relay = Relay::start(target, FAULTS)?;
            session.homeserver = format!("http://{}{path}", relay.address());
            self.relay = Some(relay);
        }
        self.point(folder, session).await
    }

    fn others(&self) -> Result<()> {
        Ok(())
    }

    async fn arrived(&self) -> Result<usize> {
        let count = async {
            let mut reads = JoinSet::new();
            for place in &self.places {
                let (reader, room) = (self.reader.clone(), place.id.clone());
                reads.spawn_local(async move { read::history(&reader, &room).await });
            }
            let mut own = 0;
            while let Some(read) = reads.join_next().await {
                let events = read.map_err(|e| Error::Failed(format!("reading a room ended: {e}")))??;
                own += events.iter().filter(|event| self.is_own(event)).count();
            }
            Ok(own)
        };
        LocalSet::new().run_until(count).await
    }

    fn fired(&self) -> Option<LoopbackFired> {
        self.relay.as_ref().map(Relay::fired)
    }

    /// As the device that sent sees it, since transaction ids are told to no other.
    async fn held(&self, store: &Arc<dyn StorageAdapter>) -> Result<Held> {
        let session = self.direct(store).await?;
        let sender = Homeserver::resume(session, store.clone(), Arc::new(TokioHost), HttpOptions::default());
        let sender = sender.map_err(|e| Error::Input(e.to_string()))?;
        let mut rooms: BTreeMap<RoomId, Vec<Sent>> = BTreeMap::new();
        for place in &self.places {
            let sent = |event: Event| Sent { own: self.is_own(&event), event };
            let events = read::history(&sender, &place.id).await?;
            rooms.insert(place.id.clone(), events.into_iter().map(sent).collect());
        }
        Ok(Held { rooms, files: None, exact: false })
    }

    async fn file(&self, uri: &MediaUri) -> Result<Option<Vec<u8>>> {
        read::file(&self.reader, uri).await.map(Some)
    }
}
