//! Any bytes as a homeserver's answer, status, headers and body, through a real connection: an answer is read or
//! refused, its content is applied or refused, and the memory is bounded.

use std::cell::OnceCell;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use flate2::{Compression, write::GzEncoder};
use haos_matrix::*;
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Outbox, OutboxOptions, TokioHost, Transport as _, apply_sync};
use haos_store_api::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::sync_json::{START, alice, lobby};

/// The number of kinds of request, told apart by the first byte of an input.
pub const KINDS: u8 = 9;
const STATUSES: [&str; 10] = ["200", "200", "200", "201", "204", "302", "401", "403", "429", "500"];
const LIMITS: AnswerLimits =
    AnswerLimits { entries: 2000, event_bytes: 64 << 10, unreadable: 20, unreadable_bytes: 64 << 10 };

/// The first byte chooses the request, the second the status, the third the headers; the rest is the body.
pub fn run(data: &[u8]) {
    let [kind, status, headers, body @ ..] = data else { return };
    WORLD.with(|world| world.get_or_init(World::new).ask(*kind % KINDS, &answer(*status, *headers, body)));
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// Encodes the answer for the wire.
fn answer(status: u8, headers: u8, body: &[u8]) -> Vec<u8> {
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\n", STATUSES[usize::from(status) % STATUSES.len()]);
    let body = if headers & 1 != 0 { gzip(body) } else { body.to_vec() };
    for (bit, line) in [
        (1, "Content-Encoding: gzip\r\n"),
        (2, "Content-Encoding: gzip\r\n"),
        (4, "Content-Type: text/html\r\n"),
        (8, "Content-Disposition: attachment\r\n"),
        (16, "Retry-After: 99999999999999999999\r\n"),
        (32, "Location: /elsewhere\r\n"),
    ] {
        head.push_str(if headers & bit != 0 { line } else { "" });
    }
    match headers >> 6 {
        0 => head.push_str(&format!("Content-Length: {}\r\n", body.len())),
        1 => head.push_str(&format!("Content-Length: {}\r\n", body.len() + 7)),
        // Until the connection ends.
        _ => {}
    }
    [head.as_bytes(), b"\r\n", &body].concat()
}

/// Compresses every byte repeated many times, so that a little is much.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = body.iter().take(2048).try_for_each(|byte| match byte {
        b' ' => encoder.write_all(&[b' '; 4096]),
        byte => encoder.write_all(&[*byte]),
    });
    written.and_then(|()| encoder.finish()).expect("it is written to memory")
}

struct World {
    runtime: Runtime,
    /// The server's answer to all requests except the question for its versions.
    answer: Arc<Mutex<Vec<u8>>>,
    home: Arc<Homeserver>,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let answer = Arc::<Mutex<Vec<u8>>>::default();
        let (answers, host) = (answer.clone(), Arc::new(TokioHost));
        let home = runtime.block_on(async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            let homeserver = format!("http://{}", listener.local_addr().expect("an address"));
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let answer = answers.lock().expect("no panic").clone();
                    // The client may be gone.
                    tokio::spawn(async move { drop(serve(stream, &answer).await) });
                }
            });
            let tokens = Some(Tokens { access: "a".to_owned(), refresh: None, expires_at_ms: None });
            let user = alice().user.expect("a user");
            let session = MatrixSession { homeserver, user, device: "D".to_owned(), tokens };
            let store = Arc::new(MemoryStore::new());
            session.save(&*store).await.expect("a session");
            let options = HttpOptions {
                request_ms: 2000,
                sync_grace_ms: 2000,
                first_sync_ms: 2000,
                stall_ms: 2000,
                doubt_ms: 0,
                max_body_bytes: 4 << 20,
                max_media_bytes: 1 << 20,
                ..HttpOptions::default()
            };
            Homeserver::resume(session, store, host, options).expect("a homeserver")
        });
        Self { runtime, answer, home: Arc::new(home) }
    }

    fn ask(&self, kind: u8, answer: &[u8]) {
        *self.answer.lock().expect("no panic") = answer.to_vec();
        self.runtime.block_on(self.asked(kind));
    }

    async fn asked(&self, kind: u8) {
        let (store, home) = (Arc::new(MemoryStore::new()), &self.home);
        let account = Account { limits: LIMITS, ..alice() };
        match kind {
            0 => {
                let Ok(body) = home.sync(&SyncRequest::default()).await else { return };
                let Ok(delta) = parse_sync(&body, &account) else { return };
                apply(&store, delta).await;
            }
            1 => {
                let Ok(body) = home.sliding_sync(None, 0, &Json::empty()).await else { return };
                let Ok(sliding) = parse_sliding(&body, &account) else { return };
                apply(&store, sliding.delta).await;
            }
            2..=4 => self.engine(&store, kind).await,
            5 => {
                let credentials = Credentials::Token("t".to_owned());
                drop(home.login(&Login { credentials, device: None, device_name: None }).await);
            }
            6 => {
                let beneath: Arc<dyn StorageAdapter> = store.clone();
                let kept = Kept::new(beneath, Arc::new(TokioHost), PressureOptions::default());
                let media = MediaCache::new(home.clone(), Arc::new(kept));
                let uri = MediaUri::new("mxc://x/a").expect("a media uri");
                let got = media.get(&MediaRequest::new(uri)).await;
                let stored = store.media_index(MediaQuery::default()).await.expect("the media");
                assert_eq!(stored.len(), usize::from(got.is_ok()), "nothing partial stays");
            }
            7 => {
                let (kind, content) = (EventType::new("m.x").expect("a type"), Json::empty());
                let txn = TxnId::new("t").expect("a transaction id");
                drop(home.send(&Pending::new(txn, lobby(), kind, content, 0)).await);
            }
            _ => drop(home.whoami().await),
        }
    }

    /// Asks for pages, an event's context and members, as the engine does.
    async fn engine(&self, store: &Arc<MemoryStore>, kind: u8) {
        let mut start = parse_sync(START, &alice()).expect("an answer");
        if kind == 3 {
            start.rooms[0].prev = None;
        }
        apply(store, start).await;
        let outbox =
            Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(MatrixProtocol), OutboxOptions::default());
        let user = alice().user.expect("a user");
        let options = SyncOptions { limits: LIMITS, ..SyncOptions::default() };
        let engine = Engine::new(self.home.clone(), outbox.expect("an outbox"), user, options);
        if kind == 4 {
            engine.members(&lobby()).await.expect("the store's members");
        } else if let Some(gap) = store.gaps(&lobby()).await.expect("gaps").first() {
            drop(engine.fill(&lobby(), gap).await);
        }
    }
}

async fn apply(store: &Arc<MemoryStore>, mut delta: haos_queue::SyncDelta) {
    KeepLimits::default().admit(&**store, &mut delta).await.expect("a store in memory takes it");
    drop(apply_sync(&**store, &delta, alice().user.as_ref(), &MatrixProtocol).await);
}

async fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    const VERSIONS: &[u8] =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 22\r\n\r\n{\"versions\":[\"v1.11\"]}";
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let is_versions = request.starts_with(b"GET /_matrix/client/versions");
    stream.write_all(if is_versions { VERSIONS } else { answer }).await?;
    stream.shutdown().await?;
    // Unread input resets the connection, and may take the answer with it.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}
