//! The demo: its own checks are the test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

#[path = "../../../haos-cli/tests/common/harm.rs"]
mod harm;
#[path = "../../../haos-cli/tests/common/one_login.rs"]
#[allow(dead_code, reason = "here it lets nobody in")]
mod one_login;
#[path = "../../../haos-cli/tests/common/run.rs"]
mod run;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use harm::{NASTY, harm};
use one_login::OneLogin;
use run::Run;
use serde_json::json;

/// A folder to work in.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The demo in this folder. It must not find a store that `haos` would use.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haos-demo"));
        let store = format!("sqlite:{}", self.path("haos.db").display());
        command.args(args).current_dir(self.0.path()).env("HAOS_STORE", store).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        self.command(args).output().unwrap().into()
    }
}

#[test]
fn it_passes() {
    let world = World::new();
    let folder = world.path("demo");
    let run = world.run(&["--dir", folder.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("PASS\n"), "{}", run.stdout);
    for part in [
        "killed process",
        "whole responses only",
        "20,399 events of the history",
        "111 gaps",
        "kills survived",
        "7. Offline",
        "20 things acknowledged in 4 rooms",
        "blocked: the edit of “Bring coats.”",
        "nothing lost: 17 messages with 2 uploads",
        "of 17 messages on the server",
        "the outbox is empty",
        "17 messages: every one there, once",
        "“Milk, eggs, flour”, taken back: never arrived",
        "212,000 bytes, uploaded once",
        "no gap; outbox empty",
        "“Bring coats and hats.” (edited)",
        "17 messages written offline and delivered once, in order",
    ] {
        assert!(run.stdout.contains(part), "no {part} in {}", run.stdout);
    }
    for name in ["chat.db", "outbox.db"] {
        assert!(folder.join(name).is_file(), "a named folder is kept, with its {name}");
    }
    assert!(!world.path("haos.db").exists(), "its store is its own");
    world.run(&["--dir", folder.to_str().unwrap()]).fails(3, &["not empty"]);
}

#[test]
fn its_figures() {
    let run = World::new().run(&["--json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines = run.lines();
    let [figures] = &lines[..] else { panic!("one document: {}", run.stdout) };
    assert_eq!(figures["pass"], true);
    assert_eq!(figures["events"], 22_603);
    assert_eq!(figures["rooms"], 52);
    assert_eq!(figures["gaps"], 111);
    assert!(figures["kills"].as_u64().unwrap() >= 2, "{figures}");
    let outbox = &figures["outbox"];
    assert_eq!(outbox["written"], 20);
    assert_eq!(outbox["delivered"], 17);
    assert_eq!(outbox["media_bytes"], 212_000);
    let count = |name: &str| outbox[name].as_u64().unwrap();
    assert!(count("kills") >= 3 && count("offline_attempts") > 0, "{figures}");
    for fault in ["lost", "answers_lost", "proxy_errors", "rate_limited", "slow"] {
        assert!(count(fault) > 0, "{fault} never fired: {figures}");
    }
}

#[test]
fn its_processes_are_no_command() {
    let help = World::new().run(&["--help"]);
    let has = |part| help.stdout.contains(part);
    assert!(has("--homeserver") && !has("Commands:") && !has("[COMMAND]"), "{}", help.stdout);
    let haos = World::new().run(&["haos", "--help"]);
    assert!(haos.stdout.contains("Usage: haos [OPTIONS] <COMMAND>"), "{}", haos.stdout);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = World::new().command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn no_word_of_a_stranger_steers_the_terminal() {
    let (url, folder) = ("http://127.0.0.1:1", "/proc/\u{1b}[1m\nFORGED");
    let mut harmed = Vec::new();
    for args in [
        &["--dir", folder][..],
        &["--homeserver", url, "--user", NASTY, "--password-file", NASTY],
        &["--homeserver", NASTY, "--register"],
        &[NASTY],
        &["part", "write", "--folder", NASTY],
        &["part", NASTY],
    ] {
        for flags in [&[][..], &["--json"]] {
            let output = World::new().command(&[args, flags].concat()).output().unwrap();
            assert!(
                output.status.code().is_some_and(|code| (1..=5).contains(&code)),
                "{args:?}: {}",
                output.status
            );
            let harm = harm(&output.stdout).or_else(|| harm(&output.stderr));
            harmed.extend(harm.map(|harm| format!("{flags:?} {args:?}: {harm}")));
        }
    }
    assert!(harmed.is_empty(), "{}", harmed.join("\n\n"));
}

#[test]
fn a_homeserver_needs_somebody_who_sends() {
    let world = World::new();
    let run = |args: &[&str]| world.run(args);
    let url = "http://127.0.0.1:1";
    for args in [
        &["--homeserver", url][..],
        &["--register"],
        &["--keep-rooms"],
        &["--homeserver", url, "--password-file", "x", "--register"],
        &["--homeserver", url, "--user", "me", "--register"],
        &["--homeserver", url, "--user", "me"],
    ] {
        run(args).fails(2, &["--"]);
    }
    run(&["--homeserver", "ftp://x", "--register"]).fails(3, &["neither https nor http"]);
    run(&["--homeserver", "https://127.0.0.1:1", "--register"]).fails(3, &["without TLS", "--password-file"]);
    let missing = world.path("missing").display().to_string();
    run(&["--homeserver", url, "--user", "me", "--password-file", &missing]).fails(3, &["cannot be read"]);
}

#[test]
fn whoever_is_not_let_in_is_told_and_can_try_again() {
    let world = World::new();
    // Nobody else can read it.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "geheim").unwrap();
    let password = file.path().display().to_string();
    let folder = world.path("demo").display().to_string();
    let run = |url: &str, who: &[&str]| {
        let run = world.run(&[&["--dir", &folder, "--homeserver", url], who].concat());
        assert!(!run.stdout.contains("1. First sync"), "told first: {}", run.stdout);
        run
    };
    let me = ["--user", "me", "--password-file", &password];
    let forbidden = || OneLogin::start("403 Forbidden", json!({"errcode": "M_FORBIDDEN", "error": "no"}));

    let server = forbidden();
    run(&server.url, &me).fails(3, &[&server.url, "403 M_FORBIDDEN", "check the user, the password"]);
    server.asked.join().unwrap();
    run(&server.url, &me).fails(5, &[&server.url, "was not reached", "try again"]);
    run(&server.url, &["--register"]).fails(5, &[&server.url, "was not reached", "try again"]);

    let server = forbidden();
    run(&server.url, &["--register"]).fails(3, &["lets nobody register (403 M_FORBIDDEN)", "--user NAME"]);
    assert!(server.asked.join().unwrap().starts_with("POST /_matrix/client/v3/register "));
    let mail = json!({"flows": [{"stages": ["m.login.email.identity"]}], "session": "s"});
    let server = OneLogin::start("401 Unauthorized", mail);
    run(&server.url, &["--register"]).fails(3, &["wants m.login.email.identity", "--user NAME"]);
    server.asked.join().unwrap();
}
