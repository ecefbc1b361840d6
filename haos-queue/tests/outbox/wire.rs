//! The way to the server, in the process: it fails when it is told to, and waits when it is told to.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use haos_queue::{
    Answer, BackfillPage, Body, Created, Event, Host as _, Lookup, Refusal, Session, TokioHost, Transport,
};
use haos_sim::ModelServer;
use haos_store_api::*;
use tokio::sync::watch;

use crate::client::guarded;

/// The fate of a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// No connection.
    Unsent,
    /// The request is lost.
    Lost,
    /// It is processed, the answer is lost.
    AnswerLost,
    /// The server, or a proxy, refuses.
    Refused(Refusal),
    /// Not at all.
    None,
}

/// The point at which requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Nowhere,
    /// Before the server has them.
    Before,
    /// After that, before the answer.
    After,
}

pub(crate) struct Wire {
    pub(crate) session: Session,
    model: Mutex<ModelServer>,
    faults: Mutex<VecDeque<Fault>>,
    hold: watch::Sender<Hold>,
    /// How many questions for an event, or whether a room is encrypted, get no answer.
    pub(crate) unheard: AtomicU64,
    /// Every request that was begun, and when.
    log: watch::Sender<Vec<(String, i64)>>,
    /// The form of every event that went out.
    forms: Mutex<Vec<(TxnId, Option<Json>)>>,
}

impl Wire {
    pub(crate) fn new(rooms: &[RoomId]) -> Self {
        let session = Session { user: UserId::new("@ada:sim").unwrap(), device: "phone".to_owned() };
        let mut model = ModelServer::new(session.user.clone());
        model.device = Some(session.device.clone());
        rooms.iter().for_each(|room| model.create_room(room.clone()));
        Self {
            session,
            model: Mutex::new(model),
            faults: Mutex::default(),
            hold: watch::Sender::new(Hold::Nowhere),
            unheard: AtomicU64::new(0),
            log: watch::Sender::default(),
            forms: Mutex::default(),
        }
    }

    pub(crate) fn model<T>(&self, with: impl FnOnce(&mut ModelServer) -> T) -> T {
        with(&mut self.model.lock().unwrap())
    }

    /// Sets the fates of the next sends and uploads, in turn.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub(crate) fn hold(&self, hold: Hold) {
        self.hold.send_replace(hold);
    }

    /// Waits until this number of requests of a kind (`send`, `upload`, …) were begun.
    pub(crate) async fn begun(&self, kind: &str, times: usize) {
        let enough = |log: &Vec<(String, i64)>| count(log, kind) >= times;
        guarded(kind, self.log.subscribe().wait_for(enough)).await.unwrap();
    }

    /// When the requests of a kind were begun.
    pub(crate) fn times(&self, kind: &str) -> Vec<i64> {
        let log = self.log.borrow();
        log.iter().filter(|(what, _)| what.starts_with(kind)).map(|(_, at)| *at).collect()
    }

    /// The forms in which a row went out, in turn; none where as it was written.
    pub(crate) fn forms(&self, txn_id: &TxnId) -> Vec<Option<Json>> {
        let forms = self.forms.lock().unwrap();
        forms.iter().filter(|(of, _)| of == txn_id).map(|(_, form)| form.clone()).collect()
    }

    pub(crate) fn all_forms(&self) -> Vec<Option<Json>> {
        self.forms.lock().unwrap().iter().map(|(_, form)| form.clone()).collect()
    }

    /// The texts of a room's events, in the server's order.
    pub(crate) fn bodies(&self, room: &RoomId) -> Vec<String> {
        let body = |event: &Event| event.content.text("body").unwrap_or_default();
        self.events(room).iter().map(body).collect()
    }

    pub(crate) fn events(&self, room: &RoomId) -> Vec<Event> {
        self.model(|model| model.rooms[room].events.iter().map(|kept| kept.event.clone()).collect())
    }

    fn is_unheard(&self) -> bool {
        self.unheard.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// Carries a request to the server, or not.
    async fn ask(&self, what: String, serve: impl FnOnce(&mut ModelServer) -> Answer + Send) -> Answer {
        self.log.send_modify(|log| log.push((what, TokioHost.now_ms())));
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        let mut hold = self.hold.subscribe();
        hold.wait_for(|hold| *hold != Hold::Before).await.unwrap();
        let answer = match fault {
            Fault::Unsent => Answer::Unsent,
            Fault::Lost => Answer::NoAnswer,
            Fault::AnswerLost => {
                self.model(serve);
                Answer::NoAnswer
            }
            Fault::Refused(refusal) => Answer::Refused(refusal),
            Fault::None => self.model(serve),
        };
        hold.wait_for(|hold| *hold == Hold::Nowhere).await.unwrap();
        answer
    }
}

fn count(log: &[(String, i64)], kind: &str) -> usize {
    log.iter().filter(|(what, _)| what.starts_with(kind)).count()
}

#[async_trait::async_trait]
impl Transport for Wire {
    async fn send(&self, row: &Pending) -> Answer {
        let now = u64::try_from(TokioHost.now_ms()).unwrap();
        let what = format!("send {} {}", row.room, row.txn_id);
        self.forms.lock().unwrap().push((row.txn_id.clone(), row.wire.clone()));
        self.ask(what, |model| model.send(&self.session, row, now).unwrap().0).await
    }

    async fn create_media(&self) -> Created {
        Created::At(self.model(|model| model.create_media().unwrap()))
    }

    async fn upload(&self, body: Body<'_>, remote: Option<&MediaUri>) -> Answer {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < body.size {
            let start = bytes.len() as u64;
            bytes.extend(body.read(ByteRange { start, end: start + 1000 }).await.unwrap());
            body.sent(bytes.len() as u64);
        }
        self.ask("upload".to_owned(), |model| model.upload(&self.session, remote, bytes).unwrap()).await
    }

    async fn media_exists(&self, uri: &MediaUri) -> Lookup<()> {
        match self.model(|model| model.media.get(uri).is_some_and(Option::is_some)) {
            true => Lookup::Found(()),
            false => Lookup::Missing,
        }
    }

    async fn is_encrypted(&self, room: &RoomId) -> std::result::Result<bool, Answer> {
        if self.is_unheard() {
            return Err(Answer::NoAnswer);
        }
        Ok(self.model(|model| model.is_encrypted(room)))
    }

    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        self.log.send_modify(|log| log.push(("event".to_owned(), TokioHost.now_ms())));
        if self.is_unheard() {
            return Lookup::Failed(Answer::NoAnswer);
        }
        self.model(|model| model.event(&self.session, room, event).map_or(Lookup::Missing, Lookup::Found))
    }

    async fn history(
        &self,
        room: &RoomId,
        from: Option<&str>,
        limit: usize,
    ) -> std::result::Result<BackfillPage, Answer> {
        self.log.send_modify(|log| log.push(("history".to_owned(), TokioHost.now_ms())));
        Ok(self.model(|model| model.page(&self.session, room, from, limit)))
    }
}
