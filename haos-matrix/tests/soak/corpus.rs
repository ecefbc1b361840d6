//! Answers of a real homeserver, and what they answer.

use std::path::Path;

use serde_json::{Value, json};

use crate::server::Reaction;
use crate::tree::Tree;

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Versions,
    Login,
    Refresh,
    Filter,
    Sync,
    Sliding,
    Messages,
    Context,
    Members,
    Media,
    Send,
}

impl Kind {
    pub(crate) const ALL: [Self; 11] = [
        Self::Versions,
        Self::Login,
        Self::Refresh,
        Self::Filter,
        Self::Sync,
        Self::Sliding,
        Self::Messages,
        Self::Context,
        Self::Members,
        Self::Media,
        Self::Send,
    ];

    /// Reads the kind of a request from its line.
    pub(crate) fn of(line: &str) -> Option<Self> {
        let path = line.split('?').next().unwrap_or_default();
        let ends = [
            ("/versions", Self::Versions),
            ("/login", Self::Login),
            ("/refresh", Self::Refresh),
            ("/filter", Self::Filter),
            ("simplified_msc3575/sync", Self::Sliding),
            ("/sync", Self::Sync),
            ("/messages", Self::Messages),
            ("/members", Self::Members),
        ];
        let middles = [("/context/", Self::Context), ("/media/", Self::Media), ("/send/", Self::Send)];
        let end = ends.iter().find(|(end, _)| path.ends_with(end));
        end.or_else(|| middles.iter().find(|(middle, _)| path.contains(middle))).map(|(_, kind)| *kind)
    }

    /// A good server's answer, where that does not depend on the ones before.
    pub(crate) fn good(self) -> Value {
        let event = |id: &str| {
            json!({ "event_id": id, "sender": "@bob:x", "type": "m.room.message", "origin_server_ts": 1,
                "content": { "body": id } })
        };
        let member = json!({ "event_id": "$m", "sender": "@bob:x", "type": "m.room.member", "state_key": "@bob:x",
            "content": { "membership": "join", "displayname": "Bob" } });
        match self {
            Self::Versions => json!({ "versions": ["v1.11"] }),
            Self::Login => {
                json!({ "user_id": "@me:x", "device_id": "DEV", "access_token": "a", "refresh_token": "r",
                "expires_in_ms": 600_000 })
            }
            Self::Refresh => json!({ "access_token": "b", "refresh_token": "s", "expires_in_ms": 600_000 }),
            Self::Filter => json!({ "filter_id": "7" }),
            Self::Messages => {
                json!({ "start": "t0", "chunk": [event("$old2"), event("$old1")], "state": [member] })
            }
            Self::Context => json!({ "start": "t1", "end": "t2", "event": event("$first"),
                "events_before": [event("$old")], "state": [member] }),
            Self::Members => json!({ "chunk": [member] }),
            Self::Send => json!({ "event_id": "$sent" }),
            Self::Sync | Self::Sliding | Self::Media => Value::Null,
        }
    }
}

/// An answer to begin with.
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) status: u16,
    pub(crate) body: Tree,
}

/// The captures, and the good answers of what has none.
pub(crate) fn samples() -> Vec<Sample> {
    let good = |kind: Kind| Sample { kind, status: 200, body: Tree::of(&kind.good()) };
    let mut samples: Vec<Sample> =
        Kind::ALL.into_iter().filter(|kind| !kind.good().is_null()).map(good).collect();
    for (folder, kind) in [
        ("sync", Kind::Sync),
        ("messages", Kind::Messages),
        ("sliding", Kind::Sliding),
        ("messages", Kind::Context),
    ] {
        samples.extend(captures(folder).iter().map(|body| Sample {
            kind,
            status: 200,
            body: Tree::of(body),
        }));
    }
    for (n, capture) in captures("errors").iter().enumerate() {
        let status = capture["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        let kind =
            capture["request"]["path"].as_str().and_then(Kind::of).unwrap_or(Kind::ALL[n % Kind::ALL.len()]);
        samples.push(Sample { kind, status, body: Tree::of(capture.get("body").unwrap_or(&Value::Null)) });
    }
    samples
}

fn captures(folder: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

/// An answer as the server gives it.
pub(crate) fn reaction(status: u16, body: Vec<u8>) -> Reaction {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Reaction::Answer { status, headers, body }
}
