//! The command and a homeserver on the loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use common::keys::secret;
use common::shop::Shop;
use haos_stub::server::{ROOM, Server};
use serde_json::{Value, json};

/// A store that is logged in and synced once.
fn synced(server: &Server, scheme: &str, sealed: bool) -> Shop {
    let shop = Shop::empty(scheme, sealed);
    let password = secret(&shop.world, "password", "geheim");
    let login = ["login", "--homeserver", &server.url, "--user", "me", "--password-file", &password];
    assert_eq!(shop.json(&login), json!({"user": "@me:x", "device": "D", "homeserver": server.url}));
    once(&shop);
    shop
}

#[track_caller]
fn once(shop: &Shop) -> Vec<Value> {
    let run = shop.run(&["--json", "sync", "--once"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let lines = run.lines();
    assert_eq!(lines.last().unwrap()["reason"], "once", "{lines:?}");
    lines
}

fn bodies(server: &Server) -> Vec<String> {
    server.own().iter().map(|event| event["content"]["body"].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn what_was_written_offline_is_sent_once_and_in_order() {
    Shop::each(Shop::empty, |shape| {
        let server = Server::start(30);
        let (scheme, _) = shape.url.split_once(':').unwrap();
        let shop = synced(&server, scheme, false);
        let first = shop.writes(&["send", ROOM, "one", "--wait", "0"]);
        shop.writes(&["reply", ROOM, &first, "two", "--wait", "0"]);
        shop.writes(&["react", ROOM, &first, "👍", "--wait", "0"]);
        let lines = once(&shop);
        assert_eq!(
            (shop.rows(), bodies(&server)),
            (Vec::new(), vec!["one".into(), "two".into(), "-".into()])
        );
        let own = server.own();
        assert_eq!(own[1]["content"]["m.relates_to"]["m.in_reply_to"]["event_id"], own[0]["event_id"]);
        assert_eq!(own[2]["content"]["m.relates_to"]["event_id"], own[0]["event_id"]);
        let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
        assert_eq!((of("outbox_done"), of("message")), (3, 3), "{lines:?}");
        once(&shop);
        assert_eq!(server.own().len(), 3);
    });
}

#[test]
fn what_is_written_online_is_sent_at_once() {
    let server = Server::start(5);
    let shop = synced(&server, "sqlite", true);
    let sent = shop.json(&["send", "Lobby", "hello", "--wait", "60"]);
    assert_eq!((&sent["outcome"], &sent["event_id"]), (&json!("sent"), &server.own()[0]["event_id"]));
    let event = sent["event_id"].as_str().unwrap();
    // The message by its event, while its echo may be still to come.
    assert_eq!(shop.json(&["edit", "Lobby", event, "hallo", "--wait", "60"])["outcome"], "sent");
    assert_eq!(shop.json(&["redact", "Lobby", event, "--reason", "oops", "--wait", "60"])["outcome"], "sent");
    assert_eq!(bodies(&server), ["hello", "* hallo", "-"]);
    assert_eq!(server.own()[2]["content"]["reason"], "oops");
    once(&shop);
    assert_eq!(shop.json(&["read", "Lobby", "--wait", "60"])["outcome"], "sent");
}

#[test]
fn what_the_server_refuses_is_parked() {
    let server = Server::start(5);
    let shop = synced(&server, "sqlite", false);
    server.refuse_sends(true);
    let run = shop.run(&["send", "Lobby", "hello", "--wait", "60"]);
    run.fails(3, &["not sent", "M_FORBIDDEN", "haos outbox retry", "haos outbox cancel"]);
    let lines = once(&shop);
    assert_eq!(lines.last().unwrap()["parked"], 1, "it does not wait for the user");
    shop.writes(&["send", "Lobby", "behind it", "--wait", "0"]);
    assert_eq!(shop.json(&["outbox", "retry"]), json!({"retried": 1, "left": 0}));
    let lines = once(&shop);
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["parked"], &end["waiting"]),
        (&json!(1), &json!(1)),
        "refused again; nothing overtakes it"
    );
    server.refuse_sends(false);
    let row = shop.rows()[0]["txn_id"].as_str().unwrap().to_owned();
    assert_eq!(shop.json(&["outbox", "retry", &row, "--wait", "60"])["outcome"], "sent");
    once(&shop);
    assert_eq!(bodies(&server), ["hello", "behind it"]);
}

#[test]
fn messages_show_as_they_come() {
    let server = Server::start(5);
    let shop = synced(&server, "sqlite", false);
    let mut child = shop.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |part: &str| loop {
        let line = lines.next().unwrap_or_else(|| panic!("it ended without {part:?}")).unwrap();
        assert!(!line.contains("old "), "no news: {line}");
        if line.contains(part) {
            break line;
        }
    };
    until("-- live");
    server.text("and now?");
    assert!(until("and now?").starts_with("Lobby  "));
    // Another process writes, and this one sends.
    let row = shop.json(&["send", "Lobby", "from the other", "--wait", "60"]);
    assert_eq!(row["outcome"], "sent");
    until("@me:x  from the other");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn history_is_fetched_from_where_it_ended() {
    let server = Server::start(400);
    let shop = synced(&server, "sled", false);
    assert_eq!(shop.json(&["doctor"])["collections"].as_array().unwrap().len(), 6);
    let first = shop.json(&["backfill", "Lobby", "--limit", "100"]);
    let fetched = first["fetched"].as_u64().unwrap();
    assert!((100..300).contains(&fetched) && first["complete"] == false, "{first}");
    let rest = shop.json(&["backfill", "Lobby", "--all"]);
    assert_eq!((&rest["complete"], &rest["messages"]), (&json!(true), &json!(403)), "{rest}");
    assert_eq!(shop.json(&["backfill", "Lobby", "--all"])["fetched"], 0);
    let page = shop.json(&["timeline", "Lobby", "--limit", "500"]);
    let events = page["items"].as_array().unwrap();
    let ids: Vec<&str> = events.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..403).map(|n| format!("$e{n}")).collect::<Vec<_>>());
}

#[test]
fn empty_pages_are_not_the_beginning_of_history() {
    let server = Server::start(60);
    let shop = synced(&server, "sqlite", false);
    server.empty_pages(usize::MAX);
    let run = shop.run(&["--json", "backfill", "Lobby", "--all"]);
    assert_eq!(run.lines()[0]["complete"], false);
    run.fails(1, &["not finished", "the same command goes on"]);
    server.empty_pages(30);
    let done = shop.json(&["backfill", "Lobby", "--all"]);
    assert_eq!((&done["complete"], &done["messages"]), (&json!(true), &json!(63)), "{done}");
}

#[test]
fn files_go_there_and_come_back() {
    let server = Server::start(1);
    let shop = synced(&server, "sqlite", true);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = shop.world.file("a.png", &bytes);
    assert_eq!(shop.json(&["send-file", "Lobby", &file, "--wait", "60"])["outcome"], "sent");
    assert_eq!(server.own()[0]["content"]["url"], "mxc://x/1");
    let out = shop.world.path("b.png").display().to_string();
    assert_eq!(shop.json(&["media", "mxc://x/1", "--out", &out])["bytes"], bytes.len());
    assert!(std::fs::read(&out).unwrap() == bytes);
    let run = shop.command(&["media", "mxc://x/1"]).output().unwrap();
    assert!(run.stdout == bytes);
    shop.run(&["media", "nonsense", "--out", &out]).fails(3, &["mxc://server/id"]);
}

#[test]
fn rooms_and_members() {
    let server = Server::start(1);
    let shop = synced(&server, "sqlite", false);
    assert_eq!(shop.json(&["join", "#lobby:x"]), json!({"room_id": ROOM, "membership": "join"}));
    let members = shop.json(&["members", "Lobby"]);
    assert_eq!(members["members"], json!([{"membership": "join", "user": "@me:x", "name": "Me"}]));
    assert_eq!(shop.json(&["leave", "Lobby"])["membership"], "leave");
    assert_eq!(shop.json(&["logout"])["told"], true);
    shop.run(&["sync"]).fails(3, &["logged out"]);
}
