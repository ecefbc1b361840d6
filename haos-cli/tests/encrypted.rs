//! Encrypted rooms from the command line, before a homeserver that is a model.
#![cfg(feature = "e2ee")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::keys::secret;
use common::shop::Shop;
use haos_stub::town::Town;

const ROOM: &str = "!room:x";

/// Somebody who has logged in, with keys on the server.
fn person(town: &Town, name: &str, sealed: bool) -> Shop {
    let shop = Shop::empty("sqlite", sealed);
    let password = secret(&shop.world, "password", "secret\n");
    succeeds(&shop, &["login", "--homeserver", &town.url, "--user", name, "--password-file", &password]);
    syncs(&shop);
    shop
}

#[track_caller]
fn succeeds(shop: &Shop, args: &[&str]) -> String {
    let run = shop.run(args);
    assert_eq!(run.code, 0, "{args:?}: {}{}", run.stdout, run.stderr);
    run.stdout
}

#[track_caller]
fn syncs(shop: &Shop) {
    succeeds(shop, &["sync", "--once"]);
}

#[test]
fn a_text_and_a_file_go_from_store_to_store_and_the_server_reads_neither() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let (ada, bob) = (person(&town, "ada", false), person(&town, "bob", true));
    // Whoever is new is told to whoever writes.
    syncs(&ada);
    succeeds(&ada, &["send", ROOM, "a word for bob", "--wait", "30"]);
    let file = ada.world.file("plan.txt", b"the plan of the house ".repeat(1000));
    succeeds(&ada, &["send-file", ROOM, &file, "--wait", "30"]);
    syncs(&ada);
    syncs(&bob);
    for reader in [&ada, &bob] {
        let timeline = succeeds(reader, &["timeline", ROOM]);
        assert!(timeline.contains("a word for bob") && timeline.contains("plan.txt"), "{timeline}");
    }
    let shown = bob.run(&["--json", "timeline", ROOM]).stdout;
    let at = shown.find("mxc://").unwrap();
    let uri = shown[at..].split('"').next().unwrap();
    let to = bob.world.path("got.txt").display().to_string();
    succeeds(&bob, &["media", uri, "--out", &to]);
    assert_eq!(std::fs::read(&to).unwrap(), std::fs::read(&file).unwrap());
    for body in town.bodies("") {
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(
            !body.contains("a word") && !body.contains("the plan") && !body.contains("plan.txt"),
            "{body}"
        );
    }
    // Whoever comes later has no key of before, and is told.
    town.join(ROOM, "cyd");
    let cyd = person(&town, "cyd", false);
    let timeline = succeeds(&cyd, &["timeline", ROOM]);
    assert!(timeline.contains("its key has not come yet"), "{timeline}");
}

#[test]
fn devices_are_listed_with_what_people_compare() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let (ada, _bob) = (person(&town, "ada", false), person(&town, "bob", false));
    syncs(&ada);
    let own = succeeds(&ada, &["devices"]);
    assert!(own.contains("* ADADEVICE") && own.contains("2 devices of @ada:x; * is this one"), "{own}");
    assert!(own.contains("OLD") && own.contains("no keys"), "{own}");
    let theirs = ada.json(&["devices", "@bob:x"]);
    let device = &theirs["devices"][0];
    assert_eq!((&theirs["user"], &device["id"]), (&"@bob:x".into(), &"BOBDEVICE".into()));
    assert_eq!(device["is_this"], false);
    assert_eq!(device["fingerprint"].as_str().unwrap().len(), 43);
    ada.run(&["devices", "bob"]).fails(3, &["bob"]);
    // Without the server, those that are known.
    town.refuse("", usize::MAX, 502, "M_UNKNOWN");
    let run = ada.run(&["devices", "@bob:x"]);
    assert!(run.stdout.contains("BOBDEVICE"), "{}{}", run.stdout, run.stderr);
    Shop::filled("sqlite", false).run(&["devices"]).fails(3, &["nobody is logged in", "haos login"]);
}
