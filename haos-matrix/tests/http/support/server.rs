use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Method and target, such as `GET /x?y`.
    pub(crate) line: String,
    /// Header names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The access token it carried.
    pub(crate) fn token(&self) -> Option<&str> {
        self.headers.get("authorization").map(|value| value.strip_prefix("Bearer ").unwrap())
    }
}

/// The server's reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Answers.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// Answers this number of bytes less than it says.
    Truncate { body: Vec<u8>, by: usize },
    /// Closes the connection, having read the request.
    Close,
    /// Writes these bytes, headers and all, and closes.
    Raw(Vec<u8>),
    /// Begins an answer of this status, and adds a byte every few milliseconds until the other side goes away.
    Drip(u16),
    /// Says nothing until the other side goes away.
    Hang,
    /// Begins an answer, and then says nothing until the other side goes away.
    HangInBody(Vec<u8>),
}

pub(crate) fn json(body: &str) -> Reaction {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Reaction::Answer { status: 200, headers, body: body.into() }
}

pub(crate) fn refused(status: u16, body: &str) -> Reaction {
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Reaction::Answer { status, headers, body: body.into() }
}

pub(crate) fn html(status: u16) -> Reaction {
    let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned())];
    Reaction::Answer { status, headers, body: b"<html><body>Welcome to the airport</body></html>".to_vec() }
}

type Script = dyn Fn(&Seen) -> Reaction + Send + Sync;

/// A server on the loopback interface, until it is dropped.
pub(crate) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn new(script: impl Fn(&Seen) -> Reaction + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<Seen>>>::default());
        let (script, log): (Arc<Script>, _) = (Arc::new(script), seen.clone());
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, script.clone(), log.clone()));
            }
        });
        Self { port, seen, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Methods and targets, in the order in which the requests came.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// The only request.
    pub(crate) fn only(&self) -> Seen {
        let mut seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One request a connection.
async fn serve(mut stream: TcpStream, script: Arc<Script>, log: Arc<Mutex<Vec<Seen>>>) {
    let Some(seen) = read(&mut stream).await else { return };
    log.lock().unwrap().push(seen.clone());
    // A client that is gone by now got what it wanted.
    let _ = react(&mut stream, script(&seen)).await;
}

async fn react(stream: &mut TcpStream, reaction: Reaction) -> std::io::Result<()> {
    let (body, claimed, hangs) = match reaction {
        Reaction::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            if !matches!(status, 204 | 304) {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(b"\r\n").await?;
            stream.write_all(&body).await?;
            return stream.shutdown().await;
        }
        Reaction::Close => return Ok(()),
        Reaction::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            return stream.shutdown().await;
        }
        Reaction::Drip(status) => {
            let head =
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n{{");
            stream.write_all(head.as_bytes()).await?;
            let mut ticks = tokio::time::interval(std::time::Duration::from_millis(5));
            loop {
                ticks.tick().await;
                stream.write_all(b" ").await?;
            }
        }
        Reaction::Truncate { body, by } => (body[..body.len() - by].to_vec(), body.len(), false),
        Reaction::HangInBody(body) => (body.clone(), body.len() + 1000, true),
        Reaction::Hang => (Vec::new(), 0, true),
    };
    if claimed > 0 {
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {claimed}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
    }
    if hangs {
        // Until the other side closes.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await?;
    }
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break bytes.drain(..end + 4).collect::<Vec<u8>>();
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    };
    let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
    assert!(!headers.contains_key("transfer-encoding"), "a body without its length: {head}");
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { line, headers, body: bytes })
}
