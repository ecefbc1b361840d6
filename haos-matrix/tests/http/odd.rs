//! Servers, and those in front of them, that do what nobody expects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use haos_matrix::{HttpOptions, MatrixProtocol, Server as _, Variant};
use haos_queue::{
    Draft, Driver, Lead, Lookup, Outbox, OutboxOptions, Session, TokioHost, Transport as _, Verdict,
};
use haos_store_api::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::*;

fn uri(id: &str) -> MediaUri {
    MediaUri::new(format!("mxc://example.org/{id}")).unwrap()
}

/// Media whose upload had no answer is not taken for uploaded because a portal shows a page.
#[tokio::test]
async fn a_page_is_no_proof_that_media_arrived() {
    let server = Server::new(|seen| match seen.line.ends_with("/versions") {
        true => json(r#"{"versions":["v1.11"]}"#),
        false => html(200),
    })
    .await;
    let home = Home::to(&server).await;
    let found = guarded(home.http.media_exists(&uri("a"))).await;
    assert_eq!(found, Lookup::Unknown);
}

#[tokio::test]
async fn a_stream_has_an_end_however_often_it_is_asked() {
    let server = Server::new(|seen| match seen.line.ends_with("/versions") {
        true => json(r#"{"versions":["v1.11"]}"#),
        false => json("{}"),
    })
    .await;
    let home = Home::to(&server).await;
    let mut download = guarded(home.http.download(&uri("a"), Variant::Original)).await.unwrap();
    assert_eq!(guarded(download.chunks.next()).await, Some(Ok(b"{}".to_vec())));
    for _ in 0..3 {
        assert_eq!(guarded(download.chunks.next()).await, None);
    }
    let cache = home.cache();
    let mut stream = guarded(cache.stream(&uri("b"), Variant::Original)).await.unwrap();
    assert_eq!(guarded(stream.next()).await.unwrap(), Some(b"{}".to_vec()));
    for _ in 0..3 {
        assert_eq!(guarded(stream.next()).await.unwrap(), None);
    }
}

/// A day's quiet is believed; for ever would be the end of the account, and it is written down.
#[tokio::test]
async fn nobody_is_kept_quiet_for_ever() {
    let server = Server::new(|_| {
        let headers = vec![("Retry-After", "99999999999999999999".to_owned())];
        Reaction::Answer {
            status: 429,
            headers,
            body: br#"{"errcode":"M_X","retry_after_ms":1e300}"#.to_vec(),
        }
    })
    .await;
    let answer = guarded(Home::to(&server).await.http.send(&row("m.room.message", "{}"))).await;
    assert_eq!(answer.verdict(false), Verdict::RateLimited { wait_ms: 24 * 3_600_000 });
}

/// A client that runs for months sees what its server learns.
#[tokio::test]
async fn a_server_may_be_upgraded() {
    let is_new = Arc::new(AtomicBool::new(false));
    let seen_as = is_new.clone();
    let server = Server::new(move |seen| match seen.line.ends_with("/versions") {
        true if seen_as.load(Ordering::SeqCst) => json(r#"{"versions":["v1.11"]}"#),
        true => json(r#"{"versions":["v1.10"]}"#),
        false if seen.line.contains("/client/v1/media/") => json("{}"),
        false => refused(404, r#"{"errcode":"M_NOT_FOUND"}"#),
    })
    .await;
    let home = Home::to(&server).await;
    assert!(guarded(home.http.download(&uri("a"), Variant::Original)).await.is_err());
    is_new.store(true, Ordering::SeqCst);
    assert!(guarded(home.http.download(&uri("a"), Variant::Original)).await.is_err());
    let asked = server.lines().iter().filter(|line| line.ends_with("/versions")).count();
    assert_eq!(asked, 1, "not each time");
    home.clock.0.fetch_add(24 * 3_600_000, Ordering::SeqCst);
    assert!(guarded(home.http.download(&uri("a"), Variant::Original)).await.is_ok());
}

/// A server, or a proxy, that refuses a large body before it has read it.
async fn impatient() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|window| window == b"\r\n\r\n") {
                stream.read_buf(&mut head).await.unwrap();
            }
            let (status, body) = match String::from_utf8_lossy(&head).contains("/create") {
                true => ("200 OK", r#"{"content_uri":"mxc://example.org/p"}"#),
                false => ("413 Payload Too Large", r#"{"errcode":"M_TOO_LARGE"}"#),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            // An unread rest resets the connection, and with it may go the answer. The client may go first.
            tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
        }
    });
    (url, serving)
}

#[tokio::test]
async fn a_refusal_amid_an_upload_is_heard() {
    let (url, _serving) = impatient().await;
    let server = Server::new(|_| json("{}")).await;
    let session_ = haos_matrix::MatrixSession { homeserver: url, ..session(&server, None) };
    let home = Home::of(&session_, HttpOptions::default()).await;
    let outbox = Outbox::new(
        home.store.clone(),
        Arc::new(TokioHost),
        Arc::new(MatrixProtocol),
        OutboxOptions::default(),
    )
    .unwrap();
    let staged = outbox.stage(&room("!lobby"), None, vec![7; 20 << 20]).await.unwrap();
    let content = Json::new(format!(r#"{{"url":"{}"}}"#, staged.key().uri)).unwrap();
    let draft = Draft::new(room("!lobby"), EventType::new("m.room.message").unwrap(), content);
    outbox.enqueue(draft.upload(staged)).await.unwrap();
    let who = Session { user: UserId::new("@ada:example.org").unwrap(), device: "ADEV".to_owned() };
    let driving = tokio::spawn(Driver::new(outbox.clone(), home.http.clone(), who).run(Lead::Alone));
    let mut changes = home.store.changes();
    let answered = async {
        loop {
            let rows = outbox.rows(None).await.unwrap();
            let upload =
                rows.iter().find(|row| !row.media.is_empty() && row.kind.as_str() == haos_queue::UPLOAD);
            let upload = upload.unwrap();
            if matches!(upload.state, PendingState::Parked(_)) || upload.error.is_some() {
                return upload.clone();
            }
            changes.next().await.unwrap();
        }
    };
    let upload = guarded(answered).await;
    driving.abort();
    assert_eq!(upload.state, PendingState::Parked(ParkReason::TooLarge), "{:?}", upload.error);
}
