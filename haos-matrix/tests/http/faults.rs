//! The answers to every fault of the network.

use haos_matrix::{HttpOptions, MatrixSession, PageRequest, Server as _, SyncRequest};
use haos_queue::{Answer, Lookup, Transport as _, Verdict};
use haos_store_api::Direction;

use crate::support::*;

fn hasty() -> HttpOptions {
    HttpOptions {
        request_ms: 50,
        sync_grace_ms: 50,
        first_sync_ms: 50,
        stall_ms: 50,
        ..HttpOptions::default()
    }
}

/// The answer to a message, if the server reacts like this.
async fn sent(reaction: Reaction, options: HttpOptions) -> Answer {
    let server = Server::new(move |_| reaction.clone()).await;
    let home = Home::of(&session(&server, None), options).await;
    let answer = guarded(home.http.send(&row("m.room.message", r#"{"body":"hi"}"#))).await;
    server.only();
    answer
}

#[tokio::test]
async fn nobody_there_is_unsent() {
    let server = Server::new(|_| Reaction::Close).await;
    let home = Home::to(&server).await;
    drop(server);
    let unsent = async {
        // The port is closed as soon as the task that listened is gone.
        loop {
            match home.http.send(&row("m.room.message", "{}")).await {
                Answer::Unsent => return,
                Answer::NoAnswer => {}
                other => panic!("{other:?}"),
            }
        }
    };
    guarded(unsent).await;
}

#[tokio::test]
async fn who_speaks_no_tls_is_unsent() {
    // One does not answer to TLS, the other answers with something else.
    let silent = Server::new(|_| Reaction::Close).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let loud = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The client may be gone.
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for homeserver in [silent.url().replace("http://", "https://"), loud] {
        let session = MatrixSession { homeserver, ..session(&silent, None) };
        let options = HttpOptions { connect_ms: 200, ..HttpOptions::default() };
        let home = Home::of(&session, options).await;
        assert_eq!(guarded(home.http.send(&row("m.room.message", "{}"))).await, Answer::Unsent);
    }
    assert_eq!(silent.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_that_ends_may_have_carried_it() {
    assert_eq!(sent(Reaction::Close, HttpOptions::default()).await, Answer::NoAnswer);
    let truncated = Reaction::Truncate { body: br#"{"event_id":"$sent"}"#.to_vec(), by: 3 };
    assert_eq!(sent(truncated, HttpOptions::default()).await, Answer::NoAnswer);
}

#[tokio::test]
async fn silence_is_no_answer() {
    assert_eq!(sent(Reaction::Hang, hasty()).await, Answer::NoAnswer);
    assert_eq!(sent(Reaction::HangInBody(b"{".to_vec()), hasty()).await, Answer::NoAnswer);
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_unreadable() {
    for reaction in [html(200), json(""), json("{}"), json(r#"{"event_id":"#), refused(204, "")] {
        assert_eq!(sent(reaction, HttpOptions::default()).await, Answer::Unreadable);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let headers = vec![("Location", "http://127.0.0.1:1/login".to_owned())];
        let reaction = Reaction::Answer { status, headers, body: Vec::new() };
        let answer = sent(reaction, HttpOptions::default()).await;
        assert!(matches!(&answer, Answer::Refused(refusal) if refusal.status == status), "{answer:?}");
        assert!(matches!(answer.verdict(false), Verdict::Transient { offline: true, .. }));
    }
}

#[tokio::test]
async fn refusals_come_with_their_code_and_their_wait() {
    let limited = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":825}"#;
    assert_eq!(
        sent(refused(429, limited), HttpOptions::default()).await.verdict(false),
        Verdict::RateLimited { wait_ms: 825 }
    );
    let headers = vec![("Retry-After", "7".to_owned())];
    let proxy = Reaction::Answer { status: 429, headers, body: b"slow down".to_vec() };
    assert_eq!(
        sent(proxy, HttpOptions::default()).await.verdict(false),
        Verdict::RateLimited { wait_ms: 7000 }
    );
    let forbidden = refused(403, r#"{"errcode":"M_FORBIDDEN","error":"no"}"#);
    assert_eq!(sent(forbidden, HttpOptions::default()).await, Answer::Refused(refusal(403, "M_FORBIDDEN")));
    let gateway = sent(html(502), HttpOptions::default()).await;
    assert!(matches!(gateway, Answer::Refused(refusal) if refusal.status == 502 && refusal.code.is_none()));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read() {
    let large = format!(r#"{{"event_id":"$sent","x":"{}"}}"#, "x".repeat(5000));
    let options = HttpOptions { max_answer_bytes: 4000, max_body_bytes: 4000, ..HttpOptions::default() };
    assert_eq!(sent(json(&large), options.clone()).await, Answer::Unreadable);
    let server = Server::new(move |_| json(&large)).await;
    let home = Home::of(&session(&server, None), options).await;
    let too_large = Err(Answer::TooLarge { limit: 4000 });
    assert_eq!(guarded(home.http.sync(&SyncRequest::default())).await, too_large);
    let enough = HttpOptions { max_answer_bytes: 4000, ..HttpOptions::default() };
    let home = Home::of(&session(&server, None), enough).await;
    assert_eq!(guarded(home.http.sync(&SyncRequest::default())).await.unwrap().len(), 5027);
}

#[tokio::test]
async fn reads_know_the_same_faults() {
    for (reaction, expected) in [
        (Reaction::Close, Answer::NoAnswer),
        (Reaction::Hang, Answer::NoAnswer),
        (Reaction::HangInBody(br#"{"next_batch":"#.to_vec()), Answer::NoAnswer),
        (Reaction::Truncate { body: br#"{"next_batch":"s1"}"#.to_vec(), by: 1 }, Answer::NoAnswer),
        (html(200), Answer::Unreadable),
        (json("[]"), Answer::Unreadable),
    ] {
        let server = Server::new(move |_| reaction.clone()).await;
        let home = Home::of(&session(&server, None), hasty()).await.http;
        let request = SyncRequest { since: Some("s".to_owned()), ..SyncRequest::default() };
        assert_eq!(guarded(home.sync(&request)).await, Err(expected.clone()));
        let lobby = room("!lobby");
        let page = PageRequest { room: &lobby, from: None, to: None, direction: Direction::Older, limit: 1 };
        assert_eq!(guarded(home.messages(&page)).await, Err(expected.clone()));
        assert_eq!(guarded(home.history(&lobby, None, 1)).await, Err(expected.clone()));
        assert_eq!(guarded(home.event(&lobby, &event("$a"))).await, Lookup::Failed(expected));
    }
}
