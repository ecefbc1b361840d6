//! A homeserver on the loopback whose every word is meant for the terminal of who reads it.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::harm::NASTY;
use haos_stub::server::{Answer, serve};

/// An id with all of that in it.
pub(crate) fn id(start: &str) -> String {
    format!("{start}{NASTY}:x")
}

/// It listens as long as the process lives.
pub(crate) struct Stranger {
    pub(crate) url: String,
    refuses: Arc<AtomicBool>,
}

impl Stranger {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let refuses = Arc::new(AtomicBool::new(false));
        let told = refuses.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let told = told.clone();
                thread::spawn(move || {
                    serve(stream.unwrap(), |method, target, _| match told.load(Ordering::Relaxed) {
                        true => refusal(),
                        false => answer(method, target),
                    });
                });
            }
        });
        Self { url, refuses }
    }

    /// From now on, nothing is answered but refusals.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }
}

fn refusal() -> Answer {
    let code = format!("M_{NASTY}{}", "X".repeat(480_000));
    (403, json!({"errcode": code, "error": NASTY}).to_string().into_bytes())
}

fn answer(method: &str, target: &str) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let last = path.rsplit('/').next().unwrap_or_default();
    let ok = |value: Value| (200, value.to_string().into_bytes());
    match (method, last) {
        ("POST", "login") => ok(json!({"user_id": id("@me"), "device_id": NASTY, "access_token": "t"})),
        ("GET", "versions") => ok(json!({"versions": ["v1.11", NASTY]})),
        ("POST", "filter") => ok(json!({"filter_id": NASTY})),
        ("GET", "sync") if query.contains("since=t") => {
            thread::sleep(Duration::from_millis(50));
            ok(json!({"next_batch": "t2"}))
        }
        ("GET", "sync") => ok(sync()),
        ("GET", "messages") => {
            let old = message(&id("$old"), json!({"msgtype": "m.text", "body": NASTY}));
            ok(json!({"chunk": [old], "start": "p"}))
        }
        ("GET", "members") => ok(json!({"chunk": [member("@bob"), member("@eve")]})),
        ("POST", "logout" | "leave" | "read_markers") => ok(json!({})),
        ("POST", _) if path.contains("/join/") => ok(json!({"room_id": id("!joined")})),
        ("PUT", txn) if path.contains("/send/") || path.contains("/redact/") => {
            ok(json!({"event_id": format!("$s{txn}{NASTY}")}))
        }
        ("GET", _) if path.contains("/download/") => (200, NASTY.as_bytes().to_vec()),
        ("POST" | "PUT", _) if path.contains("/upload") => ok(json!({"content_uri": "mxc://x/1"})),
        _ => refusal(),
    }
}

/// A room of that kind, an invite to another, and a space.
pub(crate) fn sync() -> Value {
    let state = |kind: &str, content: Value| {
        json!({"event_id": id(kind), "sender": id("@bob"), "type": kind, "state_key": "",
               "origin_server_ts": 1, "content": content})
    };
    let text = json!({"msgtype": "m.text", "body": format!("hi {NASTY}")});
    let reaction = json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": id("$m"), "key": NASTY}});
    let mut react = message(&id("$r"), reaction);
    react["type"] = json!("m.reaction");
    let mut odd = message(&id("$odd"), json!({"a": NASTY}));
    odd["type"] = json!(NASTY);
    let mut keyed = state("m.odd", json!({}));
    (keyed["type"], keyed["state_key"]) = (json!(format!("m.{NASTY}")), json!(NASTY));
    let events = json!([
        state("m.room.create", json!({"room_version": NASTY, "type": NASTY})),
        state("m.room.name", json!({"name": format!("Room{NASTY}")})),
        state("m.room.topic", json!({"topic": NASTY})),
        state("m.room.avatar", json!({"url": NASTY})),
        member("@bob"),
        keyed,
        message(&id("$m"), text),
        react,
        odd,
        {"event_id": id("$unreadable"), "type": NASTY, "sender": 1},
    ]);
    let invite = json!([state("m.room.name", json!({"name": NASTY}))]);
    json!({"next_batch": "t1", "rooms": {
        "join": {id("!esc"): {"timeline": {"events": events, "limited": true, "prev_batch": NASTY}}},
        "invite": {id("!inv"): {"invite_state": {"events": invite}}},
    }})
}

fn message(id: &str, content: Value) -> Value {
    json!({"event_id": id, "sender": self::id("@bob"), "type": "m.room.message", "origin_server_ts": 1_000_000,
           "content": content})
}

fn member(user: &str) -> Value {
    json!({"event_id": id("$member"), "sender": id(user), "type": "m.room.member", "state_key": id(user),
           "origin_server_ts": 1, "content": {"membership": "join", "displayname": NASTY}})
}
