//! Sealed stores: made, read, refused; their keys changed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use common::keys::{HEX, is_refused, mode, plain, reads, sealed, secret, shows, store_files};
use common::syncs;

#[test]
fn import_makes_a_sealed_store() {
    let (world, words) = sealed();
    assert!(!shows(&world));
    reads(&world, &["--passphrase-file", &words]);
    let more = world.file("b.jsonl", syncs(4));
    assert_eq!(world.json(&["--passphrase-file", &words, "import", &more])["events"], 1);
    for args in [&["rooms"][..], &["timeline", "!a"], &["show", "!a"], &["doctor"], &["compact"]] {
        world.run(args).fails(4, &["is sealed", "--passphrase-file FILE", "--key-file FILE"]);
        assert_eq!(world.run(&[&["--passphrase-file", &words], args].concat()).code, 0, "{args:?}");
    }
    world.run(&["import", &more]).fails(4, &["is sealed"]);
}

#[test]
fn doctor_says_whether_it_is_sealed() {
    let (world, words) = sealed();
    let doctor = world.json(&["--passphrase-file", &words, "doctor", "--check"]);
    assert_eq!((doctor["sealed"].as_bool(), doctor["check"]["healthy"].as_bool()), (Some(true), Some(true)));
    let text = world.run(&["--passphrase-file", &words, "doctor"]).stdout;
    assert!(text.contains("sealed       yes"), "{text}");
    let world = plain();
    assert_eq!(world.json(&["doctor"])["sealed"], false);
    assert!(world.run(&["doctor"]).stdout.contains("sealed       no"));
}

#[test]
fn what_does_not_open_it_changes_nothing() {
    let (world, _) = sealed();
    let wrong = secret(&world, "wrong", "red green");
    let key = secret(&world, "key", [9; 32]);
    let more = world.file("b.jsonl", syncs(4));
    let before = store_files(&world);
    for flags in [["--passphrase-file", &wrong], ["--key-file", &key]] {
        is_refused(&world, &flags);
        for args in
            [&["import", &more][..], &["rekey", "--remove-passphrase"], &["rotate"], &["unseal", "--yes"]]
        {
            world.run(&[&flags, args].concat()).fails(4, &["does not open the store"]);
        }
    }
    is_refused(&world, &[]);
    assert_eq!(store_files(&world), before);
}

#[test]
fn a_keyring_that_was_restored_asks_for_nothing() {
    let (world, words) = sealed();
    let open = ["--passphrase-file", &words];
    // The copy stands beside the store with what is unsent.
    assert_eq!(world.run(&[&open[..], &["send", "!a", "unsent"]].concat()).code, 0);
    let store = rusqlite::Connection::open(world.path("haos.db")).unwrap();
    let mut keyring: Vec<u8> = store.query_row("SELECT payload FROM keyring", (), |row| row.get(0)).unwrap();
    let middle = keyring.len() / 2;
    keyring[middle] ^= 1;
    store.execute("UPDATE keyring SET payload = ?1", [keyring]).unwrap();
    drop(store);
    let run = world.run(&[&open[..], &["doctor", "--check"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("restored from the copy") && run.stderr.contains("nothing is missing"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("again"), "{}", run.stderr);
    reads(&world, &open);
}

#[test]
fn a_plain_store_needs_no_secret() {
    let world = plain();
    let words = secret(&world, "words", "red");
    let before = store_files(&world);
    world.run(&["--passphrase-file", &words, "rooms"]).fails(4, &["is plain", "haos seal sqlite:"]);
    for args in [&["rotate"][..], &["rekey", "--remove-passphrase"], &["unseal", "--yes"]] {
        world.run(args).fails(4, &["is plain"]);
    }
    let destroy = ["shred", &world.url(), "--yes-destroy-everything"];
    world.run(&destroy).fails(4, &["is plain"]);
    assert_eq!(store_files(&world), before);
    reads(&world, &[]);
}

#[test]
fn keys_come_and_go() {
    let (world, old) = sealed();
    let new = secret(&world, "new", "cyan");
    let key = secret(&world, "key", HEX);
    let run = world.run(&["--passphrase-file", &old, "rekey", "--new-passphrase-file", &new]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    is_refused(&world, &["--passphrase-file", &old]);
    reads(&world, &["--passphrase-file", &new]);

    let add = ["--passphrase-file", &new, "rekey", "--add-key", "phone", "--new-key-file", &key];
    assert_eq!(world.run(&add).code, 0);
    reads(&world, &["--key-file", &key]);
    let last = ["--key-file", &key, "rekey", "--remove-passphrase"];
    assert_eq!(world.run(&last).code, 0);
    is_refused(&world, &["--passphrase-file", &new]);
    world.run(&["--key-file", &key, "rekey", "--remove-key", "phone"]).fails(4, &["nobody could open"]);
    world.run(&["--key-file", &key, "rekey", "--remove-key", "tablet"]).fails(4, &["nothing was changed"]);
    reads(&world, &["--key-file", &key]);

    // Both in one run: in with the new, out with the old.
    let swap = ["--key-file", &key, "rekey", "--new-passphrase-file", &old, "--remove-key", "phone"];
    assert_eq!(world.json(&swap)["changes"].as_array().unwrap().len(), 2);
    is_refused(&world, &["--key-file", &key]);
    reads(&world, &["--passphrase-file", &old]);
    for args in [&["rekey", "--add-key", "x"][..], &["rekey", "--new-key-file", &key]] {
        assert_eq!(world.run(args).code, 2, "{args:?}");
    }
    world.run(&["--passphrase-file", &old, "rekey"]).fails(2, &["no terminal", "--new-passphrase-file"]);
}

#[test]
fn rotated() {
    let (world, words) = sealed();
    let open = ["--passphrase-file", words.as_str()];
    let rows = world.json(&[&open[..], &["rotate"]].concat())["rows"].as_u64().unwrap();
    assert!(rows >= 4, "{rows}");
    reads(&world, &open);
    assert!(world.run(&[&open[..], &["rotate", &world.url()]].concat()).stdout.contains("new data key"));
    assert_eq!(world.run(&[&open[..], &["doctor", "--check"]].concat()).code, 0);
}

#[test]
fn shredded() {
    let (world, words) = sealed();
    let url = world.url();
    assert_eq!(world.run(&["--passphrase-file", &words, "shred", &url]).code, 2);
    assert_eq!(world.run(&["--passphrase-file", &words, "shred", "--yes-destroy-everything"]).code, 2);
    world.run(&["shred", &url, "--yes-destroy-everything"]).fails(4, &["is sealed"]);
    reads(&world, &["--passphrase-file", &words]);
    let shred = ["--passphrase-file", &words, "shred", &url, "--yes-destroy-everything"];
    assert_eq!(world.json(&shred)["shredded"], true);
    world.run(&["--passphrase-file", &words, "rooms"]).fails(4, &["shredded"]);
}

#[test]
fn copies_that_were_set_aside_are_named_and_shredded_along() {
    let world = plain();
    let (words, new) = (secret(&world, "words", "red"), secret(&world, "new", "cyan"));
    let damage = || {
        let mut bytes = std::fs::read(world.path("haos.db")).unwrap();
        bytes[..60].fill(0xaa);
        std::fs::write(world.path("haos.db"), bytes).unwrap();
    };
    let copies =
        ["haos.db.damaged-1", "haos.db.damaged-2"].map(|name| world.path(name).display().to_string());
    damage();
    assert_eq!(world.run(&["rooms"]).code, 0);
    let run = world.run(&["seal", "--new-passphrase-file", &words]);
    assert!(run.code == 0 && run.stdout.contains(&copies[0]), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("is not sealed by this"), "{}", run.stdout);
    damage();
    let run = world.run(&["--passphrase-file", &words, "rekey", "--new-passphrase-file", &new]);
    assert!(run.code == 0 && run.stdout.contains("opens with what opened it before"), "{}", run.stdout);
    assert!(copies.iter().all(|copy| run.stdout.contains(copy)), "{}", run.stdout);
    let run = world.run(&["--passphrase-file", &new, "shred", &world.url(), "--yes-destroy-everything"]);
    assert!(run.code == 0 && copies.iter().all(|copy| run.stdout.contains(copy)), "{}", run.stdout);
    assert!(copies.iter().all(|copy| !std::path::Path::new(copy).exists()));
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let (world, words) = sealed();
    let key = secret(&world, "key", HEX);
    for bad in [0o644, 0o640, 0o604] {
        mode(&words, bad);
        mode(&key, bad);
        for flags in [["--passphrase-file", &words], ["--key-file", &key]] {
            world.run(&[&flags[..], &["rooms"]].concat()).fails(3, &["chmod 600", flags[1]]);
        }
    }
    let world = plain();
    world.run(&["seal", "--new-passphrase-file", &words]).fails(3, &["chmod 600"]);
    mode(&words, 0o600);
    assert_eq!(world.run(&["seal", "--new-passphrase-file", &words]).code, 0);
}

#[test]
fn files_that_hold_no_secret() {
    let (world, _) = sealed();
    let (empty, short) = (secret(&world, "empty", "\n"), secret(&world, "short", "abcd"));
    world.run(&["--passphrase-file", &empty, "rooms"]).fails(3, &[&empty, "first line is empty"]);
    world.run(&["--key-file", &short, "rooms"]).fails(3, &[&short, "32 bytes or 64 hex digits"]);
    world.run(&["--key-file", "nowhere", "rooms"]).fails(3, &["nowhere: cannot be read"]);
    assert_eq!(world.run(&["--key-file", &short, "--passphrase-file", &empty, "rooms"]).code, 2);
}

#[test]
fn no_option_takes_a_secret_itself() {
    let (world, _) = sealed();
    for option in ["--passphrase", "--key", "--new-passphrase"] {
        assert_eq!(world.run(&[option, "red green blue", "rooms"]).code, 2, "{option}");
    }
    let help = world.run(&["rekey", "--help"]).stdout;
    assert!(help.contains("--passphrase-file <FILE>") && help.contains("--key-file <FILE>"), "{help}");
    assert!(!help.contains("PASSPHRASE") && !help.contains("[env: HAOS_P"), "{help}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_secret_does_not_show_in_the_process() {
    use std::io::{BufRead as _, BufReader};
    let (world, words) = sealed();
    let file = world.file("b.jsonl", syncs(3000));
    let mut command = world.command(&["--passphrase-file", &words, "--json", "import", &file]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    for part in ["cmdline", "environ", "comm"] {
        let bytes = std::fs::read(format!("/proc/{}/{part}", child.id())).unwrap();
        assert!(!bytes.is_empty() && !bytes.windows(5).any(|part| part == b"green"), "{part}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
