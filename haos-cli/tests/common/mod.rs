//! The common part of the tests of the command.
#![allow(dead_code, reason = "each test file takes what it needs")]

pub(crate) mod harm;
pub(crate) mod keys;
pub(crate) mod one_login;
mod run;
pub(crate) mod shop;
pub(crate) mod stranger;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

pub(crate) use run::Run;

/// A folder with a store in it.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path("haos.db").display())
    }

    /// The command on this world's store.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
        command.args(["--store", &self.url()]).args(args).env_remove("HAOS_STORE").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }

    /// Runs it and takes its last JSON line; it has to succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let run = self.run(&[&["--json"], args].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        run.lines().pop().unwrap()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.json(&["doctor"])["revision"].as_u64().unwrap()
    }
}

/// A file of captures.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix").join(name);
    assert!(path.is_file(), "{name}");
    path.display().to_string()
}

/// A world whose store has the rooms of the captures.
pub(crate) fn filled() -> World {
    let world = World::new();
    let initial = fixture("sync/initial_all_limit1000.json");
    assert_eq!(world.run(&["import", "--user", "@alice:localhost", &initial]).code, 0);
    world
}

/// The ids of the captures.
pub(crate) fn id(group: &str, name: &str) -> String {
    let ids: Value = serde_json::from_str(&std::fs::read_to_string(fixture("ids.json")).unwrap()).unwrap();
    ids[group][name].as_str().unwrap().to_owned()
}

/// A sync response with text messages in one room.
pub(crate) fn sync(next: &str, events: &[&str]) -> Value {
    let events: Vec<Value> = events.iter().map(|id| event(id)).collect();
    json!({"next_batch": next, "rooms": {"join": {"!a": {"timeline": {"events": events}}}}})
}

/// A text message whose text is its id.
pub(crate) fn event(id: &str) -> Value {
    json!({"event_id": id, "sender": "@u:x", "type": "m.room.message", "origin_server_ts": 1_000_000,
           "content": {"msgtype": "m.text", "body": id}})
}

/// Syncs that follow one another, a line each: `n` lines, one event a line.
pub(crate) fn syncs(n: usize) -> String {
    let mut text = String::new();
    for at in 0..n {
        let since = if at == 0 { Value::Null } else { json!(format!("s{at}")) };
        let line = json!({"since": since, "response": sync(&format!("s{}", at + 1), &[&format!("${at}")])});
        writeln!(text, "{line}").unwrap();
    }
    text
}
