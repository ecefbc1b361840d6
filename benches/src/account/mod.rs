//! The captured account: a homeserver that gives it, who logs in there, and what a store has of it.

mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use haos_matrix::{MatrixSession, Tokens};
use haos_store_api::{Page, RoomQuery, StorageAdapter, UserId};
use serde::Deserialize;

pub use server::Server;

/// The one whose account it is.
pub const USER: &str = "@hist:localhost";
/// The token that a request must bring.
pub const TOKEN: &str = "token-of-the-bench";

/// Returns the path of a capture of the account.
pub fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix/big").join(name)
}

/// Makes the login at a server.
///
/// # Panics
/// Never: the user's id is one.
pub fn session(server: &str) -> MatrixSession {
    MatrixSession {
        homeserver: server.to_owned(),
        user: UserId::new(USER).unwrap(),
        device: "bench".to_owned(),
        tokens: Some(Tokens { access: TOKEN.to_owned(), refresh: None, expires_at_ms: None }),
    }
}

/// Counts the events in the timelines of all rooms.
///
/// # Panics
/// When the store fails.
pub async fn count(store: &dyn StorageAdapter) -> u64 {
    let mut sum = 0;
    for room in store.rooms(RoomQuery::default()).await.unwrap() {
        let mut page = Page::newest(1000);
        loop {
            let slice = store.timeline(&room.id, page).await.unwrap();
            sum += slice.messages().count() as u64;
            let Some(older) = slice.older().filter(|_| slice.more) else { break };
            page = Page::older_than(older, 1000);
        }
    }
    sum
}

/// Runs a contender's process to its end, and reads its last line, which is JSON.
///
/// # Panics
/// When it fails, or says something else.
pub fn run<T: for<'de> Deserialize<'de>>(command: &mut Command) -> T {
    let out = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(out.status.success(), "{command:?}: {}", out.status);
    let said = String::from_utf8(out.stdout).unwrap();
    serde_json::from_str(said.lines().next_back().unwrap_or_default())
        .unwrap_or_else(|e| panic!("{command:?} said {said:?}: {e}"))
}
