//! The road to a real homeserver on the loopback, where requests and answers get lost.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use haos_cli::parts::Result;
use haos_sim::{Fate, Fates, LoopbackFaults, LoopbackFired};

use super::super::server::no_port;
use super::address::Address;

/// The longest head of a request.
const HEAD: usize = 64 << 10;
/// A connection on which nothing moves for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How the server begins when it asks for a pause.
const TOO_MANY: &[u8] = b"HTTP/1.1 429";
const BAD_GATEWAY: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Forwards each request on a connection of its own, or not. It ends when it is dropped; what is on its way
/// then still arrives.
pub(super) struct Relay {
    inner: Arc<Inner>,
    address: SocketAddr,
}

struct Inner {
    target: Address,
    fates: Mutex<Fates>,
    closed: AtomicBool,
}

impl Relay {
    pub(super) fn start(target: Address, faults: LoopbackFaults) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| no_port(&e))?;
        let address = listener.local_addr().map_err(|e| no_port(&e))?;
        // Pauses are the server's own to ask for.
        let fates = Mutex::new(Fates::new(LoopbackFaults { limited: 0, ..faults }));
        let closed = AtomicBool::new(false);
        let inner = Arc::new(Inner { target, fates, closed });
        let serving = inner.clone();
        let accept = move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                if serving.closed.load(Ordering::Acquire) {
                    return;
                }
                let inner = serving.clone();
                // Without a thread the connection is closed, which is a fault like any other.
                drop(std::thread::Builder::new().spawn(move || inner.relay(stream)));
            }
        };
        std::thread::Builder::new().spawn(accept).map_err(|e| no_port(&e))?;
        Ok(Self { inner, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Counts the fates of requests.
    pub(super) fn fired(&self) -> LoopbackFired {
        self.inner.fates.lock().unwrap_or_else(PoisonError::into_inner).fired
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.inner.closed.store(true, Ordering::Release);
        // Wakes the thread that accepts; once that is gone, nothing is to be woken.
        drop(TcpStream::connect(self.address));
    }
}

impl Inner {
    /// Relays a request; any other failure is one more fault of the network.
    fn relay(&self, mut client: TcpStream) {
        let _ = self.forward(&mut client);
        // Whoever else still reads from it must not keep it open.
        let _ = client.shutdown(Shutdown::Both);
    }

    fn forward(&self, client: &mut TcpStream) -> Option<()> {
        client.set_read_timeout(Some(TIMEOUT)).ok()?;
        let asked = head(client, &self.target.authority)?;
        let (fate, wait) = match is_spared(&asked) {
            true => (Fate::Served, Duration::ZERO),
            false => self.fates.lock().unwrap_or_else(PoisonError::into_inner).next(),
        };
        // A request under way when its sender is killed may arrive much later.
        std::thread::sleep(wait);
        if fate == Fate::Lost {
            return None;
        }
        let mut server = TcpStream::connect((&*self.target.host, self.target.port)).ok()?;
        server.set_read_timeout(Some(TIMEOUT)).ok()?;
        server.write_all(&asked).ok()?;
        let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
        // The rest of the request. Whoever asked may be killed: then nobody waits any more.
        let rest = std::thread::Builder::new().spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        rest.ok()?;
        let mut piece = [0; 4096];
        // It answers, so it has done what was asked.
        let read = server.read(&mut piece).ok().filter(|read| *read > 0)?;
        match fate {
            Fate::Served => {
                if piece.starts_with(TOO_MANY) {
                    self.fates.lock().unwrap_or_else(PoisonError::into_inner).fired.limited += 1;
                }
                client.write_all(&piece[..read]).ok()?;
                io::copy(&mut server, client).ok().map(drop)
            }
            Fate::Proxy { .. } => client.write_all(BAD_GATEWAY).ok(),
            Fate::Lost | Fate::AnswerLost | Fate::Limited { .. } => None,
        }
    }
}

/// Tells if a request meets no fault: an upload is asked for again only after a while, for which no demo waits.
fn is_spared(asked: &[u8]) -> bool {
    let line = asked.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.starts_with(b"GET ") && line.windows(10).any(|bytes| bytes == b"/download/")
}

/// The head of a request with whatever of its body came along: for this server, and the only one on its
/// connection.
fn head(client: &mut impl Read, authority: &str) -> Option<Vec<u8>> {
    let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
    let end = loop {
        let read = client.read(&mut piece).ok().filter(|read| *read > 0)?;
        asked.extend_from_slice(&piece[..read]);
        if let Some(at) = asked.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        if asked.len() > HEAD {
            return None;
        }
    };
    let lines = std::str::from_utf8(&asked[..end]).ok()?.split("\r\n");
    let is_ours = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        !name.eq_ignore_ascii_case("host") && !name.eq_ignore_ascii_case("connection")
    };
    let mut head = lines.filter(is_ours).collect::<Vec<_>>().join("\r\n");
    head.push_str(&format!("\r\nHost: {authority}\r\nConnection: close\r\n\r\n"));
    let mut whole = head.into_bytes();
    whole.extend_from_slice(&asked[end + 4..]);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_only_one_of_its_connection() {
        let mut asked =
            &b"PUT /x HTTP/1.1\r\nhost: a:1\r\nA: b\r\nconnection: keep-alive\r\n\r\nbody\r\n\r\n"[..];
        let head = head(&mut asked, "localhost:8008").unwrap();
        let expected =
            "PUT /x HTTP/1.1\r\nA: b\r\nHost: localhost:8008\r\nConnection: close\r\n\r\nbody\r\n\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), expected);
        assert!(super::head(&mut &b"PUT /x HTTP/1.1\r\nA"[..], "x").is_none(), "cut off");
    }

    #[test]
    fn only_the_question_for_a_file_is_spared() {
        assert!(is_spared(b"GET /_matrix/client/v1/media/download/x/y HTTP/1.1\r\nA: b"));
        assert!(!is_spared(b"PUT /_matrix/media/v3/upload/x/y HTTP/1.1\r\nA: /download/"));
    }

    /// A server that answers one request a connection with `yes`, and how many of them it saw.
    fn server() -> (Address, Arc<Mutex<u32>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(0));
        let counts = seen.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(io::Result::ok) {
                if head(&mut stream, "x").is_some() {
                    *counts.lock().unwrap() += 1;
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes").unwrap();
                }
            }
        });
        (Address::of(&url).unwrap(), seen)
    }

    /// The answer to a request over a road on which all of them meet these faults.
    fn asked(faults: LoopbackFaults) -> (String, u32) {
        let (target, seen) = server();
        let relay = Relay::start(target, faults).unwrap();
        let mut stream = TcpStream::connect(relay.address()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        // A connection that breaks has no answer.
        let _ = stream.read_to_end(&mut answer);
        let seen = *seen.lock().unwrap();
        (String::from_utf8(answer).unwrap(), seen)
    }

    #[test]
    fn every_fault_is_what_it_says() {
        let none = LoopbackFaults::default();
        let (answer, seen) = asked(none);
        assert!(answer.ends_with("yes") && seen == 1, "{answer} {seen}");
        assert_eq!(asked(LoopbackFaults { lost: 1000, ..none }), (String::new(), 0));
        assert_eq!(asked(LoopbackFaults { answer_lost: 1000, ..none }), (String::new(), 1));
        let (answer, seen) = asked(LoopbackFaults { proxy: 1000, ..none });
        assert!(answer.starts_with("HTTP/1.1 502") && seen == 1, "{answer} {seen}");
    }
}
