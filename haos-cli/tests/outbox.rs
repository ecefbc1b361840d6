//! Files on their way, and the outbox as a list to act on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::shop::Shop;
use serde_json::{Value, json};

/// The bytes of media in the store.
fn media(shop: &Shop) -> u64 {
    let doctor = shop.json(&["doctor"]);
    let collections = doctor["collections"].as_array().unwrap();
    let media = collections.iter().find(|collection| collection["name"] == "media").unwrap();
    media["bytes"].as_u64().unwrap()
}

#[test]
fn a_file_is_stored_whole_and_goes_after_its_thumbnail() {
    const SIZE: usize = (5 << 19) + 7;
    Shop::each(Shop::filled, |shop| {
        let bytes: Vec<u8> = (0..SIZE).map(|n| (n * 31 % 251) as u8).collect();
        let (file, thumb) = (shop.world.file("Photo.PNG", &bytes), shop.world.file("small.jpg", [7; 999]));
        let txn = shop.writes(&["send-file", "!a", &file, "--thumbnail", &thumb, "--name", "cat.png"]);
        let rows = shop.rows();
        let kinds: Vec<&Value> = rows.iter().map(|row| &row["kind"]).collect();
        assert_eq!(kinds, ["haos.upload", "haos.upload", "m.room.message"]);
        assert_eq!(rows[1]["parent"], rows[0]["txn_id"], "the thumbnail first");
        assert_eq!((&rows[2]["parent"], &rows[2]["txn_id"]), (&rows[1]["txn_id"], &json!(txn)));
        let content = &rows[2]["content"];
        assert_eq!((&content["msgtype"], &content["body"]), (&json!("m.image"), &json!("cat.png")));
        assert_eq!(
            (&content["info"]["size"], &content["info"]["mimetype"]),
            (&json!(SIZE), &json!("image/png"))
        );
        assert_eq!(content["info"]["thumbnail_info"], json!({"size": 999, "mimetype": "image/jpeg"}));
        assert_eq!(content["url"], format!("haos-local:{}", rows[1]["txn_id"].as_str().unwrap()));
        assert!(media(shop) >= (SIZE + 999) as u64);

        let shown = shop.json(&["timeline", "!a"]);
        assert_eq!(shown["outbox"].as_array().unwrap().len(), 1, "uploads are no messages");
        shop.run(&["edit", "!a", &txn, "x"]).fails(3, &["only texts"]);
        // The upload's id means its message.
        let reply = shop.writes(&["reply", "!a", rows[0]["txn_id"].as_str().unwrap(), "see?"]);
        assert_eq!(shop.rows()[3]["parent"], json!(txn));
        shop.json(&["outbox", "cancel", &reply]);
        assert_eq!(shop.json(&["outbox", "cancel", &txn])["outcome"], "cancelled");
        assert_eq!((shop.rows(), media(shop)), (Vec::new(), 0), "its uploads and its bytes are gone");
    });
}

#[test]
fn media_types_are_given_or_read_from_the_name() {
    let shop = Shop::filled("sqlite", false);
    let file = shop.world.file("notes", "");
    let sent =
        |args: &[&str]| shop.json(&[&["send-file", "!a", &file], args].concat())["row"]["content"].clone();
    let content = sent(&[]);
    assert_eq!((&content["msgtype"], &content["info"]), (&json!("m.file"), &json!({"size": 0})));
    assert_eq!(sent(&["--mime", "audio/ogg"])["msgtype"], "m.audio");
    assert_eq!(shop.run(&["send-file", "!a", &file, "--mime", "nonsense"]).code, 2);
}

#[test]
fn what_is_no_file_is_refused() {
    Shop::each(Shop::filled, |shop| {
        let file = shop.world.file("a.txt", "x");
        let folder = shop.world.path("").display().to_string();
        let before = shop.revision();
        shop.run(&["send-file", "!a", &folder]).fails(3, &["is no file"]);
        shop.run(&["send-file", "!a", "/nowhere/x"]).fails(3, &["/nowhere/x", "cannot be read"]);
        shop.run(&["send-file", "!a", &file, "--thumbnail", "/nowhere/y"]).fails(3, &["/nowhere/y"]);
        shop.run(&["send-file", "!a", &file, "--name", " "]).fails(3, &["--name"]);
        shop.run(&["send-file", "!left", &file]).fails(3, &["haos join"]);
        assert_eq!(shop.revision(), before, "no byte was stored");
    });
}

#[test]
fn rows_are_listed_retried_and_cancelled() {
    Shop::each(Shop::filled, |shop| {
        assert!(shop.run(&["outbox"]).stdout.contains("the outbox is empty"));
        let first = shop.writes(&["send", "!a", "first"]);
        let reply = shop.writes(&["reply", "!a", &first, "second"]);
        let left = shop.writes(&["send", "!left", "third", "--anyway"]);
        let run = shop.run(&["outbox", "list"]);
        for part in ["Lobby (!a)\n", "!left\n", "[waiting]  first", "[waiting for another]  second", "3 rows"]
        {
            assert!(run.stdout.contains(part), "no {part:?} in {}", run.stdout);
        }
        let room = shop.json(&["outbox", "list", "--room", "!left"]);
        assert_eq!((room.as_array().unwrap().len(), &room[0]["txn_id"]), (1, &json!(left)));

        let run = shop.run(&["outbox", "cancel", &first]);
        assert!(run.code == 0 && run.stdout.contains("Nobody saw it"), "{}{}", run.stdout, run.stderr);
        shop.run(&["outbox", "cancel", &first]).fails(3, &["haos outbox"]);
        // The answer's message is gone: the user decides.
        let run = shop.run(&["outbox"]);
        assert!(run.stdout.contains("[parked: what it is about was not sent]  second"), "{}", run.stdout);
        let run = shop.run(&["timeline", "!a"]);
        assert!(run.stdout.contains("[parked: what it is about was not sent]  second"), "{}", run.stdout);

        // No retry brings it back.
        shop.run(&["outbox", "retry", &reply])
            .fails(3, &["what it is about was not sent", "haos outbox cancel"]);
        assert_eq!(shop.json(&["outbox", "retry"]), json!({"retried": 0, "left": 1}));
        let run = shop.run(&["outbox", "retry", "--all"]);
        assert!(run.code == 0 && run.stdout.contains("1 row left for you to decide"), "{}", run.stdout);
        assert_eq!(shop.json(&["outbox", "retry", &left])["outcome"], "retried");
        shop.run(&["outbox", "cancel", "haos"]).fails(3, &["more than one"]);
        assert_eq!(shop.run(&["outbox", "retry", &reply, "--all"]).code, 2);
        for txn in [format!("~{left}"), reply] {
            assert_eq!(shop.json(&["outbox", "cancel", &txn])["outcome"], "cancelled");
        }
        assert!(shop.rows().is_empty());
    });
}
