//! Names, texts, ids, errors and paths of strangers, in every command: nothing of them steers the terminal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::harm::{NASTY, harm};
use common::keys::{HEX, secret};
use common::stranger::{Stranger, id, sync};
use common::{World, fixture};

/// The commands that the binary has, by its own list, and what is below `outbox`.
fn commands() -> Vec<String> {
    let listed = |args: &[&str]| {
        let help = Command::new(env!("CARGO_BIN_EXE_haos")).args(args).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let names =
            lines.take_while(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next());
        names.map(str::to_owned).filter(|name| name != "help").collect::<Vec<_>>()
    };
    let below = listed(&["outbox", "-h"]).into_iter().map(|name| format!("outbox {name}"));
    listed(&["-h"]).into_iter().chain(below).collect()
}

/// A stranger's texts, and files of such names.
struct Scene {
    world: World,
    server: Stranger,
    words: String,
    key: String,
    file: String,
}

impl Scene {
    fn new() -> Self {
        let (world, server) = (World::new(), Stranger::start());
        let (words, key) = (secret(&world, "words", "red\n"), secret(&world, "key", HEX));
        let file = world.file(&format!("a{NASTY}.jsonl").replace('\u{7}', ""), sync().to_string());
        let scene = Self { world, server, words, key, file };
        let url = scene.server.url.clone();
        let login = ["login", "--homeserver", &url, "--user", "me", "--password-file", &scene.words];
        assert_eq!(scene.world.run(&login).code, 0, "the stranger lets everybody in");
        assert_eq!(scene.world.run(&["import", &fixture("cases/escapes.jsonl")]).code, 0);
        let synced = scene.world.run(&["sync", "--once"]);
        assert_eq!(synced.code, 0, "{}", synced.stderr);
        // A row that was refused in many words.
        scene.server.refuse(true);
        assert_eq!(scene.world.run(&["send", &id("!esc"), &format!("mine {NASTY}")]).code, 3);
        scene.server.refuse(false);
        scene
    }

    /// Ways to run a command.
    fn runs(&self, command: &str) -> Vec<Vec<String>> {
        let (room, event, url, words) = (&*id("!esc"), &*id("$m"), &*self.server.url, &*self.words);
        let (key, file, out) =
            (&*self.key, &*self.file, &*self.world.path("o\u{1b}[1m\nFORGED").display().to_string());
        let (archive, to) = (&*format!("{out}.haos"), &*format!("sqlite:{out}.db"));
        let runs: Vec<Vec<&str>> = match command {
            "import" => {
                vec![vec![file], vec!["--room", room, file], vec![NASTY], vec!["--user", NASTY, file]]
            }
            "rooms" => vec![vec![], vec!["--space", room], vec!["--limit", NASTY]],
            "timeline" => {
                vec![
                    vec![room],
                    vec![NASTY],
                    vec![room, "--around", event],
                    vec![room, "--around", NASTY],
                    vec![room, "--before", NASTY],
                ]
            }
            "show" => vec![vec![room], vec![room, event], vec![room, NASTY]],
            "login" => {
                let me = ["--homeserver", url, "--user", NASTY, "--password-file", words].to_vec();
                vec![
                    me,
                    vec!["--homeserver", NASTY, "--user", "me", "--password-file", words],
                    vec!["--password-file", NASTY],
                ]
            }
            "logout" => vec![vec![], vec!["--forget"]],
            "sync" => vec![vec!["--for", "1"], vec!["--for", NASTY]],
            "send" => vec![vec![room, NASTY], vec!["Ro", NASTY]],
            "reply" | "react" => vec![vec![room, event, NASTY], vec![room, NASTY, "x"]],
            "edit" => vec![vec![room, event, NASTY]],
            "redact" => vec![vec![room, event, "--reason", NASTY]],
            "send-file" => {
                vec![vec![room, file], vec![room, file, "--name", NASTY, "--mime", NASTY], vec![room, NASTY]]
            }
            "outbox" => vec![vec![]],
            "outbox list" => vec![vec![], vec!["--room", room], vec!["--room", NASTY]],
            "outbox retry" => vec![vec![], vec![NASTY], vec!["haos"]],
            "outbox cancel" => vec![vec![NASTY], vec!["haos"]],
            "read" => vec![vec![room], vec![room, NASTY]],
            "backfill" => vec![vec![room], vec![NASTY]],
            "join" => vec![vec![room], vec![NASTY], vec!["#a:x"]],
            "leave" => vec![vec![room], vec![NASTY]],
            "members" => vec![vec![room]],
            "devices" => vec![vec![], vec![NASTY], vec!["@nobody:x"]],
            "media" => vec![
                vec!["mxc://x/1", "--out", out],
                vec!["mxc://x/1", "--out", "/nowhere/\u{1b}[1m"],
                vec![NASTY, "--out", out],
            ],
            "doctor" => vec![vec![], vec!["--check"]],
            "compact" | "views" => vec![vec![]],
            "backup" => vec![
                vec![archive],
                vec![archive, "--base", NASTY],
                vec![archive, "--recipient", NASTY],
                vec![NASTY, "--archive-passphrase-file", words],
            ],
            "restore" => vec![vec![archive], vec!["--check", archive], vec![file], vec![NASTY]],
            "move" => vec![vec![to], vec![to, "--to-key-file", NASTY], vec![NASTY]],
            "export" => vec![
                vec![out],
                vec!["--format", "markdown", out],
                vec![out, "--room", NASTY],
                vec![out, "--sender", NASTY, "--from", NASTY],
            ],
            "seal" => vec![vec!["--new-passphrase-file", words], vec!["--new-key-file", NASTY]],
            "unseal" | "rotate" => vec![vec![], vec!["--key-file", key]],
            "rekey" => vec![vec!["--add-key", NASTY, "--new-key-file", key], vec!["--remove-key", NASTY]],
            "shred" => vec![vec![NASTY, "--yes-destroy-everything"]],
            new => panic!("{new} is new: say here how it meets what strangers wrote"),
        };
        let whole = |args: Vec<&str>| command.split(' ').chain(args).map(str::to_owned).collect();
        runs.into_iter().map(whole).collect()
    }

    /// Runs it on a copy of the store.
    fn run(&self, args: &[String], flags: &[&str], store: Option<&str>) -> Option<String> {
        let copy = tempfile::tempdir().unwrap();
        copy_store(&self.world, copy.path());
        let url =
            store.map_or_else(|| format!("sqlite:{}", copy.path().join("haos.db").display()), str::to_owned);
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
        command.args(["--store", &url]).args(flags).args(args).env_remove("HAOS_STORE").stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.code().is_some_and(|code| code <= 5), "{args:?}: {}", output.status);
        harm(&output.stdout)
            .or_else(|| harm(&output.stderr))
            .map(|harm| format!("{flags:?} {args:?}: {harm}"))
    }
}

fn copy_store(world: &World, to: &Path) {
    for name in ["haos.db", "haos.db-wal"].map(PathBuf::from) {
        if world.path(&name.display().to_string()).exists() {
            std::fs::copy(world.path(&name.display().to_string()), to.join(&name)).unwrap();
        }
    }
}

#[test]
fn no_command_lets_a_stranger_steer_the_terminal() {
    let scene = Scene::new();
    let commands = commands();
    assert!(commands.len() > 25, "{commands:?}");
    let mut harmed = Vec::new();
    for args in commands.iter().flat_map(|command| scene.runs(command)) {
        for flags in [&[][..], &["--json"]] {
            harmed.extend(scene.run(&args, flags, None));
            scene.server.refuse(true);
            harmed.extend(scene.run(&args, flags, None));
            scene.server.refuse(false);
        }
        harmed.extend(scene.run(&args, &[], Some(&format!("sqlite:/nowhere/{NASTY}.db"))));
    }
    assert!(harmed.is_empty(), "{}", harmed.join("\n\n"));
}

#[test]
fn what_was_refused_is_kept_short() {
    let scene = Scene::new();
    let rows = scene.world.json(&["outbox"]);
    let error = rows[0]["error"].as_str().unwrap();
    assert!(error.starts_with("403 M_ [31m") && error.ends_with('…') && error.len() < 100, "{error}");
    let store = rusqlite::Connection::open(scene.world.path("haos.db")).unwrap();
    let longest: i64 =
        store.query_row("SELECT max(length(payload)) FROM pending", [], |row| row.get(0)).unwrap();
    assert!(longest < 4096, "{longest} bytes are stored");
}

#[test]
fn what_is_shown_as_json_is_what_was_stored() {
    let scene = Scene::new();
    let shown = scene.world.json(&["show", &id("!esc"), &id("$m")]);
    assert_eq!(shown["content"]["body"], format!("hi {NASTY}"));
    assert_eq!((&shown["event_id"], &shown["sender"]), (&id("$m").into(), &id("@bob").into()));
}

#[test]
fn the_command_line_itself_is_shown_cleaned() {
    let help = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos"));
        let output = command.args(args).env("HAOS_STORE", NASTY).stdin(Stdio::null()).output().unwrap();
        assert_eq!((harm(&output.stdout), harm(&output.stderr)), (None, None), "{args:?}");
        output.status.code()
    };
    assert_eq!(help(&["--help"]), Some(0));
    assert_eq!(
        (help(&[NASTY]), help(&[&format!("--{NASTY}")]), help(&["help", NASTY])),
        (Some(2), Some(2), Some(2))
    );
    assert_eq!(help(&["rooms"]), Some(4));
}
