//! An encrypted Matrix client that shares no code with ours but matrix-sdk-crypto, as a process: matrix-sdk over its own
//! store, SQLite. `testing/e2e/tests/encrypted` talks with it where `HAOS_PEER` names it.
//!
//! It speaks as `js/test/peer.mjs` does. Its first line in is a plan: `homeserver`, `user`, `password`, `device_name`,
//! `store` (an empty folder), `poll_ms`. It logs in as a new device, syncs, and says
//! `{"ready":{"user":…,"device":…,"resumed":false}}`, or `{"failed":"…"}` and ends. Each later line in is a [`Command`]
//! with a number; it is answered, once it is done and before the next one, by a line with this number:
//! `{"id":7,"done":{…}}` or `{"id":7,"error":"…"}`. It ends when its input does.
#![recursion_limit = "256"]

mod client;
mod command;
mod files;
mod read;
mod rooms;

use std::error::Error;
use std::io::Write as _;
use std::process::exit;

use serde::Deserialize as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

use crate::client::{Peer, Plan};
use crate::command::Command;

/// What is done, or why it is not.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut lines = BufReader::new(stdin()).lines();
    let Ok(Some(plan)) = lines.next_line().await else { return };
    let peer = match login(&plan).await {
        Ok(peer) => peer,
        Err(e) => {
            say(&json!({ "failed": e.to_string() }));
            exit(1);
        }
    };
    say(&json!({ "ready": peer.ready() }));
    while let Ok(Some(line)) = lines.next_line().await {
        let (id, answer) = match numbered(&line) {
            Ok((id, Ok(Command::Stop))) => {
                say(&json!({ "id": id, "done": {} }));
                break;
            }
            Ok((id, Ok(command))) => (id, peer.obey(command).await),
            Ok((id, Err(e))) => (id, Err(e)),
            Err(e) => (Value::Null, Err(e)),
        };
        say(&match answer {
            Ok(done) => json!({ "id": id, "done": done }),
            Err(e) => json!({ "id": id, "error": e.to_string() }),
        });
    }
    // The thread that reads the input would be waited for.
    exit(0);
}

async fn login(plan: &str) -> Result<Peer> {
    Peer::login(serde_json::from_str::<Plan>(plan)?).await
}

/// The number of a line, and its command, if there is such a one.
fn numbered(line: &str) -> Result<(Value, Result<Command>)> {
    let line: Value = serde_json::from_str(line)?;
    Ok((line["id"].clone(), Command::deserialize(&line).map_err(|e| format!("{e}: {line}").into())))
}

/// One write a line. A reader that is gone will close the input, too.
fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}
