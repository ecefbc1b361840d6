//! A homeserver on the loopback with several users, as small as tests of encryption need it: it knows rooms and their
//! members, the keys of devices, and what is sent to these. It reads nothing of what it is given.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod keys;
mod rooms;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::keys::Device;
use crate::server::{Answer, Asked, serve_each};

/// It listens as long as the process lives. Users are called by the names before `:x` in their ids.
#[derive(Clone)]
pub struct Town {
    /// Its address, as a login takes it.
    pub url: String,
    held: Arc<Mutex<Held>>,
}

/// Whatever syncs tell, in its order.
enum Happening {
    Event {
        room: String,
        event: Value,
        token: Option<String>,
    },
    ToDevice {
        user: String,
        device: String,
        event: Value,
    },
    /// A user's devices changed.
    Devices {
        user: String,
    },
}

#[derive(Default)]
struct Held {
    stream: Vec<Happening>,
    devices: BTreeMap<(String, String), Device>,
    /// What was sent to devices and is kept back; none if nothing is.
    back: Option<Vec<Happening>>,
    /// The answers of transactions, by access token and id.
    txns: BTreeMap<(String, String), Value>,
    media: Vec<Vec<u8>>,
    /// Every request: method, target, body.
    asked: Vec<(String, String, Vec<u8>)>,
    /// Requests whose target holds the text are refused so often, with this status and code.
    refused: Option<(String, usize, u16, &'static str)>,
}

/// A part of a path and who asks.
struct Path<'a> {
    parts: Vec<String>,
    query: &'a str,
    token: String,
}

impl Path<'_> {
    fn wanted(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
    }

    /// Who asks: user and device.
    fn asker(&self) -> (String, String) {
        let (user, device) = self.token.split_once('|').unwrap_or_default();
        (user.to_owned(), device.to_owned())
    }
}

impl Town {
    /// A server without rooms.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let town = Self { url, held: Arc::default() };
        let serving = town.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || serve_each(stream.unwrap(), |asked| serving.answer(asked)));
            }
        });
        town
    }

    /// Keeps back what is sent to devices, or lets go on what was kept back.
    pub fn keep_back(&self, keeps: bool) {
        let mut held = self.held();
        let back = held.back.take().unwrap_or_default();
        held.stream.extend(back);
        held.back = keeps.then(Vec::new);
    }

    /// The next requests whose target holds a text are refused.
    pub fn refuse(&self, target: &str, times: usize, status: u16, code: &'static str) {
        self.held().refused = Some((target.to_owned(), times, status, code));
    }

    /// Changes what was uploaded to a uri.
    pub fn change_media(&self, uri: &haos_store_api::MediaUri, change: impl FnOnce(&mut Vec<u8>)) {
        let number: usize = uri.as_str().rsplit('/').next().unwrap().parse().unwrap();
        change(&mut self.held().media[number]);
    }

    /// The bodies of all requests whose target holds a text, in their order.
    pub fn bodies(&self, target: &str) -> Vec<Vec<u8>> {
        let held = self.held();
        held.asked
            .iter()
            .filter(|(_, asked, _)| asked.contains(target))
            .map(|(_, _, body)| body.clone())
            .collect()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, asked: Asked) -> Answer {
        let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
        let parts = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
        let path = Path { parts, query, token: asked.token.unwrap_or_default() };
        let mut held = self.held();
        held.asked.push((asked.method.clone(), asked.target.clone(), asked.body.clone()));
        if let Some((text, times, status, code)) = &mut held.refused
            && *times > 0
            && asked.target.contains(&*text)
        {
            *times -= 1;
            return refusal(*status, code);
        }
        drop(held);
        let parts: Vec<&str> = path.parts.iter().map(String::as_str).collect();
        let body = || serde_json::from_slice::<Value>(&asked.body).unwrap_or_default();
        let ok = |value: Value| (200, value.to_string().into_bytes());
        match (&*asked.method, parts.get(3..).unwrap_or_default()) {
            (_, _) if parts.ends_with(&["client", "versions"]) => ok(json!({ "versions": ["v1.11"] })),
            ("POST", ["login"]) => ok(login(&body())),
            ("POST", ["logout"]) => {
                self.held().forget(path.asker());
                ok(json!({}))
            }
            ("POST", ["user", _, "filter"]) => ok(json!({ "filter_id": "f" })),
            ("GET", ["sync"]) => ok(self.sync(&path)),
            ("GET", ["devices"]) => ok(self.own_devices(&path.asker().0)),
            ("POST", ["keys", "upload"]) => ok(self.held().upload_keys(path.asker(), &body())),
            ("POST", ["keys", "query"]) => ok(self.held().query_keys(&body())),
            ("POST", ["keys", "claim"]) => ok(self.held().claim_keys(&body())),
            ("PUT", ["sendToDevice", kind, txn]) => {
                ok(self.once(&path.token, txn, |held| held.send_to_device(path.asker(), kind, &body())))
            }
            ("GET", ["rooms", room, "members"]) => ok(self.held().members(room)),
            ("GET", ["rooms", room, "state", kind]) => self.held().content(room, kind),
            ("GET", ["rooms", room, "messages"]) => ok(self.held().messages(room, &path)),
            ("GET", ["rooms", room, "context", id]) => ok(self.held().context(room, id, &path)),
            ("GET", ["rooms", room, "event", id]) => self.held().event(room, id),
            ("PUT", ["rooms", room, "send", kind, txn]) => {
                ok(self.once(&path.token, txn, |held| held.send(&path, room, kind, body())))
            }
            ("PUT", ["rooms", room, "redact", target, txn]) => {
                let content = json!({ "redacts": target });
                ok(self.once(&path.token, txn, |held| held.send(&path, room, "m.room.redaction", content)))
            }
            ("POST", ["upload"]) => ok(self.held().keep_media(asked.body.clone())),
            ("GET", ["media", "download", _, id] | ["download", _, id]) => self.held().media(id),
            _ => refusal(404, "M_UNRECOGNIZED"),
        }
    }

    /// What a transaction answers: it is carried out once.
    fn once(&self, token: &str, txn: &str, act: impl FnOnce(&mut Held) -> Value) -> Value {
        let (mut held, key) = (self.held(), (token.to_owned(), txn.to_owned()));
        if let Some(answer) = held.txns.get(&key) {
            return answer.clone();
        }
        let answer = act(&mut held);
        held.txns.insert(key, answer.clone());
        answer
    }

    fn sync(&self, path: &Path<'_>) -> Value {
        let since = path.wanted("since").map(|token| token[1..].parse().unwrap());
        let wait_ms = path.wanted("timeout").and_then(|ms| ms.parse().ok()).unwrap_or(0);
        let until = Instant::now() + Duration::from_millis(wait_ms);
        loop {
            let held = self.held();
            if since != Some(held.stream.len()) || Instant::now() >= until {
                return held.sync(path.asker(), since);
            }
            drop(held);
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

fn login(body: &Value) -> Value {
    let name = body["identifier"]["user"].as_str().unwrap_or("me");
    let (user, device) = (format!("@{name}:x"), body["device_id"].as_str().map(str::to_owned));
    let device = device.unwrap_or_else(|| format!("{}DEVICE", name.to_uppercase()));
    json!({ "user_id": user, "device_id": device, "access_token": format!("{user}|{device}") })
}

fn refusal(status: u16, code: &str) -> Answer {
    (status, json!({ "errcode": code, "error": "no", "retry_after_ms": 10 }).to_string().into_bytes())
}

/// A segment of a path without its encoding.
fn decoded(part: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), part.bytes());
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits: String = rest.by_ref().take(2).map(char::from).collect();
        bytes.push(u8::from_str_radix(&digits, 16).unwrap());
    }
    String::from_utf8(bytes).unwrap()
}
