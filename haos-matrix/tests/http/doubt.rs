//! A session that is refused: asked about again before that counts, since a homeserver that shuts down refuses
//! good tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join;
use haos_matrix::{Client, ClientOptions, Credentials, MediaError, MediaRequest, SyncOptions, compose};
use haos_queue::{
    Answer, ConnectionState, Lead, OutboxOptions, PauseReason, RetryPolicy, TokioHost, Transport as _,
};
use haos_store_api::*;

use crate::support::*;

const HARD: &str = r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Invalid access token passed."}"#;
const SOFT: &str = r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#;
const TWO: &str = r#"{"access_token":"syt_two","refresh_token":"syr_two"}"#;
const EVENT: &str = r#"{"event_id":"$sent"}"#;

/// A server that reacts to one request after the other like this, and then takes what comes.
async fn in_turn(reactions: &[Reaction]) -> Server {
    let (reactions, count) = (reactions.to_vec(), AtomicUsize::new(0));
    let next = move || reactions.get(count.fetch_add(1, Ordering::SeqCst)).cloned();
    Server::new(move |_| next().unwrap_or_else(|| json(EVENT))).await
}

#[tokio::test]
async fn a_refusal_that_is_not_repeated_logs_nobody_out() {
    let accepted = Answer::Accepted(event("$sent"));
    for refusal in [HARD, SOFT].map(|body| refused(401, body)) {
        for (reactions, expected) in [
            (vec![refusal.clone()], accepted.clone()),
            (vec![refusal.clone(), refusal.clone()], accepted.clone()),
            (vec![refusal.clone(), Reaction::Close], Answer::NoAnswer),
            (vec![refusal.clone(), html(200)], Answer::Unreadable),
        ] {
            let server = in_turn(&reactions).await;
            let home = Home::of(&session(&server, None), doubting(1)).await;
            let answer = guarded(home.http.send(&row("m.room.message", "{}"))).await;
            assert_eq!(answer, expected);
            let lines = server.lines();
            assert!(lines.iter().all(|line| *line == lines[0]), "the same transaction: {lines:?}");
            let asked = reactions.len() + usize::from(answer == accepted);
            assert_eq!(lines.len(), asked, "nothing goes out after an answer that counts");
        }
    }
}

#[tokio::test]
async fn a_refresh_that_is_refused_once_logs_nobody_out() {
    let refreshes = AtomicUsize::new(0);
    let server = Server::new(move |seen| match seen.line.ends_with("/refresh") {
        true if refreshes.fetch_add(1, Ordering::SeqCst) == 0 => refused(401, HARD),
        true => json(TWO),
        false if seen.token() == Some("syt_two") => json(EVENT),
        false => refused(401, SOFT),
    })
    .await;
    let home = Home::of(&session(&server, Some("syr_one")), doubting(1)).await;
    let answer = guarded(home.http.send(&row("m.room.message", "{}"))).await;
    assert_eq!(answer, Answer::Accepted(event("$sent")));
    let paths: Vec<_> =
        server.lines().iter().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["t1", "refresh", "t1", "refresh", "t1"]);
}

#[tokio::test]
async fn between_two_tries_is_a_wait_and_a_longer_one() {
    let server = in_turn(&[HARD, HARD].map(|body| refused(401, body))).await;
    let home = Home::of(&session(&server, None), doubting(20)).await;
    let began = Instant::now();
    guarded(home.http.whoami()).await.unwrap_err();
    assert!(began.elapsed() >= Duration::from_millis(80), "{:?}", began.elapsed());
    assert_eq!(server.lines().len(), 3);
}

/// What a homeserver with a life does.
const UP: u8 = 0;
const REFUSING: u8 = 1;
const DOWN: u8 = 2;

/// A homeserver on which anybody is who they say, in one of the phases.
struct Life {
    server: Server,
    phase: Arc<AtomicU8>,
}

impl Life {
    async fn new() -> Self {
        let phase = Arc::<AtomicU8>::default();
        let now = phase.clone();
        let server = Server::new(move |seen| match (&seen.line, now.load(Ordering::SeqCst)) {
            (line, _) if line == "POST /_matrix/client/v3/login" => {
                json(r#"{"user_id":"@ada:example.org","device_id":"ADEV","access_token":"syt_one"}"#)
            }
            (_, REFUSING) => refused(401, HARD),
            (_, DOWN) => Reaction::Close,
            (line, _) if line.ends_with("/versions") => json(r#"{"versions":["v1.11"]}"#),
            (line, _) if line.ends_with("/filter") => json(r#"{"filter_id":"1"}"#),
            (line, _) if line.contains("/send/") => {
                json(&format!(r#"{{"event_id":"${}"}}"#, line.rsplit('/').next().unwrap()))
            }
            (line, _) if line.contains("/sync") => json(r#"{"next_batch":"s1"}"#),
            _ => refused(404, r#"{"errcode":"M_NOT_FOUND"}"#),
        });
        Self { server: server.await, phase }
    }

    async fn login(&self, store: Arc<MemoryStore>, doubt_ms: u64) -> Client {
        let retry = RetryPolicy { base_ms: 2, cap_ms: 20, old_cap_ms: 20, ..RetryPolicy::default() };
        let options = ClientOptions {
            outbox: OutboxOptions { retry, ..OutboxOptions::default() },
            sync: SyncOptions { retry, ..SyncOptions::default() },
            http: doubting(doubt_ms),
            ..ClientOptions::default()
        };
        let (credentials, host) = (Credentials::Token("sso".to_owned()), Arc::new(TokioHost));
        let url = self.server.url();
        let login = Client::login(store, host, &url, credentials, None, &options);
        guarded(login).await.unwrap()
    }

    /// Waits for that many requests whose line has this text, beginning with number `from` of all.
    async fn until_asked(&self, from: usize, text: &str, count: usize) {
        let asked = || self.server.lines()[from..].iter().filter(|line| line.contains(text)).count();
        let wait = async {
            while asked() < count {
                tokio::task::yield_now().await;
            }
        };
        guarded(wait).await;
    }

    fn asked(&self) -> usize {
        self.server.seen().len()
    }

    fn become_(&self, phase: u8) {
        self.phase.store(phase, Ordering::SeqCst);
    }
}

async fn write(client: &Client, bodies: [&str; 3]) {
    for body in bodies {
        client.outbox().enqueue(compose::text(&room("!lobby"), body).unwrap()).await.unwrap();
    }
}

/// Waits until every row is in this state.
async fn until_all(client: &Client, store: &MemoryStore, state: PendingState) {
    let mut changes = store.changes();
    let wait = async {
        while !client.outbox().rows(None).await.unwrap().iter().all(|row| row.state == state) {
            changes.next().await.unwrap();
        }
    };
    guarded(wait).await;
}

/// The bodies of what was sent, one a transaction, in the order in which the requests came.
fn sent(seen: &[Seen]) -> Vec<String> {
    let mut sends: Vec<&Seen> = seen.iter().filter(|seen| seen.line.contains("/send/")).collect();
    sends.dedup_by_key(|seen| &seen.line);
    sends.iter().map(|seen| seen.text().to_owned()).collect()
}

#[tokio::test]
async fn a_client_outlives_a_homeserver_that_is_restarted() {
    let (life, store) = (Life::new().await, Arc::new(MemoryStore::new()));
    let client = life.login(store.clone(), 300).await;
    let running = tokio::spawn(client.run(Lead::Alone));
    let mut connection = client.connection();
    guarded(connection.wait_for(|state| *state == ConnectionState::Live)).await.unwrap();

    let from = life.asked();
    life.become_(REFUSING);
    write(&client, ["one", "two", "three"]).await;
    client.outbox().try_now();
    let uri = MediaUri::new("mxc://example.org/a").unwrap();
    let picture = MediaRequest::new(uri);
    let shutdown = async {
        // Of a room that no sync has told of, the server is asked whether it is encrypted before anything is sent.
        for text in ["/sync", "/rooms/", "/media/"] {
            life.until_asked(from, text, 1).await;
        }
        let from = life.asked();
        life.become_(DOWN);
        for text in ["/sync", "/rooms/"] {
            life.until_asked(from, text, 1).await;
        }
        life.become_(UP);
    };
    let (got, ()) = guarded(join(client.media().get(&picture), shutdown)).await;
    let error = got.err().unwrap();
    assert!(!matches!(error, MediaError::Paused(_)), "{error:?}");

    until_all(&client, &store, PendingState::Sent).await;
    guarded(connection.wait_for(|state| *state == ConnectionState::Live)).await.unwrap();
    assert_eq!(client.outbox().paused(None).await.unwrap(), None, "a pause does not end by itself");
    let sent = sent(&life.server.seen());
    assert_eq!(sent.len(), 3, "{sent:?}");
    for (text, body) in sent.iter().zip(["one", "two", "three"]) {
        assert!(text.contains(body), "in order: {sent:?}");
    }
    client.stop(5000);
    guarded(running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_session_that_is_over_pauses_the_account_after_a_few_requests() {
    let (life, store) = (Life::new().await, Arc::new(MemoryStore::new()));
    let client = life.login(store.clone(), 10).await;
    let running = tokio::spawn(client.run(Lead::Alone));
    let mut connection = client.connection();
    guarded(connection.wait_for(|state| *state == ConnectionState::Live)).await.unwrap();

    let from = life.asked();
    life.become_(REFUSING);
    write(&client, ["one", "two", "three"]).await;
    client.outbox().try_now();
    let over = ConnectionState::Paused(PauseReason::LoggedOut);
    guarded(connection.wait_for(|state| *state == over)).await.unwrap();
    until_all(&client, &store, PendingState::Queued).await;
    client.stop(5000);
    guarded(running).await.unwrap().unwrap();
    let asked = life.server.lines().split_off(from);
    assert!(
        (3..=11).contains(&asked.len()),
        "the sync thrice, about one message and keys as often, a nudge: {asked:?}"
    );
    let rows = client.outbox().rows(None).await.unwrap();
    assert!(rows.len() == 3 && rows.iter().all(|row| row.attempts == 0), "{rows:?}");

    life.become_(UP);
    let from = life.asked();
    let client = life.login(store.clone(), 10).await;
    let running = tokio::spawn(client.run(Lead::Alone));
    until_all(&client, &store, PendingState::Sent).await;
    client.stop(5000);
    guarded(running).await.unwrap().unwrap();
    let sent = sent(&life.server.seen()[from..]);
    assert_eq!(sent.len(), 3, "{sent:?}");
}
