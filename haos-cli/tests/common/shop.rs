//! Stores of every kind, with a room to write into.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::keys::{HEX, secret};
use super::{Run, World, event};

/// A store: SQLite or sled, plain or sealed.
pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) url: String,
    flags: Vec<String>,
}

impl Shop {
    /// An empty one.
    pub(crate) fn empty(scheme: &str, sealed: bool) -> Self {
        let world = World::new();
        let url = format!("{scheme}:{}", world.path("chat.db").display());
        let flags = match sealed {
            true => vec!["--key-file".to_owned(), secret(&world, "key", HEX)],
            false => Vec::new(),
        };
        Self { world, url, flags }
    }

    /// One with the room `!a`, named Lobby, of `@me:x`, and the room `!left` that was left.
    pub(crate) fn filled(scheme: &str, sealed: bool) -> Self {
        let shop = Self::empty(scheme, sealed);
        let file = shop.world.file("first.json", lobby().to_string());
        let run = shop.run(&["import", "--user", "@me:x", &file]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        shop
    }

    /// Runs a test on all four kinds.
    pub(crate) fn each(make: fn(&str, bool) -> Self, test: impl Fn(&Self)) {
        for (scheme, sealed) in [("sqlite", false), ("sqlite", true), ("sled", false), ("sled", true)] {
            test(&make(scheme, sealed));
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
        command.args(["--store", &self.url]).args(&self.flags).args(args);
        command.env_remove("HAOS_STORE").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Runs it and takes its JSON document; it has to succeed.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let run = self.run(&[&["--json"], args].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        run.lines().pop().unwrap()
    }

    /// The transaction id of what a command wrote.
    #[track_caller]
    pub(crate) fn writes(&self, args: &[&str]) -> String {
        self.json(args)["txn_id"].as_str().unwrap().to_owned()
    }

    /// The rows of the outbox.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.json(&["outbox"]).as_array().unwrap().clone()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.json(&["doctor"])["revision"].as_u64().unwrap()
    }
}

/// A sync response: texts of two people, a picture, an edit and a removed message.
fn lobby() -> Value {
    let by = |id: &str, sender: &str, content: Value| {
        json!({"event_id": id, "sender": sender, "type": "m.room.message", "origin_server_ts": 1_000_000,
               "content": content})
    };
    let mut removed = by("$removed", "@me:x", json!({}));
    removed["unsigned"] = json!({"redacted_because": {"event_id": "$why", "sender": "@me:x",
        "type": "m.room.redaction", "redacts": "$removed", "content": {}, "origin_server_ts": 1}});
    let edit = json!({"msgtype": "m.text", "body": "* mine!", "m.new_content": {"msgtype": "m.text", "body": "mine!"},
                      "m.relates_to": {"rel_type": "m.replace", "event_id": "$mine"}});
    let timeline = json!([
        event("$theirs"),
        by("$mine", "@me:x", json!({"msgtype": "m.text", "body": "mine"})),
        by("$picture", "@me:x", json!({"msgtype": "m.image", "body": "a.png", "url": "mxc://x/a"})),
        by("$edit", "@me:x", edit),
        removed,
    ]);
    let name = json!({"event_id": "$name", "sender": "@me:x", "type": "m.room.name", "state_key": "",
                      "origin_server_ts": 1, "content": {"name": "Lobby"}});
    json!({"next_batch": "s1", "rooms": {
        "join": {"!a": {"timeline": {"events": timeline}, "state": {"events": [name]}}},
        "leave": {"!left": {"timeline": {"events": [event("$left")]}}},
    }})
}
