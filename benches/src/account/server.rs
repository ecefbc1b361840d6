//! A homeserver on the loopback that has one account to give, as it was captured.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{TOKEN, USER};

/// The longest wait of a sync for news, in milliseconds; none come.
const POLL_MS: u64 = 30_000;
/// A request's body is a filter, or little more.
const MAX_BODY: u64 = 1 << 20;

/// Answers in HTTP/1.1, a thread a connection, never compressed: for benches, not for a network.
///
/// It has no end of its own: its threads wait for the process to end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    account: Arc<Account>,
}

#[derive(Debug)]
struct Account {
    sync: Vec<u8>,
    next: String,
    /// Older events, by room and the token that they are asked for with.
    pages: HashMap<(String, String), Box<RawValue>>,
    /// Of each room its newest member event of each user.
    members: BTreeMap<String, Vec<Value>>,
    unknown: Mutex<BTreeSet<String>>,
}

/// A captured page of older events.
#[derive(Deserialize)]
struct OlderPage {
    room_id: String,
    from: String,
    response: Box<RawValue>,
}

struct HttpRequest {
    method: String,
    path: String,
    query: String,
    authorized: bool,
    close: bool,
}

impl Server {
    /// Serves the sync answer in this file, which is compressed, and no older events.
    ///
    /// # Errors
    /// Those of the file, and of the port.
    pub fn start(sync: &Path) -> io::Result<Self> {
        Self::serving(sync, HashMap::new())
    }

    /// Serves the sync answer, and from another file the pages of older events that it left out.
    ///
    /// # Errors
    /// Those of the files, and of the port.
    pub fn with_older(sync: &Path, pages: &Path) -> io::Result<Self> {
        let pages = zstd::decode_all(std::fs::File::open(pages)?)?;
        let pages = serde_json::Deserializer::from_slice(&pages).into_iter::<OlderPage>();
        let pages = pages.map(|page| page.map(|page| ((page.room_id, page.from), page.response)));
        Self::serving(sync, pages.collect::<serde_json::Result<_>>()?)
    }

    fn serving(sync: &Path, pages: HashMap<(String, String), Box<RawValue>>) -> io::Result<Self> {
        let sync = zstd::decode_all(std::fs::File::open(sync)?)?;
        let read: Value = serde_json::from_slice(&sync)?;
        let next = read["next_batch"].as_str().unwrap_or_default().to_owned();
        let members = members(&read);
        let account = Account { sync, next, pages, members, unknown: Mutex::default() };
        let account = Arc::new(account);
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let serving = account.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let account = serving.clone();
                // A connection that breaks is its client's affair.
                thread::spawn(move || drop(account.serve(stream)));
            }
        });
        Ok(Self { address, account })
    }

    /// Its url, as a client wants it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that are not served here: a client may have done without, or have tried again and again.
    ///
    /// # Panics
    /// When a request has panicked.
    pub fn unknown(&self) -> Vec<String> {
        self.account.unknown.lock().unwrap().iter().cloned().collect()
    }
}

fn members(sync: &Value) -> BTreeMap<String, Vec<Value>> {
    let rooms = sync["rooms"]["join"].as_object().into_iter().flatten();
    let rooms = rooms.map(|(id, room)| {
        let events = ["state", "timeline"].into_iter().flat_map(|part| room[part]["events"].as_array());
        let members = events.flatten().filter(|event| event["type"] == "m.room.member");
        let newest: BTreeMap<_, _> =
            members.map(|event| (event["state_key"].as_str(), event.clone())).collect();
        (id.clone(), newest.into_values().collect())
    });
    rooms.collect()
}

impl Account {
    /// Answers until the connection ends.
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut out = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        while let Some(request) = read(&mut lines)? {
            let (status, body) = if request.authorized || open_to_all(&request.path) {
                self.answer(&request)
            } else {
                refused(401, "M_MISSING_TOKEN")
            };
            let bytes = body.as_ref().map_or(self.sync.as_slice(), String::as_bytes);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                bytes.len()
            );
            out.write_all(head.as_bytes())?;
            out.write_all(bytes)?;
            if request.close {
                break;
            }
        }
        Ok(())
    }

    /// Status and body; without a body it is the captured sync.
    fn answer(&self, request: &HttpRequest) -> (&'static str, Option<String>) {
        let method = request.method.as_str();
        let parts: Vec<_> = request.path.trim_matches('/').split('/').collect();
        // `_matrix/client/v3/…`, `…/unstable/name/…`: the version says nothing here.
        let parts = match parts.as_slice() {
            ["_matrix", "client", "versions"] => &["versions"],
            ["_matrix", "client", "unstable", _, rest @ ..] | ["_matrix", "client", _, rest @ ..] => rest,
            whole => whole,
        };
        let answer = match (method, parts) {
            ("GET", ["sync"]) => return self.sync(&request.query),
            ("GET", ["versions"]) => {
                let versions: Vec<_> = (1..=15).map(|minor| format!("v1.{minor}")).collect();
                json!({ "versions": versions, "unstable_features": {} })
            }
            ("GET", ["capabilities"]) => json!({ "capabilities": {
                "m.room_versions": { "default": "10", "available": { "10": "stable" } },
            } }),
            ("GET", ["pushrules", ..]) => json!({ "global": {
                "override": [], "content": [], "room": [], "sender": [], "underride": [],
            } }),
            ("POST", ["user", _, "filter"]) => json!({ "filter_id": "1" }),
            ("GET", ["account", "whoami"]) => {
                json!({ "user_id": USER, "device_id": "BENCH", "is_guest": false })
            }
            ("GET", ["media", "config"]) | ("GET", ["_matrix", "media", _, "config"]) => {
                json!({ "m.upload.size": 50 << 20 })
            }
            ("GET", ["rooms", room, "members"]) => {
                json!({ "chunk": self.members.get(&decoded(room)).cloned().unwrap_or_default() })
            }
            ("GET", ["rooms", room, "messages"]) => {
                let from = parameter(&request.query, "from").map(decoded).unwrap_or_default();
                match self.pages.get(&(decoded(room), from)) {
                    Some(page) => return ("200 OK", Some(page.get().to_owned())),
                    None => json!({ "chunk": [], "start": "beginning" }),
                }
            }
            ("POST", ["keys", "upload"]) => json!({ "one_time_key_counts": {} }),
            ("POST", ["keys", "query"]) => json!({ "device_keys": {}, "failures": {} }),
            ("GET", ["devices"]) => json!({ "devices": [] }),
            ("GET", ["voip", "turnServer"] | ["profile", _] | ["thirdparty", "protocols"])
            | ("GET", ["user", _, "filter", _])
            | ("PUT", ["presence", _, "status"]) => json!({}),
            // A server may have no delegated authentication, no calls, no key backup, and says so like this.
            ("GET", ["auth_metadata"] | ["rtc", "transports"]) => return refused(404, "M_UNRECOGNIZED"),
            ("GET", ["room_keys", "version"]) => return refused(404, "M_NOT_FOUND"),
            _ => {
                self.unknown.lock().unwrap().insert(format!("{method} {}", request.path));
                return refused(404, "M_UNRECOGNIZED");
            }
        };
        ("200 OK", Some(answer.to_string()))
    }

    fn sync(&self, query: &str) -> (&'static str, Option<String>) {
        if parameter(query, "since").is_none() {
            return ("200 OK", None);
        }
        let wait_ms = parameter(query, "timeout").and_then(|ms| ms.parse().ok()).unwrap_or(0);
        thread::sleep(Duration::from_millis(POLL_MS.min(wait_ms)));
        ("200 OK", Some(json!({ "next_batch": self.next }).to_string()))
    }
}

fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn open_to_all(path: &str) -> bool {
    path == "/_matrix/client/versions" || path.starts_with("/.well-known/")
}

fn refused(status: u16, code: &str) -> (&'static str, Option<String>) {
    let status = if status == 401 { "401 Unauthorized" } else { "404 Not Found" };
    (status, Some(json!({ "errcode": code, "error": "not here" }).to_string()))
}

/// The next request, its body read and let go; none if the connection has ended.
fn read(lines: &mut BufReader<TcpStream>) -> io::Result<Option<HttpRequest>> {
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut request = HttpRequest { method, path, query, authorized: false, close: false };
    let mut length = 0;
    loop {
        line.clear();
        lines.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => request.authorized = value.strip_prefix("Bearer ") == Some(TOKEN),
            "connection" => request.close = value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    io::copy(&mut lines.take(MAX_BODY.min(length)), &mut io::sink())?;
    Ok(Some(request))
}

/// A part of a path as it was before percent-encoding.
fn decoded(part: &str) -> String {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.extend(code);
        bytes.extend_from_slice(piece.get(2..).unwrap_or_default().as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
