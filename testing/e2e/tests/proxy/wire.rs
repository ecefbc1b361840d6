use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The bytes that came back until the connection closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Status line and headers; empty if nothing came.
    pub(crate) head: String,
    /// The body as on the wire: chunks are not joined.
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn nothing(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Tells if `line` is among the headers.
    pub(crate) fn has(&self, line: &str) -> bool {
        self.head.lines().any(|header| header.eq_ignore_ascii_case(line))
    }
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.unwrap()
}

/// Looks again and again until it is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    soon(async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// The head of a request whose body has `length` bytes.
pub(crate) fn head(method: &str, target: &str, length: usize, more: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nhost: there\r\ncontent-length: {length}\r\n{more}\r\n")
}

/// One request on a connection that is to close behind it.
pub(crate) async fn ask(address: SocketAddr, method: &str, target: &str, body: &[u8]) -> Heard {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head(method, target, body.len(), "connection: close\r\n");
    let (mut input, mut output) = stream.split();
    let writing = async {
        // It fails if the proxy closes before it has read all.
        let _ = output.write_all(&[head.as_bytes(), body].concat()).await;
    };
    let (heard, ()) = soon(async { tokio::join!(hear(&mut input), writing) }).await;
    heard
}

/// Reads until the connection closes, in whatever way.
pub(crate) async fn hear(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Heard {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        bytes.extend_from_slice(&chunk[..length]);
    }
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let body = end.map_or_else(Vec::new, |end| bytes.split_off(end + 4));
    Heard { head: String::from_utf8(bytes).unwrap(), body }
}

/// Reads until `text` has come; what came with it.
pub(crate) async fn hear_until(stream: &mut (impl tokio::io::AsyncRead + Unpin), text: &str) -> String {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 1 << 12]);
    soon(async {
        while !bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            let length = stream.read(&mut chunk).await.unwrap();
            assert_ne!(length, 0, "closed after {:?}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&chunk[..length]);
        }
    })
    .await;
    String::from_utf8(bytes).unwrap()
}
