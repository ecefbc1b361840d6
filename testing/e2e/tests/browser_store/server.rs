//! The homeserver: takes a message once, whatever happens to the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use haos_e2e::browser::{SiteAnswer, SiteRequest};
use serde_json::{Value, json};

use crate::chance::Chance;

/// A message as the server has it, at its place.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) txn_id: String,
    pub(crate) room: String,
    pub(crate) body: String,
    /// Its place in the outbox that it came from.
    pub(crate) seq: u64,
}

/// A message that a context says it has enqueued.
#[derive(Debug, Clone)]
pub(crate) struct Wrote {
    pub(crate) slot: String,
    pub(crate) room: String,
    pub(crate) body: String,
    pub(crate) seq: u64,
}

/// The server's record.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) taken: Vec<Taken>,
    known: HashMap<String, usize>,
    pub(crate) wrote: Vec<Wrote>,
    /// The roles, by taker and time.
    pub(crate) roles: Vec<(String, String, Instant)>,
    pub(crate) failed: Vec<String>,
    /// Requests; those that came again; answers that were lost; refusals before and after the message was taken.
    pub(crate) requests: u64,
    pub(crate) again: u64,
    pub(crate) lost: u64,
    pub(crate) refused: u64,
}

/// A server that is slow, and fails.
#[derive(Clone)]
pub(crate) struct Server {
    seen: Arc<Mutex<Seen>>,
    chance: Arc<Chance>,
    faulty: bool,
}

impl Server {
    pub(crate) fn new(faulty: bool) -> Self {
        Self { seen: Arc::default(), chance: Arc::new(Chance::new()), faulty }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub(crate) fn chance(&self) -> &Chance {
        &self.chance
    }

    /// Answers a request of a page.
    pub(crate) async fn answer(self, request: SiteRequest) -> Option<SiteAnswer> {
        let body = request.json();
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        if let Some(txn_id) = request.path.strip_prefix("/send/") {
            return Some(self.send(txn_id.to_owned(), &body).await);
        }
        match &*request.path {
            "/sync" => return Some(self.sync(&request.query)),
            "/wrote" => self.seen().wrote.push(Wrote {
                slot: text("slot"),
                room: text("room"),
                body: text("body"),
                seq: body["seq"].as_u64().unwrap_or_default(),
            }),
            "/role" => self.seen().roles.push((text("who"), text("role"), Instant::now())),
            "/failed" => {
                eprintln!("  a context says: {body}");
                self.seen().failed.push(body.as_str().unwrap_or_default().to_owned());
            }
            _ => return None,
        }
        Some(SiteAnswer::json(&json!({})))
    }

    async fn send(&self, txn_id: String, body: &Value) -> SiteAnswer {
        self.seen().requests += 1;
        let refused = || SiteAnswer::new("text/html", "<h1>Bad gateway</h1>").status(502);
        self.delay().await;
        let fate = if self.faulty { self.chance.below(100) } else { 99 };
        if fate < 5 {
            self.seen().refused += 1;
            return refused();
        }
        let place = self.take(txn_id, body);
        self.delay().await;
        match fate {
            5..15 => {
                self.seen().lost += 1;
                SiteAnswer::lost()
            }
            15..20 => {
                self.seen().refused += 1;
                refused()
            }
            _ => SiteAnswer::json(&json!({ "event_id": format!("$event{place}") })),
        }
    }

    async fn delay(&self) {
        let slow = self.faulty && self.chance.below(20) == 0;
        let most_ms = if slow { 250 } else { 30 };
        tokio::time::sleep(Duration::from_millis(self.chance.below(most_ms))).await;
    }

    fn take(&self, txn_id: String, body: &Value) -> usize {
        let mut seen = self.seen();
        if let Some(place) = seen.known.get(&txn_id).copied() {
            seen.again += 1;
            return place;
        }
        let place = seen.taken.len();
        seen.known.insert(txn_id.clone(), place);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (room, body, seq) =
            (text(&body["room"]), text(&body["content"]["body"]), body["seq"].as_u64().unwrap_or_default());
        seen.taken.push(Taken { txn_id, room, body, seq });
        place
    }

    fn sync(&self, query: &str) -> SiteAnswer {
        let since: usize =
            query.strip_prefix("since=").and_then(|since| since.parse().ok()).unwrap_or_default();
        let seen = self.seen();
        let event = |(place, taken): (usize, &Taken)| {
            json!({ "event_id": format!("$event{place}"), "room": taken.room, "txn_id": taken.txn_id,
                "at_ms": place, "content": { "body": taken.body } })
        };
        let events: Vec<_> = seen.taken.iter().enumerate().skip(since).map(event).collect();
        SiteAnswer::json(&json!({ "next": seen.taken.len().to_string(), "events": events }))
    }
}
