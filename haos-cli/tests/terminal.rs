//! Passphrases typed at a terminal.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

mod common;

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use common::World;
use common::keys::{is_refused, plain, reads, sealed, secret};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// A text to wait for on the terminal, and the answer to type then.
struct Line(&'static str, &'static str);

/// Runs the command at a terminal; gives its exit code and all that the terminal showed.
fn typed(world: &World, args: &[&str], lines: &[Line]) -> (i32, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(name).unwrap();
    let mut command = world.command(args);
    command.stdin(Stdio::from(slave.try_clone().unwrap())).stderr(Stdio::from(slave.try_clone().unwrap()));
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    drop(command);
    let mut terminal = File::from(master);
    let mut shown = String::new();
    let mut seen = 0;
    for Line(question, answer) in lines {
        while !shown[seen..].contains(question) {
            let mut bytes = [0; 256];
            let n = terminal.read(&mut bytes).unwrap();
            shown.push_str(&String::from_utf8_lossy(&bytes[..n]));
        }
        seen = shown.len();
        // Input from before the terminal stops to show it is thrown away.
        let hidden = || !tcgetattr(&slave).unwrap().local_modes.contains(LocalModes::ECHO);
        while !question.contains("[y/N]") && !question.contains("User") && !hidden() {
            std::thread::yield_now();
        }
        terminal.write_all(answer.as_bytes()).unwrap();
        terminal.write_all(b"\n").unwrap();
    }
    let code = child.wait().unwrap().code().unwrap();
    drop(slave);
    let mut bytes = Vec::new();
    // It ends with an error once nobody has the other end.
    let _ = terminal.read_to_end(&mut bytes);
    shown.push_str(&String::from_utf8_lossy(&bytes));
    (code, shown)
}

#[test]
fn a_sealed_store_asks_for_its_passphrase() {
    let (world, _) = sealed();
    let (code, shown) = typed(&world, &["rooms"], &[Line("Passphrase of sqlite:", "red green blue")]);
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("green"), "{shown}");
    let again = [Line("haos.db: ", "red"), Line("That is not it. Passphrase of ", "red green blue")];
    assert_eq!(typed(&world, &["rooms"], &again).0, 0);
}

#[test]
fn three_wrong_passphrases_are_enough() {
    let (world, _) = sealed();
    let wrong = ["red", "green", "blue"].map(|word| Line("haos.db: ", word));
    let (code, shown) = typed(&world, &["rooms"], &wrong);
    assert_eq!(code, 4, "{shown}");
    assert!(shown.contains("what was typed: ") && shown.contains("does not open the store"), "{shown}");
    let (code, shown) = typed(&world, &["rooms"], &[Line("haos.db: ", "")]);
    assert_eq!(code, 3, "{shown}");
}

#[test]
fn a_given_secret_that_is_wrong_is_not_asked_for() {
    let (world, _) = sealed();
    let wrong = secret(&world, "wrong", "red");
    let (code, shown) = typed(&world, &["--passphrase-file", &wrong, "rooms"], &[]);
    assert_eq!(code, 4, "{shown}");
}

#[test]
fn sealed_rekeyed_and_unsealed() {
    let world = plain();
    let differ = [Line("New passphrase: ", "red"), Line("Once more: ", "rde")];
    let (code, shown) = typed(&world, &["seal"], &differ);
    assert!(code == 3 && shown.contains("the two differ"), "{shown}");
    reads(&world, &[]);
    let twice = [Line("New passphrase: ", "red"), Line("Once more: ", "red")];
    let (code, shown) = typed(&world, &["seal"], &twice);
    assert_eq!(code, 0, "{shown}");
    is_refused(&world, &[]);
    let (red, blue) = (secret(&world, "red", "red"), secret(&world, "blue", "blue"));
    reads(&world, &["--passphrase-file", &red]);

    let change = [Line("haos.db: ", "red"), Line("New passphrase: ", "blue"), Line("Once more: ", "blue")];
    let (code, shown) = typed(&world, &["rekey"], &change);
    assert_eq!(code, 0, "{shown}");
    is_refused(&world, &["--passphrase-file", &red]);
    reads(&world, &["--passphrase-file", &blue]);

    let (code, shown) = typed(&world, &["unseal"], &[Line("haos.db: ", "blue"), Line("[y/N]", "n")]);
    assert!(code == 3 && shown.contains("not confirmed"), "{shown}");
    is_refused(&world, &[]);
    let (code, shown) = typed(&world, &["unseal"], &[Line("haos.db: ", "blue"), Line("[y/N]", "y")]);
    assert_eq!(code, 0, "{shown}");
    reads(&world, &[]);
}

#[test]
fn a_password_is_typed_and_does_not_show() {
    let world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let lines = [Line("User: ", "me"), Line("Password of me on http://127.0.0.1:", "geheim")];
    let (code, shown) = typed(&world, &["login", "--homeserver", &url], &lines);
    assert_eq!(code, 5, "{shown}");
    assert!(shown.contains("not reached") && !shown.contains("geheim"), "{shown}");
    let (code, shown) =
        typed(&world, &["login", "--homeserver", &url, "--user", "me"], &[Line("Password of", "")]);
    assert!(code == 3 && shown.contains("no password was typed"), "{shown}");
}

/// Questions, and the line at the bottom, have words of others in them.
#[test]
fn no_question_steers_the_terminal() {
    let world = World::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let me = "me\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\n";
    let asked = [Line("Password of me]0;t2J", "geheim")];
    let (code, shown) = typed(&world, &["login", "--homeserver", &url, "--user", me], &asked);
    assert_eq!(code, 5, "{shown:?}");
    let steers = |c: char| c.is_control() && !"\r\n".contains(c) || c == '\u{202e}';
    assert!(!shown.contains(steers), "{shown:?}");
}
