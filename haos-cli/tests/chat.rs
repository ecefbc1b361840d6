//! Messages without a network: they are queued, shown, changed and taken back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::io::Write as _;
use std::process::Stdio;

use common::Run;
use common::shop::Shop;
use serde_json::{Value, json};

/// Runs it with an input.
fn with_input(shop: &Shop, args: &[&str], input: &[u8]) -> Run {
    let mut command = shop.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

fn contents(rows: &[Value]) -> Vec<&Value> {
    rows.iter().map(|row| &row["content"]).collect()
}

#[test]
fn everything_is_queued_in_order() {
    Shop::each(Shop::filled, |shop| {
        let run = shop.run(&["send", "Lobby", "hello", "world"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stdout.starts_with("queued: haos") && run.stdout.contains("haos login"),
            "{}",
            run.stdout
        );
        shop.writes(&["reply", "!a", "$theirs", "yes"]);
        shop.writes(&["edit", "!a", "$mine", "better"]);
        shop.writes(&["react", "!a", "$theirs", "👍"]);
        let last = shop.json(&["redact", "!a", "$picture", "--reason", "blurred"]);
        assert_eq!((&last["outcome"], &last["row"]["status"]), (&json!("queued"), &json!("waiting")));

        let rows = shop.rows();
        let of = |rel: &str, event: &str| json!({"rel_type": rel, "event_id": event});
        let expected = [
            json!({"msgtype": "m.text", "body": "hello world", "m.mentions": {}}),
            json!({"msgtype": "m.text", "body": "yes", "m.mentions": {"user_ids": ["@u:x"]},
                   "m.relates_to": {"m.in_reply_to": {"event_id": "$theirs"}}}),
            json!({"msgtype": "m.text", "body": "* better", "m.mentions": {},
                   "m.relates_to": of("m.replace", "$mine"),
                   "m.new_content": {"msgtype": "m.text", "body": "better", "m.mentions": {}}}),
            json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": "$theirs", "key": "👍"}}),
            json!({"reason": "blurred"}),
        ];
        assert_eq!(contents(&rows), expected.iter().collect::<Vec<_>>());
        let targets: Vec<&Value> = rows.iter().map(|row| &row["target"]).collect();
        assert_eq!(
            targets,
            [&Value::Null, &json!("$theirs"), &json!("$mine"), &json!("$theirs"), &json!("$picture")]
        );
        assert_eq!(rows[2]["body"], "better");
        assert_eq!(rows[4]["kind"], "m.room.redaction");
    });
}

#[test]
fn the_timeline_ends_with_what_is_not_sent() {
    Shop::each(Shop::filled, |shop| {
        let txn = shop.writes(&["send", "!a", "line one\nline two"]);
        shop.writes(&["react", "!a", &format!("~{txn}"), "🎉"]);
        let run = shop.run(&["timeline", "!a"]);
        let lines: Vec<&str> = run.stdout.lines().rev().take(3).collect();
        assert!(lines[0].contains(&format!("[waiting for another]  (🎉 to ~{txn})")), "{}", run.stdout);
        assert!(lines[1].ends_with(&format!("    line two  {txn}")), "{}", run.stdout);
        assert!(lines[2].contains("[waiting]  line one"), "{}", run.stdout);
        let page = shop.json(&["timeline", "!a"]);
        assert_eq!(page["outbox"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&page["outbox"][0]["txn_id"], &page["outbox"][0]["status"]),
            (&json!(txn), &json!("waiting"))
        );
        let older = shop.json(&["timeline", "!a", "--oldest", "--limit", "1"]);
        assert_eq!(older["outbox"], json!([]), "they stand at the end");
        assert_eq!(shop.json(&["timeline", "!left"])["outbox"], json!([]), "in their room");
    });
}

#[test]
fn what_is_not_sent_changes_in_place() {
    Shop::each(Shop::filled, |shop| {
        let text = shop.writes(&["send", "!a", "helo"]);
        let reply = shop.writes(&["reply", "!a", &text, "yse"]);
        let changed = shop.json(&["edit", "!a", &text, "hello"]);
        assert_eq!((&changed["outcome"], &changed["txn_id"]), (&json!("changed"), &json!(text)));
        shop.writes(&["edit", "!a", &format!("~{reply}"), "yes"]);
        let rows = shop.rows();
        assert_eq!(rows[0]["content"], json!({"msgtype": "m.text", "body": "hello", "m.mentions": {}}));
        let to = json!({"m.in_reply_to": {"event_id": format!("~{text}")}});
        let yes = json!({"msgtype": "m.text", "body": "yes", "m.mentions": {}, "m.relates_to": to});
        assert_eq!(rows[1]["content"], yes);
        assert_eq!((rows[1]["parent"].as_str(), rows.len()), (Some(text.as_str()), 2));

        let reaction = shop.writes(&["react", "!a", &text[..12], "👍"]);
        shop.run(&["edit", "!a", &reaction, "x"]).fails(3, &["reaction"]);
        let gone = shop.json(&["redact", "!a", &text]);
        assert_eq!(
            (&gone["outcome"], &gone["maybe_sent"], &gone["row"]),
            (&json!("cancelled"), &json!(false), &Value::Null)
        );
        let rows = shop.rows();
        assert_eq!(rows.len(), 1, "the reaction went with it");
        assert_eq!((&rows[0]["status"], &rows[0]["reason"]), (&json!("parked"), &json!("parentfailed")));
        shop.run(&["edit", "!a", &text, "again"]).fails(3, &[&text, "haos timeline"]);
    });
}

#[test]
fn what_the_server_would_refuse_is_refused_here() {
    Shop::each(Shop::filled, |shop| {
        let before = shop.revision();
        for (args, has) in [
            (&["send", "nowhere", "x"][..], "haos rooms"),
            (&["send", "!left", "x"], "haos join !left"),
            (&["send", "!a", " "], "empty"),
            (&["react", "!a", "$theirs", ""], "emoji"),
            (&["reply", "!a", "$nothing", "x"], "$nothing"),
            (&["react", "!left", "$theirs", "x"], "haos join"),
            (&["edit", "!a", "$theirs", "x"], "by @u:x, and you are @me:x"),
            (&["edit", "!a", "$picture", "x"], "only texts"),
            (&["edit", "!a", "$edit", "x"], "edit of $mine"),
            (&["edit", "!a", "$name", "x"], "m.room.name"),
            (&["edit", "!a", "$removed", "x"], "was removed"),
            (&["redact", "!a", "$removed"], "was removed"),
            (&["outbox", "cancel", "haosnone"], "haos outbox"),
            (&["outbox", "retry", "haosnone"], "haos outbox"),
        ] {
            // A message outside the room's timeline may be unknown instead.
            let run = shop.run(args);
            match args {
                [_, _, "$name", _] if run.stderr.contains("no message") => {}
                _ => run.fails(3, &[has]),
            }
        }
        assert_eq!(shop.revision(), before, "nothing was written");
        assert_eq!(shop.json(&["send", "!left", "x", "--anyway"])["outcome"], "queued");
        assert_eq!(shop.json(&["reply", "!a", "$unheard", "x", "--anyway"])["outcome"], "queued");
        assert_eq!(shop.json(&["edit", "!a", "$theirs", "x", "--anyway"])["outcome"], "queued");
    });
}

#[test]
fn texts_from_the_input() {
    let shop = Shop::filled("sqlite", false);
    let run = with_input(&shop, &["send", "!a", "-"], "zwei\nZeilen ✓\n\n".as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(shop.rows()[0]["body"], "zwei\nZeilen ✓");
    let run = with_input(&shop, &["reply", "!a", "$theirs", "-"], b"ok\r\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(shop.rows()[1]["body"], "ok");
    assert_eq!(shop.run(&["send", "!a", "--", "-5", "degrees"]).code, 0);
    assert_eq!(shop.rows()[2]["body"], "-5 degrees");
}

#[test]
fn what_no_server_takes_is_not_stored() {
    Shop::each(Shop::filled, |shop| {
        let before = shop.revision();
        // A lone surrogate, as it would stand in bytes; and half a character.
        for bytes in [&b"a \xed\xa0\x80 b"[..], b"\xc3"] {
            with_input(shop, &["send", "!a", "-"], bytes).fails(3, &["not UTF-8"]);
        }
        with_input(shop, &["send", "!a", "-"], &[b'x'; 60_001]).fails(3, &["60000", "nothing was stored"]);
        with_input(shop, &["send", "!a", "-"], &vec![b'x'; 2 << 20]).fails(3, &["haos send-file"]);
        with_input(shop, &["send", "!a", "-"], b"\n").fails(3, &["empty"]);
        let text = shop.writes(&["send", "!a", "short"]);
        with_input(shop, &["edit", "!a", &text, "-"], &[b'x'; 60_001]).fails(3, &["nothing was stored"]);
        assert_eq!(shop.rows()[0]["body"], "short");
        assert_eq!(shop.revision(), before + 1, "one message");
    });
}

#[test]
#[cfg(unix)]
fn an_argument_that_is_no_text_is_wrong_use() {
    use std::os::unix::ffi::OsStrExt as _;
    let shop = Shop::filled("sqlite", false);
    let surrogate = std::ffi::OsStr::from_bytes(b"\xed\xa0\x80");
    let run = Run::from(shop.command(&["send", "!a"]).arg(surrogate).output().unwrap());
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(shop.rows(), Vec::<Value>::new());
}
