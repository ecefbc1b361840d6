//! Logins, and what happens without a homeserver.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use common::keys::{mode, secret};
use common::one_login::{OneLogin, TOKEN};
use common::shop::Shop;
use serde_json::json;

/// An address at which nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// Logs in; the homeserver is gone then. Gives what it was asked.
fn login(shop: &Shop) -> String {
    let server = OneLogin::welcome();
    let password = secret(&shop.world, "password", "geheim\n");
    let args = ["login", "--homeserver", &server.url, "--user", "me", "--password-file", &password];
    let run = shop.run(&args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("logged in as @me:x") && run.stdout.contains("DEVICE"), "{}", run.stdout);
    assert!(!run.stdout.contains(TOKEN));
    server.asked.join().unwrap()
}

#[test]
fn nobody_is_logged_in() {
    let shop = Shop::filled("sqlite", false);
    for args in [
        &["sync"][..],
        &["sync", "--once"],
        &["logout"],
        &["backfill", "!a"],
        &["join", "#a:x"],
        &["leave", "!a"],
        &["media", "mxc://x/a", "--out", "a.png"],
    ] {
        shop.run(args).fails(3, &["nobody is logged in", "haos login"]);
    }
    let members = shop.json(&["members", "!a"]);
    assert_eq!(
        (&members["complete"], &members["members"]),
        (&json!(false), &json!([])),
        "what the store knows"
    );
    assert_eq!(shop.json(&["read", "!a"])["outcome"], "queued");
    assert_eq!(shop.rows()[0]["content"]["m.fully_read"], "$removed");
    let unsent = |words: &str| {
        let told = shop.run(&["doctor"]).stdout;
        assert!(told.contains(&format!("\n{words} in the outbox, not confirmed by the server\n")), "{told}");
    };
    unsent("1 receipt");
    shop.writes(&["send", "!a", "hello"]);
    unsent("1 message, 1 receipt");
    Shop::empty("sqlite", false).run(&["sync"]).fails(4, &["there is no store at"]);
}

#[test]
fn a_homeserver_that_is_not_there() {
    let shop = Shop::empty("sqlite", false);
    let password = secret(&shop.world, "password", "geheim");
    let url = nowhere();
    let args = ["login", "--homeserver", &url, "--user", "me", "--password-file", &password];
    shop.run(&args).fails(5, &[&url, "not reached", "try again"]);
    shop.run(&["sync"]).fails(3, &["nobody is logged in"]);
}

/// The host decides, not how its name begins.
#[test]
fn whoever_can_read_along_is_told_of() {
    let shop = Shop::empty("sqlite", false);
    let password = secret(&shop.world, "password", "geheim");
    let port = nowhere().rsplit(':').next().unwrap().to_owned();
    for (host, warns) in [("127.0.0.1", false), ("127.0.0.1.invalid", true), ("localhost.invalid", true)] {
        let url = format!("http://{host}:{port}");
        let args = ["login", "--homeserver", &url, "--user", "me", "--password-file", &password];
        let run = shop.run(&args);
        assert_eq!((run.code, run.stderr.contains("is not encrypted")), (5, warns), "{url}: {}", run.stderr);
    }
}

#[test]
fn a_homeserver_that_refuses() {
    let shop = Shop::empty("sqlite", false);
    let password = secret(&shop.world, "password", "wrong");
    let server = OneLogin::start("403 Forbidden", json!({"errcode": "M_FORBIDDEN", "error": "no"}));
    let args = ["login", "--homeserver", &server.url, "--user", "me", "--password-file", &password];
    shop.run(&args).fails(3, &["refused", "M_FORBIDDEN", "password"]);
    shop.run(&["sync"]).fails(3, &["nobody is logged in"]);
}

#[test]
fn a_store_of_somebody_else() {
    let shop = Shop::filled("sqlite", false);
    let password = secret(&shop.world, "password", "geheim");
    let other = json!({"user_id": "@other:x", "device_id": "D", "access_token": TOKEN});
    let server = OneLogin::start("200 OK", other);
    let args = ["login", "--homeserver", &server.url, "--user", "other", "--password-file", &password];
    shop.run(&args).fails(4, &["@me:x", "@other:x", "--store"]);
    shop.run(&["sync"]).fails(3, &["nobody is logged in"]);
}

#[test]
fn wrong_use_of_login_makes_no_store() {
    let shop = Shop::empty("sqlite", false);
    let url = nowhere();
    shop.run(&["login", "--homeserver", &url, "--user", "me"]).fails(2, &["no terminal", "--password-file"]);
    #[cfg(unix)]
    {
        let open = secret(&shop.world, "open", "geheim");
        mode(&open, 0o644);
        let args = ["login", "--homeserver", &url, "--user", "me", "--password-file", &open];
        shop.run(&args).fails(3, &["chmod 600"]);
    }
    let words = secret(&shop.world, "words", "geheim");
    let both = ["login", "--homeserver", &url, "--token-file", &words, "--password-file", &words];
    assert_eq!(shop.run(&both).code, 2);
    assert!(!shop.world.path("chat.db").exists());
    shop.run(&["login", "--user", "me", "--password-file", &words]).fails(2, &["--homeserver"]);
    let bad = ["login", "--homeserver", "ftp://x", "--user", "me", "--password-file", &words];
    shop.run(&bad).fails(3, &["neither https nor http"]);
}

#[test]
fn no_secret_in_arguments_or_variables() {
    let shop = Shop::empty("sqlite", false);
    let help = shop.run(&["login", "--help"]).stdout;
    for option in help.split_whitespace().filter(|word| word.starts_with("--")) {
        assert!(!["--password", "--token", "--access-token"].contains(&option), "{option}");
    }
    assert!(!help.contains("HAOS_PASSWORD"), "{help}");
    for args in [&["login", "--password", "x"][..], &["login", "--token", "x"]] {
        assert_eq!(shop.run(args).code, 2, "{args:?}");
    }
}

#[test]
fn what_is_written_while_nobody_is_reached_is_queued() {
    Shop::each(Shop::filled, |shop| {
        let asked = login(shop);
        assert!(asked.contains("m.login.password") && asked.contains("geheim"), "{asked}");
        let run = shop.run(&["send", "!a", "hello"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.starts_with("queued: ") && run.stdout.contains("haos sync"), "{}", run.stdout);
        assert_eq!(shop.json(&["send", "!a", "again", "--wait", "0"])["outcome"], "queued");
        let rows = shop.rows();
        assert_eq!((rows.len(), &rows[0]["maybe_sent"]), (2, &json!(false)));

        shows(shop, &["-- connecting", "outbox  ", "-- not reached (no connection): next try at "]);
        let run = shop.run(&["--json", "sync", "--once", "--for", "1"]);
        run.fails(5, &["run the same command again"]);
        let lines = run.lines();
        assert!(lines.iter().any(|line| line["type"] == "outbox" && line["row"]["body"] == "hello"));
        let end = lines.last().unwrap();
        assert_eq!(
            (&end["type"], &end["reason"], &end["waiting"]),
            (&json!("end"), &json!("late"), &json!(2))
        );
        for args in [&["backfill", "!left"][..], &["join", "!b:x"], &["leave", "!a"], &["logout"]] {
            let run = shop.run(args);
            assert!(run.code == 5 || (args[0] == "backfill" && run.code == 0), "{args:?}: {}", run.stderr);
        }
    });
}

/// Syncs until all of these begin a line, whenever that is.
fn shows(shop: &Shop, parts: &[&str]) {
    let mut child = shop.command(&["sync"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut left = parts.to_vec();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !left.is_empty() {
        let line = lines.next().unwrap_or_else(|| panic!("it ended without {left:?}")).unwrap();
        left.retain(|part| !line.starts_with(part));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_logout_keeps_what_was_written() {
    Shop::each(Shop::filled, |shop| {
        login(shop);
        shop.writes(&["send", "!a", "hello", "--wait", "0"]);
        shop.run(&["logout"]).fails(5, &["--forget"]);
        assert_eq!(shop.json(&["logout", "--forget"])["told"], false);
        shop.run(&["sync"]).fails(3, &["@me:x is logged out", "haos login"]);
        let run = shop.run(&["send", "!a", "more"]);
        assert!(run.code == 0 && run.stdout.contains("not logged in"), "{}{}", run.stdout, run.stderr);
        // The device and the user are kept.
        let server = OneLogin::welcome();
        let password = secret(&shop.world, "password", "geheim\n");
        assert_eq!(shop.run(&["login", "--homeserver", &server.url, "--password-file", &password]).code, 0);
        let asked = server.asked.join().unwrap();
        assert!(asked.contains("\"DEVICE\"") && asked.contains("@me:x"), "{asked}");
        assert_eq!(shop.rows().len(), 2);
    });
}

#[test]
#[cfg(unix)]
fn the_session_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bits = |shop: &Shop, name: &str| {
        std::fs::metadata(shop.world.path(name)).ok().map(|about| about.permissions().mode() & 0o777)
    };
    let private = |shop: &Shop| {
        let folder = shop.url.starts_with("sled:");
        assert_eq!(bits(shop, "chat.db"), Some(if folder { 0o700 } else { 0o600 }), "{}", shop.url);
        for name in ["chat.db-wal", "chat.db-shm", "chat.db.leader"] {
            assert!(bits(shop, name).is_none_or(|bits| bits == 0o600), "{name}");
        }
    };
    Shop::each(Shop::empty, |shop| {
        login(shop);
        private(shop);
        shop.run(&["sync", "--for", "1"]);
        assert_eq!(bits(shop, "chat.db.leader"), Some(0o600));
        private(shop);
        // Somebody opened it up, and logs in again.
        let path = shop.world.path("chat.db").display().to_string();
        mode(&path, 0o755);
        mode(&shop.world.path("chat.db.leader").display().to_string(), 0o644);
        login(shop);
        private(shop);
    });
}

#[test]
fn a_sealed_store_seals_its_session() {
    for scheme in ["sqlite", "sled"] {
        for sealed in [false, true] {
            let shop = Shop::empty(scheme, sealed);
            login(&shop);
            assert_eq!(holds(&shop.world.path("chat.db"), TOKEN.as_bytes()), !sealed, "{scheme}, {sealed}");
        }
    }
}

/// Tells if a file, or any file of a folder, has these bytes.
fn holds(path: &std::path::Path, bytes: &[u8]) -> bool {
    if path.is_dir() {
        let mut entries = std::fs::read_dir(path).unwrap();
        return entries.any(|entry| holds(&entry.unwrap().path(), bytes));
    }
    std::fs::read(path).unwrap().windows(bytes.len()).any(|part| part == bytes)
}

#[test]
fn one_process_sends_and_syncs() {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "no links"))]
    let mut shop = Shop::filled("sqlite", false);
    login(&shop);
    let lock = std::fs::File::create(shop.world.path("chat.db.leader")).unwrap();
    lock.try_lock().unwrap();
    let run = shop.run(&["send", "!a", "hello", "--wait", "1"]);
    assert!(run.code == 0 && run.stdout.contains("the process that syncs"), "{}{}", run.stdout, run.stderr);
    shop.run(&["sync", "--once"]).fails(5, &["another process syncs"]);
    let run = shop.run(&["sync", "--for", "1"]);
    assert!(run.code == 0 && run.stdout.contains("another process syncs"), "{}{}", run.stdout, run.stderr);
    #[cfg(unix)]
    {
        let link = shop.world.path("link.db");
        std::os::unix::fs::symlink(shop.world.path("chat.db"), &link).unwrap();
        shop.url = format!("sqlite:{}", link.display());
        shop.run(&["sync", "--once"]).fails(5, &["another process syncs"]);
        assert!(!shop.world.path("link.db.leader").exists(), "by its link it is the same store");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_a_sync() {
    let shop = Shop::filled("sqlite", false);
    login(&shop);
    for signal in ["-INT", "-TERM"] {
        let mut child = shop.command(&["--json", "sync"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It listens from its first line on.
        let first = lines.next().unwrap().unwrap();
        assert!(first.contains("connecting"), "{first}");
        let killed = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        let last = lines.last().unwrap().unwrap();
        assert!(last.contains("interrupted"), "{last}");
        assert!(child.wait().unwrap().success());
    }
}
