//! The sender's requests to the model: it keeps each transaction once.

use async_trait::async_trait;
use haos_matrix::{parse_event, parse_messages};
use haos_queue::{Answer, BackfillPage, Event, Lookup, Transport};
use haos_store_api::{Direction, EventId, Pending, RoomId};
use serde_json::Value;

use crate::model::{ME, Model};
use crate::wire::{Wire, refused};

impl Model {
    /// An own message arrives, or had arrived before; its id.
    fn send(&mut self, room: &str, txn: &str) -> Value {
        let is_it = |event: &Value| event["sender"] == ME && event["unsigned"]["transaction_id"] == txn;
        if !self.rooms[room].events.iter().any(|kept| is_it(&kept.json)) {
            self.echo(room, txn);
        }
        self.rooms[room].events.iter().find(|kept| is_it(&kept.json)).unwrap().json["event_id"].clone()
    }

    /// The transactions of a room, in the order in which they arrived.
    pub(crate) fn arrived(&self, room: &str) -> Vec<String> {
        let txns = self.rooms[room].events.iter().map(|kept| &kept.json["unsigned"]["transaction_id"]);
        txns.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, row: &Pending) -> Answer {
        let (room, txn) = (row.room.to_string(), row.txn_id.to_string());
        let sent = self.ask("send", format!("{room} {txn}"), move |model| {
            if model.rooms[&room].muted {
                return Err(refused(403, "M_FORBIDDEN"));
            }
            Ok(model.send(&room, &txn))
        });
        match sent.await {
            Ok(body) => match serde_json::from_slice(&body).ok().and_then(|id: String| EventId::new(id).ok())
            {
                Some(id) => Answer::Accepted(id),
                None => Answer::Unreadable,
            },
            Err(answer) => answer,
        }
    }

    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        let (id, event) = (room.to_string(), event.to_string());
        let asked = self.ask("event", format!("{id} {event}"), move |model| {
            let found = model.rooms[&id].events.iter().find(|kept| kept.json["event_id"] == *event);
            found.map(|kept| kept.json.clone()).ok_or_else(|| refused(404, "M_NOT_FOUND"))
        });
        match asked.await {
            Ok(body) => parse_event(&body).map_or(Lookup::Failed(Answer::Unreadable), Lookup::Found),
            Err(answer) => Lookup::Failed(answer),
        }
    }

    async fn history(&self, room: &RoomId, from: Option<&str>, limit: usize) -> Result<BackfillPage, Answer> {
        let (id, from) = (room.to_string(), from.map(str::to_owned));
        let what = format!("{id} {} {limit} h", from.as_deref().unwrap_or("-"));
        let body = self
            .ask("history", what, move |model| {
                model.page(&id, from.as_deref(), limit).ok_or_else(|| refused(400, "M_UNKNOWN"))
            })
            .await?;
        parse_messages(&body, room, Direction::Older).map_err(|_| Answer::Unreadable)
    }
}
