//! A homeserver for one request. The tests of the demo read this file, too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::json;

/// The token of the login.
pub(crate) const TOKEN: &str = "syt_a_token_that_nobody_may_see";

/// A homeserver that answers one login, keeps what it was asked, and is gone.
pub(crate) struct OneLogin {
    pub(crate) url: String,
    pub(crate) asked: JoinHandle<String>,
}

impl OneLogin {
    pub(crate) fn start(status: &'static str, answer: serde_json::Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            drop(listener);
            answer_one(stream, status, &answer.to_string())
        });
        Self { url, asked }
    }

    /// It lets everybody in, as `@me:x`.
    pub(crate) fn welcome() -> Self {
        let welcome = json!({"user_id": "@me:x", "device_id": "DEVICE", "access_token": TOKEN});
        Self::start("200 OK", welcome)
    }
}

fn answer_one(mut stream: TcpStream, status: &str, body: &str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut asked, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        asked.push_str(&line);
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    asked.push_str(&String::from_utf8(content).unwrap());
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    asked
}
