//! The way to the model: it fails as it is told to, or as chance has it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use haos_matrix::{Download, PageRequest, Reply, Server, SyncRequest, Variant};
use haos_queue::{Answer, Refusal};
use haos_sim::{Chance, Clock};
use haos_store_api::{EventId, Json, MediaUri, RoomId};
use serde_json::Value;

use crate::model::Model;

/// The fate of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    None,
    Fail(Answer),
    /// A success with a wrong body.
    Body(&'static str),
    /// The answer is cut off.
    Cut,
    /// It never ends.
    Hang,
    /// The answer comes long after it was made.
    Late,
    /// The answer that the same request had before, if it had one: Synapse keeps them for two minutes.
    Cached,
}

pub(crate) struct Wire {
    pub(crate) clock: Clock,
    model: Mutex<Model>,
    chance: Mutex<Chance>,
    /// In this number of 100 requests something happens.
    pub(crate) percent: Mutex<u64>,
    /// The fate of every request.
    pub(crate) down: Mutex<Option<Fault>>,
    next: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    cache: Mutex<HashMap<String, Vec<u8>>>,
    log: Mutex<Vec<String>>,
    pub(crate) sliding: bool,
}

pub(crate) fn refused(status: u16, code: &str) -> Answer {
    Answer::Refused(Refusal::new(status, code))
}

impl Wire {
    pub(crate) fn new(clock: Clock, seed: u64, sliding: bool) -> Arc<Self> {
        Arc::new(Self {
            clock,
            model: Mutex::default(),
            chance: Mutex::new(Chance::new(seed)),
            percent: Mutex::new(0),
            down: Mutex::default(),
            next: Mutex::default(),
            cache: Mutex::default(),
            log: Mutex::default(),
            sliding,
        })
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap()
    }

    /// Sets the fates of the next requests of a kind, in turn.
    pub(crate) fn next(&self, kind: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.next.lock().unwrap().entry(kind).or_default().extend(faults);
    }

    /// Nothing special happens to requests of a kind any more.
    pub(crate) fn clear(&self, kind: &'static str) {
        self.next.lock().unwrap().remove(kind);
    }

    /// The requests so far that begin so.
    pub(crate) fn asked(&self, kind: &str) -> Vec<String> {
        self.log.lock().unwrap().iter().filter(|what| what.starts_with(kind)).cloned().collect()
    }

    fn begun(&self, kind: &str, what: &str) {
        self.log.lock().unwrap().push(format!("{kind} {what}"));
    }

    fn fault(&self, kind: &str) -> Fault {
        if let Some(fault) = self.down.lock().unwrap().clone() {
            return fault;
        }
        if let Some(fault) = self.next.lock().unwrap().get_mut(kind).and_then(VecDeque::pop_front) {
            return fault;
        }
        let mut chance = self.chance.lock().unwrap();
        if !chance.percent(*self.percent.lock().unwrap()) {
            return Fault::None;
        }
        let quiet =
            Refusal { retry_after_ms: Some(chance.below(9000)), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
        let proxy = Refusal { status: 502, ..Refusal::default() };
        let faults = [
            Fault::Fail(Answer::Unsent),
            Fault::Fail(Answer::NoAnswer),
            Fault::Fail(Answer::Unreadable),
            Fault::Fail(Answer::Done),
            Fault::Fail(refused(500, "M_UNKNOWN")),
            Fault::Fail(refused(429, "M_LIMIT_EXCEEDED")),
            Fault::Fail(Answer::Refused(quiet)),
            Fault::Fail(Answer::Refused(proxy)),
            Fault::Fail(Answer::Refused(Refusal { status: 404, ..Refusal::default() })),
            Fault::Body("<html><title>Log in to the café's network</title></html>"),
            Fault::Body("{}"),
            Fault::Body(r#"{"next_batch":7,"chunk":3}"#),
            Fault::Cut,
            Fault::Hang,
            Fault::Late,
            Fault::Cached,
        ];
        chance.pick(&faults).cloned().unwrap_or(Fault::None)
    }

    /// Carries a request there and back.
    pub(crate) async fn ask(
        &self,
        kind: &'static str,
        what: String,
        serve: impl FnOnce(&mut Model) -> Result<Value, Answer> + Send,
    ) -> Reply<Vec<u8>> {
        if kind != "sync" {
            self.begun(kind, &what);
        }
        let latency_ms = 1 + self.chance.lock().unwrap().below(200);
        let fault = self.fault(kind);
        self.clock.sleep(latency_ms).await;
        match &fault {
            Fault::Fail(answer) => return Err(answer.clone()),
            Fault::Body(body) => return Ok(body.as_bytes().to_vec()),
            Fault::Hang => std::future::pending().await,
            Fault::Cached => {
                if let Some(body) = self.cache.lock().unwrap().get(&what) {
                    return Ok(body.clone());
                }
            }
            Fault::None | Fault::Cut | Fault::Late => {}
        }
        let body = serve(&mut self.model())?.to_string().into_bytes();
        self.clock.sleep(if fault == Fault::Late { 20_000 } else { latency_ms }).await;
        self.cache.lock().unwrap().insert(what, body.clone());
        Ok(if fault == Fault::Cut { body[..body.len() / 2].to_vec() } else { body })
    }
}

#[async_trait]
impl Server for Wire {
    async fn sync(&self, request: &SyncRequest) -> Reply<Vec<u8>> {
        let since = request.since.as_deref().unwrap_or("-");
        let what = format!("{since} {} {}", request.timeout_ms, request.filter.as_deref().unwrap());
        let inline = what.ends_with('}');
        let filter: u64 =
            if inline { 0 } else { request.filter.as_deref().unwrap().parse().unwrap_or(u64::MAX) };
        self.begun("sync", &what);
        // A long poll waits for news; its end is a timeout.
        let end = self.clock.mono_ms() + request.timeout_ms;
        while self.clock.mono_ms() < end {
            let place = request.since.as_deref().and_then(|since| self.model().place(since));
            if place.is_none_or(|place| self.model().has_news(place)) {
                break;
            }
            self.clock.sleep(1000).await;
        }
        let since = request.since.clone();
        self.ask("sync", what, move |model| {
            if filter > model.filters {
                return Err(refused(400, "M_INVALID_PARAM"));
            }
            let since = since.map(|since| model.place(&since).ok_or_else(|| refused(400, "M_UNKNOWN")));
            Ok(model.sync(since.transpose()?, 5))
        })
        .await
    }

    async fn sliding_sync(&self, pos: Option<&str>, _: u64, body: &Json) -> Reply<Vec<u8>> {
        let body: Value = body.parse().unwrap();
        let end = body["lists"]["rooms"]["ranges"][0][1].as_u64().unwrap() + 1;
        let what = format!("{} {end}", pos.unwrap_or("-"));
        self.ask("sliding", what, |model| Ok(model.sliding(usize::try_from(end).unwrap()))).await
    }

    async fn offers_sliding_sync(&self) -> Reply<bool> {
        Ok(self.sliding)
    }

    async fn upload_filter(&self, filter: &Json) -> Reply<String> {
        let serve = |model: &mut Model| {
            model.filters += 1;
            Ok(Value::from(model.filters))
        };
        let body = self.ask("filter", filter.as_str().to_owned(), serve).await?;
        String::from_utf8(body).map_err(|_| Answer::Unreadable)
    }

    async fn messages(&self, request: &PageRequest<'_>) -> Reply<Vec<u8>> {
        let (room, from, limit) = (request.room.to_string(), request.from.map(str::to_owned), request.limit);
        assert_eq!(request.to, None);
        let what = format!("{room} {} {limit}", from.as_deref().unwrap_or("-"));
        self.ask("messages", what, move |model| {
            if model.rooms[&room].forbidden {
                return Err(refused(403, "M_FORBIDDEN"));
            }
            model.page(&room, from.as_deref(), limit).ok_or_else(|| refused(400, "M_UNKNOWN"))
        })
        .await
    }

    async fn context(&self, room: &RoomId, event: &EventId, limit: usize) -> Reply<Vec<u8>> {
        let (room, event) = (room.to_string(), event.to_string());
        self.ask("context", format!("{room} {event}"), move |model| {
            model.context(&room, &event, limit).ok_or_else(|| refused(404, "M_NOT_FOUND"))
        })
        .await
    }

    async fn members(&self, room: &RoomId, at: Option<&str>) -> Reply<Vec<u8>> {
        let (room, at) = (room.to_string(), at.map(str::to_owned));
        self.ask("members", format!("{room} {}", at.as_deref().unwrap_or("-")), move |model| {
            let at = at.map(|at| model.place(&at).ok_or_else(|| refused(400, "M_UNKNOWN")));
            Ok(model.members(&room, at.transpose()?))
        })
        .await
    }

    async fn download(&self, _: &MediaUri, _: Variant) -> Reply<Download> {
        Err(Answer::Unsent)
    }
}
