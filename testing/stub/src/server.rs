//! A homeserver on the loopback with one room, as small as the tests of a client need it.
//!
//! Its room has a name, its creator `@me:x`, and what `@bob:x` says; anybody is logged in as `@me:x`. It panics where a
//! client asks what no client may.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// The room.
pub const ROOM: &str = "!room:x";

/// The state of the server.
#[derive(Default)]
struct Held {
    events: Vec<Value>,
    txns: Vec<(String, String)>,
    media: Vec<u8>,
    /// Sends are refused.
    refuses: bool,
    /// The number of pages of history without an event.
    empty: usize,
    /// Who is typing, until it is told.
    typing: Option<Value>,
    /// What was asked besides, as `POST createRoom`, with its body.
    asked: Vec<(String, Value)>,
}

/// It listens as long as the process lives.
#[derive(Clone)]
pub struct Server {
    /// Its address, as a login takes it.
    pub url: String,
    held: Arc<Mutex<Held>>,
}

impl Server {
    /// A room with a name and this number of messages of somebody else.
    pub fn start(messages: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, held: Arc::default() };
        let state = |kind: &str, key: &str, content: Value| json!({"sender": "@me:x", "type": kind, "state_key": key, "content": content});
        server.add(state("m.room.create", "", json!({"room_version": "11"})));
        server.add(state("m.room.member", "@me:x", json!({"membership": "join", "displayname": "Me"})));
        server.add(state("m.room.name", "", json!({"name": "Lobby"})));
        for n in 0..messages {
            server.text(&format!("old {n}"));
        }
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let serving = serving.clone();
                thread::spawn(move || {
                    serve(stream.unwrap(), |method, target, body| serving.answer(method, target, body));
                });
            }
        });
        server
    }

    /// Somebody else writes.
    pub fn text(&self, body: &str) {
        let content = json!({"msgtype": "m.text", "body": body});
        self.add(json!({"sender": "@bob:x", "type": "m.room.message", "content": content}));
    }

    /// From now on, sends are refused, or no longer.
    pub fn refuse_sends(&self, refuses: bool) {
        self.held.lock().unwrap().refuses = refuses;
    }

    /// The next pages of history hold no event.
    pub fn empty_pages(&self, count: usize) {
        self.held.lock().unwrap().empty = count;
    }

    /// These people type now.
    pub fn types(&self, users: &[&str]) {
        self.held.lock().unwrap().typing = Some(json!({"type": "m.typing", "content": {"user_ids": users}}));
    }

    /// What was asked about rooms and the own user, and with what.
    pub fn asked(&self) -> Vec<(String, Value)> {
        self.held.lock().unwrap().asked.clone()
    }

    /// The user's messages, in the order in which they arrived.
    pub fn own(&self) -> Vec<Value> {
        let held = self.held.lock().unwrap();
        held.events[3..].iter().filter(|event| event["sender"] == "@me:x").cloned().collect()
    }

    fn add(&self, mut event: Value) -> String {
        let events = &mut self.held.lock().unwrap().events;
        let id = format!("$e{}", events.len());
        event["event_id"] = json!(id);
        event["origin_server_ts"] = json!(1_000_000 + events.len());
        events.push(event);
        id
    }

    fn answer(&self, method: &str, target: &str, body: Vec<u8>) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let wanted = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
        };
        let parts: Vec<&str> = path.split('/').collect();
        let last = parts.last().copied().unwrap_or_default();
        let ok = |value: Value| (200, value.to_string().into_bytes());
        match (method, last) {
            ("POST", "login") => ok(json!({"user_id": "@me:x", "device_id": "D", "access_token": "t"})),
            ("GET", "versions") => ok(json!({"versions": ["v1.11"]})),
            ("POST", "filter") => ok(json!({"filter_id": "f"})),
            ("GET", "sync") => ok(self.sync(wanted("since"), wanted("timeout"))),
            ("GET", "messages") => ok(self.messages(wanted("from"), wanted("limit"))),
            ("GET", "members") => ok(json!({"chunk": [self.held.lock().unwrap().events[1]]})),
            ("POST", "logout" | "leave" | "read_markers" | "invite" | "kick" | "createRoom") => {
                let body = serde_json::from_slice(&body).unwrap_or_default();
                self.held.lock().unwrap().asked.push((format!("{method} {last}"), body));
                ok(json!({"room_id": ROOM}))
            }
            ("PUT", _) if path.contains("/typing/") => {
                let body = serde_json::from_slice(&body).unwrap_or_default();
                self.held.lock().unwrap().asked.push((format!("{method} typing"), body));
                ok(json!({}))
            }
            ("POST", "create") => ok(json!({"content_uri": "mxc://x/1"})),
            ("POST" | "PUT", _) if path.contains("/upload") => {
                self.held.lock().unwrap().media = body;
                ok(json!({"content_uri": "mxc://x/1"}))
            }
            ("GET", _) if path.contains("/download/") => (200, self.held.lock().unwrap().media.clone()),
            ("POST", _) if path.contains("/join/") => ok(json!({"room_id": ROOM})),
            ("PUT", txn) if path.contains("/send/") || path.contains("/redact/") => {
                self.send(&parts, txn, &body)
            }
            _ if path.contains("/state/") => {
                (404, json!({"errcode": "M_NOT_FOUND"}).to_string().into_bytes())
            }
            _ => (404, json!({"errcode": "M_UNRECOGNIZED", "error": path}).to_string().into_bytes()),
        }
    }

    fn send(&self, parts: &[&str], txn: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let mut held = self.held.lock().unwrap();
        if held.refuses {
            return (403, json!({"errcode": "M_FORBIDDEN", "error": "no"}).to_string().into_bytes());
        }
        let known = held.txns.iter().find(|(known, _)| known == txn).map(|(_, id)| id.clone());
        drop(held);
        let id = known.unwrap_or_else(|| {
            let kind = if parts.contains(&"redact") { "m.room.redaction" } else { parts[parts.len() - 2] };
            let content: Value = serde_json::from_slice(body).unwrap();
            self.add(json!({"sender": "@me:x", "type": kind, "content": content, "unsigned": {"transaction_id": txn}}))
        });
        held = self.held.lock().unwrap();
        held.txns.push((txn.to_owned(), id.clone()));
        (200, json!({"event_id": id}).to_string().into_bytes())
    }

    fn sync(&self, since: Option<String>, timeout: Option<String>) -> Value {
        let since: Option<usize> = since.map(|token| token[1..].parse().unwrap());
        let wait = timeout.is_some_and(|timeout| timeout != "0");
        loop {
            let mut held = self.held.lock().unwrap();
            let all = held.events.len();
            let typing = held.typing.take();
            if since == Some(all) && wait && typing.is_none() {
                drop(held);
                thread::park_timeout(std::time::Duration::from_millis(5));
                continue;
            }
            let from = since.unwrap_or(all.saturating_sub(10).max(3));
            let mut joined = json!({"timeline": {"events": held.events[from..], "limited": since.is_none(),
                                                 "prev_batch": format!("p{from}")}});
            if since.is_none() {
                joined["state"] = json!({"events": held.events[..3]});
            }
            let is_told = from < all || since.is_none() || typing.is_some();
            joined["ephemeral"] = json!({"events": typing.into_iter().collect::<Vec<_>>()});
            let join = if is_told { json!({ROOM: joined}) } else { json!({}) };
            return json!({"next_batch": format!("s{all}"), "rooms": {"join": join}});
        }
    }

    fn messages(&self, from: Option<String>, limit: Option<String>) -> Value {
        let mut held = self.held.lock().unwrap();
        // A token of an empty page is that place, and a number.
        let place = |token: String| token[1..].split('.').next().unwrap().parse().unwrap();
        let from = from.map_or(held.events.len(), place);
        if held.empty > 0 {
            held.empty -= 1;
            return json!({"chunk": [], "start": format!("p{from}"), "end": format!("p{from}.{}", held.empty)});
        }
        let limit = limit.map_or(10, |limit| limit.parse().unwrap());
        let end = from.saturating_sub(limit);
        let chunk: Vec<&Value> = held.events[end..from].iter().rev().collect();
        let mut page = json!({"chunk": chunk, "start": format!("p{from}")});
        if end > 0 {
            page["end"] = json!(format!("p{end}"));
        }
        page
    }
}

/// Status and body.
pub type Answer = (u16, Vec<u8>);

/// Answers the requests of a connection, by method, target and body.
pub fn serve(stream: TcpStream, mut answer: impl FnMut(&str, &str, Vec<u8>) -> Answer) {
    serve_each(stream, |asked| answer(&asked.method, &asked.target, asked.body));
}

/// A request.
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// The access token.
    pub token: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Answers the requests of a connection.
pub fn serve_each(mut stream: TcpStream, mut answer: impl FnMut(Asked) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = request(&mut reader) {
        let (status, answer) = answer(asked);
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        // Whoever asked may be gone.
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer)).is_err() {
            return;
        }
    }
}

/// A request; none at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let (mut first, mut token) = (String::new(), None);
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if lower.starts_with("authorization: bearer ") {
            token = line.split_whitespace().last().map(str::to_owned);
        }
        chunked |= lower.starts_with("transfer-encoding:") && lower.contains("chunked");
        if line.trim().is_empty() {
            break;
        }
        if first.is_empty() {
            first = line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    while chunked {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    let mut words = first.split_whitespace();
    let mut word = || words.next().unwrap_or_default().to_owned();
    Some(Asked { method: word(), target: word(), token, body })
}
