use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use haos_store_api::{Json, Membership, Pending, Result, RoomId};

use super::fault::{Fate, Fates, LoopbackFaults, LoopbackFired};
use super::wire::{MAX_LINE, WireRequest, WireResponse, WireRoom};
use crate::ModelServer;
use haos_queue::{Answer, Session};

/// How many events of a room a sync shows.
const LIMIT: usize = 12;
/// How long a sync waits for news.
const POLL: Duration = Duration::from_millis(100);

/// A [`ModelServer`] behind a socket on the loopback, with a network that breaks.
///
/// A thread a connection, a line of JSON each way: for tests and demos, never for a network. A request that
/// cannot be read closes its connection. It ends when it is dropped; requests that are in it then are
/// processed and may stay without an answer.
pub struct LoopbackServer(Arc<Inner>);

struct Inner {
    session: Session,
    model: Mutex<ModelServer>,
    news: Condvar,
    fates: Mutex<Fates>,
    start: Instant,
    address: SocketAddr,
    closed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked left a model behind that is whole: each of its changes is one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LoopbackServer {
    /// Listens on a free port of the loopback. `session` is who is logged in, and a member of `rooms`.
    ///
    /// # Errors
    /// Those of the system, if it gives no socket or no thread.
    pub fn start(session: Session, rooms: &[RoomId], faults: LoopbackFaults) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let mut model = ModelServer::new(session.user.clone());
        model.device = Some(session.device.clone());
        rooms.iter().for_each(|room| model.create_room(room.clone()));
        let inner = Arc::new(Inner {
            session,
            model: Mutex::new(model),
            news: Condvar::new(),
            fates: Mutex::new(Fates::new(faults)),
            start: Instant::now(),
            address: listener.local_addr()?,
            closed: AtomicBool::new(false),
        });
        let serving = inner.clone();
        std::thread::Builder::new().spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                if serving.closed.load(Ordering::Acquire) {
                    return;
                }
                let inner = serving.clone();
                // Without a thread the connection is closed, which is a fault like any other.
                drop(std::thread::Builder::new().spawn(move || inner.serve(stream)));
            }
        })?;
        Ok(Self(inner))
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The server's knowledge: the truth. Nothing is answered while this is held.
    pub fn model(&self) -> MutexGuard<'_, ModelServer> {
        lock(&self.0.model)
    }

    /// Counts the fates of requests so far.
    pub fn fired(&self) -> LoopbackFired {
        lock(&self.0.fates).fired
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        // Wakes the thread that accepts; once that is gone, nothing is to be woken.
        drop(TcpStream::connect(self.0.address));
    }
}

impl fmt::Debug for LoopbackServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackServer").field("address", &self.0.address).finish_non_exhaustive()
    }
}

impl Inner {
    /// Answers until the connection ends, or is made to.
    fn serve(&self, stream: TcpStream) {
        let Ok(mut out) = stream.try_clone() else { return };
        let mut lines = BufReader::new(stream);
        while !self.closed.load(Ordering::Acquire) {
            let mut line = String::new();
            let read = lines.by_ref().take(MAX_LINE).read_line(&mut line);
            // A line that was cut off by a kill is no request.
            let Some(request) = read.ok().and_then(|_| serde_json::from_str(&line).ok()) else { return };
            let Some(Ok(mut answer)) = self.meet(request).map(|answer| serde_json::to_string(&answer)) else {
                return;
            };
            answer.push('\n');
            if out.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// The answer to a request; `None`: the connection breaks.
    fn meet(&self, request: WireRequest) -> Option<WireResponse> {
        let (fate, wait) = lock(&self.fates).next();
        // A request under way when its sender is killed may arrive much later.
        std::thread::sleep(wait);
        let refused = |status, code: Option<&str>, retry_after_ms| WireResponse::Refused {
            status,
            code: code.map(str::to_owned),
            retry_after_ms,
        };
        match fate {
            Fate::Served => self.answer(request).ok(),
            Fate::Lost => None,
            Fate::AnswerLost => {
                drop(self.answer(request));
                None
            }
            Fate::Proxy { processed } => {
                if processed {
                    drop(self.answer(request));
                }
                Some(refused(502, None, None))
            }
            Fate::Limited { retry_after_ms } => {
                Some(refused(429, Some("M_LIMIT_EXCEEDED"), Some(retry_after_ms)))
            }
        }
    }

    fn answer(&self, request: WireRequest) -> Result<WireResponse> {
        let session = &self.session;
        let mut model = lock(&self.model);
        Ok(match request {
            WireRequest::Send { target: Some(target), .. } if target.as_str().starts_with('~') => {
                let code = Some("M_INVALID_PARAM".to_owned());
                WireResponse::Refused { status: 400, code, retry_after_ms: None }
            }
            WireRequest::Send { txn, room, kind, content, target } => {
                let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
                let row = Pending { target, ..Pending::new(txn, room, kind, Json::new(content)?, 0) };
                let (answer, _) = model.send(session, &row, now_ms)?;
                self.news.notify_all();
                response(answer)
            }
            WireRequest::Create => WireResponse::At { uri: model.create_media()? },
            WireRequest::Upload { uri, bytes } => response(model.upload(session, uri.as_ref(), bytes)?),
            WireRequest::Exists { uri } => match model.media.get(&uri) {
                Some(Some(_)) => WireResponse::Found,
                _ => WireResponse::Missing,
            },
            WireRequest::Event { room, id } => match model.event(session, &room, &id) {
                Some(event) => WireResponse::Event(event.into()),
                None => WireResponse::Missing,
            },
            WireRequest::History { room, from, limit } => {
                let page = model.page(session, &room, from.as_deref(), limit);
                WireResponse::Page {
                    events: page.events.into_iter().map(Into::into).collect(),
                    end: page.end,
                }
            }
            WireRequest::Sync { since } => self.sync(model, since.as_deref()),
        })
    }

    /// Waits a moment for news.
    fn sync(&self, model: MutexGuard<'_, ModelServer>, since: Option<&str>) -> WireResponse {
        // A token that is not ours begins again, as if it were absent.
        let since = since.and_then(|since| since.strip_prefix('s')?.parse().ok());
        let old = |model: &mut ModelServer| since.is_some_and(|since| model.stream <= since);
        let waited = self.news.wait_timeout_while(model, POLL, old);
        let (model, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let delta = model.sync(&self.session, since, LIMIT);
        let rooms = delta.rooms.into_iter().map(|room| WireRoom {
            id: room.id,
            member: room.membership == Membership::Join,
            events: room.timeline.into_iter().map(Into::into).collect(),
            limited: room.limited,
            prev: room.prev,
        });
        WireResponse::Sync { next: format!("s{}", model.stream), rooms: rooms.collect() }
    }
}

fn response(answer: Answer) -> WireResponse {
    match answer {
        Answer::Accepted(event) => WireResponse::Accepted { event },
        Answer::Uploaded(uri) => WireResponse::At { uri },
        Answer::Refused(refusal) => WireResponse::Refused {
            status: refusal.status,
            code: refusal.code,
            retry_after_ms: refusal.retry_after_ms,
        },
        // The model gives no others.
        _ => WireResponse::Refused { status: 500, code: None, retry_after_ms: None },
    }
}
