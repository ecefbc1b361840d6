//! A client that runs, and a server that answers oddly once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use haos_matrix::{Client, ClientOptions, Credentials, FillOptions, MediaRequest, SyncOptions, compose};
use haos_queue::{Lead, RetryPolicy, TokioHost};
use haos_store_api::*;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::corpus::{Kind, reaction};
use crate::server::{Reaction, Server};

/// The time after which nothing more will be asked.
const HANGS: Duration = Duration::from_secs(60);
/// How long a message is waited for, unless a new run helps.
const PATIENCE: Duration = Duration::from_secs(2);
/// The server's acts.
#[derive(Default)]
struct Script {
    odd: Option<(Kind, Reaction)>,
    /// Pages are refused, so that what is around an event is asked for.
    no_pages: bool,
    sliding: bool,
    /// The access token has expired.
    is_expired: bool,
    /// There is a good answer.
    is_good: bool,
    taken: watch::Sender<bool>,
}

impl Script {
    fn react(&mut self, line: &str) -> Reaction {
        let Some(kind) = Kind::of(line) else {
            return reaction(404, br#"{"errcode":"M_UNRECOGNIZED"}"#.to_vec());
        };
        if let Some((_, odd)) = self.odd.take_if(|(of, _)| *of == kind) {
            self.taken.send_replace(true);
            return odd;
        }
        if kind == Kind::Sync && std::mem::take(&mut self.is_expired) {
            return reaction(401, br#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#.to_vec());
        }
        let body = match kind {
            Kind::Media => b"bytes".to_vec(),
            Kind::Messages if self.no_pages => return reaction(400, br#"{"errcode":"M_UNKNOWN"}"#.to_vec()),
            Kind::Versions => {
                let feature = json!({ "org.matrix.simplified_msc3575": self.sliding });
                json!({ "versions": ["v1.11"], "unstable_features": feature }).to_string().into_bytes()
            }
            Kind::Sliding => json!({ "pos": "p", "rooms": {} }).to_string().into_bytes(),
            Kind::Sync => self.sync(line).to_string().into_bytes(),
            kind => kind.good().to_string().into_bytes(),
        };
        reaction(200, body)
    }

    fn sync(&self, line: &str) -> Value {
        let event = |id: &str| json!({ "event_id": id, "sender": "@bob:x", "type": "m.room.message", "origin_server_ts": 5, "content": {} });
        let room = |events: Value| json!({ "join": { "!soak:x": { "timeline": events } } });
        if !line.contains("since=") {
            let timeline = json!({ "events": [event("$first")], "limited": true, "prev_batch": "t0" });
            return json!({ "next_batch": "s1", "rooms": room(timeline) });
        }
        match self.is_good {
            true => json!({ "next_batch": "s9", "rooms": room(json!({ "events": [event("$good")] })) }),
            false => json!({ "next_batch": "s1" }),
        }
    }
}

/// Has a client get this answer once, and then good ones; says what is wrong with what comes of it.
pub(crate) async fn survives(kind: Kind, odd: Reaction) -> Result<(), String> {
    let is_late = kind == Kind::Sync && matches!(&odd, Reaction::Answer { body, .. } if body.len() % 2 == 0);
    let script = Arc::new(Mutex::new(Script {
        no_pages: kind == Kind::Context,
        sliding: kind == Kind::Sliding,
        is_expired: kind == Kind::Refresh,
        ..Script::default()
    }));
    let set = |odd| script.lock().unwrap().odd = Some((kind, odd));
    let reacting = script.clone();
    let server = Server::new(move |seen| reacting.lock().unwrap().react(&seen.line)).await;
    let store = Arc::new(MemoryStore::new());
    if kind == Kind::Login {
        set(odd.clone());
        // It may be refused.
        drop(login(&server, &store).await);
    }
    let mut client = login(&server, &store).await.map_err(|e| format!("no login: {e}"))?;
    if !is_late {
        set(odd.clone());
    }
    let mut running = tokio::spawn(client.run(Lead::Alone));
    if is_late || kind != Kind::Sync {
        until(&client, "$first").await?;
    }
    if is_late {
        set(odd);
    }
    poke(&client, kind).await;
    let mut taken = script.lock().unwrap().taken.subscribe();
    let asked = tokio::time::timeout(HANGS, taken.wait_for(|taken| *taken)).await;
    asked.map_err(|_| format!("never asked; {:?}", *client.connection().borrow()))?.unwrap();
    script.lock().unwrap().is_good = true;
    let mut came = Err(String::new());
    for _ in 0..3 {
        came = until(&client, "$good").await;
        if came.is_ok() {
            break;
        }
        // A wait that the server asked for, or the end of the session: as a user, start again, and log in.
        running.abort();
        client = login(&server, &store).await.map_err(|e| format!("no login: {e}"))?;
        running = tokio::spawn(client.run(Lead::Alone));
    }
    if running.is_finished() {
        return Err(format!("the client ended: {:?}", running.await));
    }
    running.abort();
    came
}

fn options() -> ClientOptions {
    let retry = RetryPolicy { base_ms: 5, cap_ms: 20, old_cap_ms: 20, ..RetryPolicy::default() };
    let sync = SyncOptions { retry, fill: FillOptions::off(), ..SyncOptions::default() };
    ClientOptions { sync, ..ClientOptions::default() }
}

async fn login(server: &Server, store: &Arc<MemoryStore>) -> Result<Client, String> {
    let (url, options, token) = (server.url(), options(), Credentials::Token("t".to_owned()));
    let login = Client::login(store.clone(), Arc::new(TokioHost), &url, token, None, &options);
    login.await.map_err(|e| e.to_string())
}

/// Asks for what only comes when it is asked for.
async fn poke(client: &Client, kind: Kind) {
    match kind {
        Kind::Messages | Kind::Context => drop(client.engine().backfill(&room(), None, 50).await),
        Kind::Members => drop(client.engine().members(&room()).await),
        Kind::Send => drop(client.outbox().enqueue(compose::text(&room(), "hello").unwrap()).await),
        Kind::Media => {
            let request = MediaRequest::new(MediaUri::new("mxc://x/a").unwrap());
            drop(client.media().get(&request).await);
        }
        _ => {}
    }
}

/// Waits until a message is stored; not for long, since the server may have asked for more.
async fn until(client: &Client, message: &str) -> Result<(), String> {
    let (store, id) = (client.store().clone(), EventId::new(message).unwrap());
    let mut changes = store.changes();
    let waiting = async {
        while store.message(&room(), &id).await.unwrap().is_none() {
            changes.next().await.unwrap();
        }
    };
    let state = || format!("{message} never came; {:?}", *client.connection().borrow());
    tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| state())
}

fn room() -> RoomId {
    RoomId::new("!soak:x").unwrap()
}
