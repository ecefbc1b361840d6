//! Expired tokens: who renews them, when they count, and what becomes of the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use haos_matrix::{HttpOptions, MatrixSession};
use haos_queue::{Answer, PauseReason, Transport as _, Verdict};
use haos_store_api::{
    EventType, Json, MemoryStore, Scope, StateEntry, StateKey, StateQuery, StorageAdapter as _, WriteBatch,
};

use crate::support::*;

const SOFT: &str = r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Access token has expired","soft_logout":true}"#;
const HARD: &str =
    r#"{"errcode":"M_UNKNOWN_TOKEN","error":"Invalid access token passed.","soft_logout":false}"#;
const TWO: &str = r#"{"access_token":"syt_two","refresh_token":"syr_two","expires_in_ms":300000}"#;
const EVENT: &str = r#"{"event_id":"$sent"}"#;

/// Takes `syt_two`, and gives it for `syr_one`.
fn renewing(seen: &Seen) -> Reaction {
    match seen.line.ends_with("/refresh") {
        true if seen.text() == r#"{"refresh_token":"syr_one"}"# => json(TWO),
        true => refused(401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"invalid refresh token"}"#),
        false if seen.token() == Some("syt_two") => json(EVENT),
        false => refused(401, SOFT),
    }
}

async fn home(server: &Server) -> Home {
    Home::of(&session(server, Some("syr_one")), doubting(1)).await
}

fn refreshes(server: &Server) -> usize {
    server.lines().iter().filter(|line| line.ends_with("/refresh")).count()
}

async fn send(home: &Home) -> Answer {
    guarded(home.http.send(&row("m.room.message", "{}"))).await
}

#[tokio::test]
async fn an_expired_token_is_renewed_stored_and_the_request_sent_again_once() {
    // The store at the moment when the new token is used for the first time.
    let store = Arc::new(MemoryStore::new());
    let held = store.clone();
    let stored = move || {
        let held = held.clone();
        // The memory store answers at once.
        futures_util::FutureExt::now_or_never(async move { MatrixSession::load(&*held).await }).unwrap()
    };
    let server = Server::new(move |seen| {
        if seen.token() == Some("syt_two") {
            assert_eq!(
                stored().unwrap().unwrap().tokens.unwrap().access,
                "syt_two",
                "stored before it is used"
            );
        }
        renewing(seen)
    })
    .await;
    let session = session(&server, Some("syr_one"));
    session.save(&*store).await.unwrap();
    let home = Home::over(store, &session, HttpOptions::default());
    assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
    let paths: Vec<_> =
        server.lines().iter().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["t1", "refresh", "t1"]);
    assert_eq!(server.seen()[1].token(), None, "the refresh token alone");
    let now = home.stored().await.unwrap();
    assert_eq!((now.refresh.as_deref(), now.expires_at_ms), (Some("syr_two"), Some(1_795_000_300_000)));
}

#[tokio::test]
async fn eight_refusals_at_once_make_one_refresh() {
    let server = Server::new(renewing).await;
    let home = home(&server).await;
    let answers = guarded(join_all((0..8).map(|_| send(&home)))).await;
    assert!(answers.iter().all(|answer| *answer == Answer::Accepted(event("$sent"))), "{answers:?}");
    assert_eq!(refreshes(&server), 1);
}

#[tokio::test]
async fn four_contexts_of_one_store_make_one_refresh() {
    let server = Server::new(renewing).await;
    let first = home(&server).await;
    let session = session(&server, Some("syr_one"));
    let others = (0..3).map(|_| Home::over(first.store.clone(), &session, HttpOptions::default()));
    let homes: Vec<Home> =
        others.chain([Home::over(first.store.clone(), &session, HttpOptions::default())]).collect();
    let answers = guarded(join_all(homes.iter().map(send))).await;
    assert!(answers.iter().all(|answer| *answer == Answer::Accepted(event("$sent"))), "{answers:?}");
    assert_eq!(refreshes(&server), 1);
}

#[tokio::test]
async fn what_another_context_renewed_is_used() {
    // Servers forget the old token once the new one is used: then it does not look like an expired one.
    for refusal in [SOFT, HARD] {
        let server = Server::new(move |seen| match seen.token() {
            Some("syt_two") => json(EVENT),
            _ => refused(401, refusal),
        })
        .await;
        let home = home(&server).await;
        let mut renewed = session(&server, None);
        renewed.tokens = Some(tokens("syt_two", Some("syr_two")));
        renewed.save(&*home.store).await.unwrap();
        assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
        assert_eq!(refreshes(&server), 0);
    }
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let count = AtomicUsize::new(0);
    let server = Server::new(move |seen| {
        if seen.line.ends_with("/refresh") && count.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reaction::Close;
        }
        renewing(seen)
    })
    .await;
    let home = home(&server).await;
    assert_eq!(send(&home).await, Answer::Unsent, "refused, so surely not processed");
    assert_eq!(home.stored().await.unwrap().access, "syt_one");
    assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
    assert_eq!(refreshes(&server), 2);
}

#[tokio::test]
async fn a_refresh_that_is_dropped_half_way_is_made_anew() {
    let count = AtomicUsize::new(0);
    let server = Server::new(move |seen| {
        if seen.line.ends_with("/refresh") && count.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reaction::Hang;
        }
        renewing(seen)
    })
    .await;
    let home = home(&server).await;
    let refreshing = async {
        while refreshes(&server) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let dropped = async {
        tokio::select! {
            answer = send(&home) => panic!("{answer:?}"),
            () = refreshing => {}
        }
    };
    guarded(dropped).await;
    assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
}

#[tokio::test]
async fn a_claim_that_a_dead_context_left_behind_ends() {
    let now_ms = 1_795_000_000_000_i64;
    // One is over, one was made under a clock that was far ahead.
    for until_ms in [now_ms - 1, now_ms + 1_000_000_000] {
        let server = Server::new(renewing).await;
        let home = home(&server).await;
        let mut batch = WriteBatch::strict();
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(haos_matrix::SESSION).unwrap(),
            key: StateKey::new("refresh").unwrap(),
            event_id: None,
            value: Json::new(format!(r#"{{"owner":"dead","until_ms":{until_ms}}}"#)).unwrap(),
        });
        home.store.apply(batch).await.unwrap();
        assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
        let left = home.store.state(StateQuery::all(Scope::Account)).await.unwrap();
        assert_eq!(left.len(), 1, "the session alone: {left:?}");
    }
}

#[tokio::test]
async fn without_a_refresh_token_the_refusal_stands() {
    for (body, expected) in [(SOFT, PauseReason::SoftLogout), (HARD, PauseReason::LoggedOut)] {
        let server = Server::new(move |_| refused(401, body)).await;
        let home = Home::to(&server).await;
        assert_eq!(send(&home).await.verdict(false), Verdict::Pause(expected));
        assert_eq!(server.lines().len(), 3, "it is repeated twice");
    }
}

#[tokio::test]
async fn a_refused_refresh_pauses_the_account() {
    let cases = [
        (401, r#"{"errcode":"M_UNKNOWN_TOKEN","error":"invalid refresh token"}"#, PauseReason::SoftLogout),
        (403, r#"{"errcode":"M_FORBIDDEN","error":"isn't valid anymore"}"#, PauseReason::SoftLogout),
        (401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#, PauseReason::SoftLogout),
        (401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":false}"#, PauseReason::LoggedOut),
    ];
    for (status, body, expected) in cases {
        let server = Server::new(move |seen| match seen.line.ends_with("/refresh") {
            true => refused(status, body),
            false => refused(401, SOFT),
        })
        .await;
        let home = home(&server).await;
        assert_eq!(send(&home).await.verdict(false), Verdict::Pause(expected), "{body}");
        assert!(home.stored().await.is_some(), "the user decides what becomes of the session");
    }
}

#[tokio::test]
async fn a_server_in_trouble_pauses_nothing() {
    for (reaction, expected) in
        [(Reaction::Close, Answer::Unsent), (html(200), Answer::Unsent), (json("{}"), Answer::Unsent)]
    {
        let server = Server::new(move |seen| match seen.line.ends_with("/refresh") {
            true => reaction.clone(),
            false => refused(401, SOFT),
        })
        .await;
        assert_eq!(send(&home(&server).await).await, expected);
    }
    for status in [429, 500, 502] {
        let server = Server::new(move |seen| match seen.line.ends_with("/refresh") {
            true => refused(status, "{}"),
            false => refused(401, SOFT),
        })
        .await;
        let answer = send(&home(&server).await).await;
        assert!(matches!(answer, Answer::Refused(it) if it.status == status && it.account.is_none()));
    }
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_it_is_refused() {
    let server = Server::new(renewing).await;
    let home = home(&server).await;
    let mut session = session(&server, Some("syr_one"));
    session.tokens.as_mut().unwrap().expires_at_ms = Some(1_795_000_100_000);
    session.save(&*home.store).await.unwrap();
    let home = Home::over(home.store, &session, HttpOptions::default());
    home.clock.0.fetch_add(69_999, Ordering::SeqCst);
    assert!(home.http.session().unwrap().tokens.is_some_and(|it| it.access == "syt_one"));
    home.clock.0.fetch_add(2, Ordering::SeqCst);
    assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
    let paths: Vec<_> =
        server.lines().iter().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(paths, ["refresh", "t1"]);
    // The new one lasts.
    send(&home).await;
    assert_eq!(refreshes(&server), 1);
}

#[tokio::test]
async fn a_session_of_another_device_is_not_taken_up() {
    let server = Server::new(|seen| match seen.token() {
        Some("syt_other") => json(EVENT),
        _ => refused(401, HARD),
    })
    .await;
    let home = home(&server).await;
    let mut other = session(&server, None);
    (other.device, other.tokens) = ("BDEV".to_owned(), Some(tokens("syt_other", None)));
    other.save(&*home.store).await.unwrap();
    assert_eq!(send(&home).await.verdict(false), Verdict::Pause(PauseReason::LoggedOut));
    other.device = "ADEV".to_owned();
    other.save(&*home.store).await.unwrap();
    assert_eq!(send(&home).await, Answer::Accepted(event("$sent")));
}
