use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use haos_store_api::{ByteRange, EventId, MediaUri, Membership, Pending, RoomId};

use super::wire::{MAX_LINE, WireEvent, WireRequest, WireResponse, WireRoom};
use haos_queue::{
    Answer, BackfillPage, Body, Created, Event, Lookup, Refusal, RoomDelta, Since, SyncDelta, Transport,
};

/// A request that nothing answers for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The way to a [`LoopbackServer`](super::LoopbackServer), over connections that are kept. It needs a tokio
/// runtime, on whose blocking threads its requests wait.
#[derive(Clone)]
pub struct LoopbackClient {
    address: SocketAddr,
    idle: Arc<Mutex<Vec<BufReader<TcpStream>>>>,
    read: fn(Event) -> Event,
}

type Asked<T> = std::result::Result<T, Answer>;

impl LoopbackClient {
    /// A client of the server at an address. Nothing is connected yet.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, idle: Arc::default(), read: |event| event }
    }

    /// Events are passed through this as they come: a protocol finds relations in their content.
    #[must_use]
    pub fn reading(mut self, read: fn(Event) -> Event) -> Self {
        self.read = read;
        self
    }

    /// Reads the news since a sync token, or all there is. The server waits a moment for news.
    ///
    /// # Errors
    /// The failure instead of an answer; ask again.
    pub async fn sync(&self, since: Option<&str>) -> Asked<SyncDelta> {
        let since = since.map(str::to_owned);
        let WireResponse::Sync { next, rooms } = self.ask(WireRequest::Sync { since: since.clone() }).await?
        else {
            return Err(Answer::Unreadable);
        };
        let rooms = rooms.into_iter().map(|room| self.room(room)).collect::<Asked<_>>()?;
        Ok(SyncDelta { since: Since::Stored(since), next: Some(next), rooms, ..SyncDelta::default() })
    }

    fn room(&self, room: WireRoom) -> Asked<RoomDelta> {
        let membership = if room.member { Membership::Join } else { Membership::Leave };
        Ok(RoomDelta {
            limited: room.limited,
            prev: room.prev,
            timeline: self.events(room.events)?,
            ..RoomDelta::new(room.id, membership)
        })
    }

    fn events(&self, events: Vec<WireEvent>) -> Asked<Vec<Event>> {
        events.into_iter().map(|event| self.event_of(event)).collect()
    }

    fn event_of(&self, event: WireEvent) -> Asked<Event> {
        event.event().map(self.read).map_err(|_| Answer::Unreadable)
    }

    /// One request; an error says whether it may have reached the server.
    async fn ask(&self, request: WireRequest) -> Asked<WireResponse> {
        let this = self.clone();
        let asked = tokio::task::spawn_blocking(move || this.ask_now(&request)).await;
        // The runtime ends: whether the request went out is not known.
        asked.unwrap_or(Err(Answer::NoAnswer))
    }

    fn ask_now(&self, request: &WireRequest) -> Asked<WireResponse> {
        let mut line = serde_json::to_string(request).map_err(|_| Answer::Unsent)?;
        line.push('\n');
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => self.connect().map_err(|_| Answer::Unsent)?,
        };
        stream.get_mut().write_all(line.as_bytes()).map_err(|_| Answer::NoAnswer)?;
        let mut answer = String::new();
        stream.by_ref().take(MAX_LINE).read_line(&mut answer).map_err(|_| Answer::NoAnswer)?;
        if !answer.ends_with('\n') {
            return Err(Answer::NoAnswer);
        }
        let answer = serde_json::from_str(&answer).map_err(|_| Answer::Unreadable)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        match answer {
            WireResponse::Refused { status, code, retry_after_ms } => {
                Err(Answer::Refused(Refusal { status, code, retry_after_ms, account: None }))
            }
            answer => Ok(answer),
        }
    }

    fn connect(&self) -> std::io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(BufReader::new(stream))
    }
}

impl fmt::Debug for LoopbackClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackClient").field("address", &self.address).finish_non_exhaustive()
    }
}

fn answer(asked: Asked<WireResponse>) -> Answer {
    match asked {
        Ok(WireResponse::Accepted { event }) => Answer::Accepted(event),
        Ok(WireResponse::At { uri }) => Answer::Uploaded(uri),
        Ok(_) => Answer::Unreadable,
        Err(answer) => answer,
    }
}

#[async_trait::async_trait]
impl Transport for LoopbackClient {
    async fn send(&self, row: &Pending) -> Answer {
        let (kind, content) = row.wire_form();
        let request = WireRequest::Send {
            txn: row.txn_id.clone(),
            room: row.room.clone(),
            kind: kind.clone(),
            content: content.as_str().to_owned(),
            target: row.target.clone(),
        };
        answer(self.ask(request).await)
    }

    async fn create_media(&self) -> Created {
        match answer(self.ask(WireRequest::Create).await) {
            Answer::Uploaded(uri) => Created::At(uri),
            failed => Created::Failed(failed),
        }
    }

    async fn upload(&self, body: Body<'_>, remote: Option<&MediaUri>) -> Answer {
        // Without its bytes nothing goes out; the driver sees that they are gone when it tries again.
        let Ok(bytes) = body.read(ByteRange::ALL).await else { return Answer::Unsent };
        body.sent(bytes.len() as u64);
        answer(self.ask(WireRequest::Upload { uri: remote.cloned(), bytes }).await)
    }

    async fn media_exists(&self, uri: &MediaUri) -> Lookup<()> {
        match self.ask(WireRequest::Exists { uri: uri.clone() }).await {
            Ok(WireResponse::Found) => Lookup::Found(()),
            Ok(WireResponse::Missing) => Lookup::Missing,
            _ => Lookup::Unknown,
        }
    }

    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        match self.ask(WireRequest::Event { room: room.clone(), id: event.clone() }).await {
            Ok(WireResponse::Event(event)) => self.event_of(event).map_or_else(Lookup::Failed, Lookup::Found),
            Ok(WireResponse::Missing) => Lookup::Missing,
            _ => Lookup::Unknown,
        }
    }

    async fn history(&self, room: &RoomId, from: Option<&str>, limit: usize) -> Asked<BackfillPage> {
        let request = WireRequest::History { room: room.clone(), from: from.map(str::to_owned), limit };
        match self.ask(request).await? {
            WireResponse::Page { events, end } => {
                let events = self.events(events)?;
                Ok(BackfillPage { room: room.clone(), events, end, state: Vec::new() })
            }
            _ => Err(Answer::Unreadable),
        }
    }
}
