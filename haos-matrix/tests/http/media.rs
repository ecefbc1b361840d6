//! Media, up and down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use haos_matrix::{Download, HttpOptions, MatrixProtocol, Server as _, Variant};
use haos_queue::{
    Answer, Created, Draft, Driver, Lead, Lookup, Outbox, OutboxOptions, Refusal, RetryPolicy, Session,
    TokioHost, Transport as _, UploadProgress,
};
use haos_store_api::*;

use crate::support::*;

const NEW: &str = r#"{"versions":["v1.11"]}"#;
const OLD: &str = r#"{"versions":["v1.10"]}"#;
const PLACE: &str = "mxc://example.org/Place_1";

fn uri(text: &str) -> MediaUri {
    MediaUri::new(text).unwrap()
}

fn quick() -> OutboxOptions {
    OutboxOptions {
        retry: RetryPolicy { base_ms: 2, cap_ms: 20, old_cap_ms: 20, ..RetryPolicy::default() },
        ..OutboxOptions::default()
    }
}

/// Sends a message with a file of `size` bytes, and tells what progress was shown.
async fn uploaded(server: &Server, size: usize) -> Vec<u64> {
    uploaded_by(Home::to(server).await, size).await
}

async fn uploaded_by(home: Home, size: usize) -> Vec<u64> {
    // A sync told of the room: nobody asks whether it is encrypted.
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room("!lobby"), Membership::Join));
    home.store.apply(batch).await.unwrap();
    let host = Arc::new(TokioHost);
    let outbox = Outbox::new(home.store.clone(), host, Arc::new(MatrixProtocol), quick()).unwrap();
    let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let staged = outbox.stage(&room("!lobby"), Some("image/png"), bytes).await.unwrap();
    let content = Json::new(format!(r#"{{"url":"{}"}}"#, staged.key().uri)).unwrap();
    let draft = Draft::new(room("!lobby"), EventType::new("m.room.message").unwrap(), content);
    outbox.enqueue(draft.upload(staged)).await.unwrap();
    let shown = Arc::<Mutex<Vec<UploadProgress>>>::default();
    let (log, mut uploads) = (shown.clone(), outbox.uploads());
    tokio::spawn(async move {
        while uploads.changed().await.is_ok() {
            log.lock().unwrap().extend(uploads.borrow_and_update().iter().cloned());
        }
    });
    let session = Session { user: UserId::new("@ada:example.org").unwrap(), device: "ADEV".to_owned() };
    let driving = tokio::spawn(Driver::new(outbox.clone(), home.http.clone(), session).run(Lead::Alone));
    let mut changes = home.store.changes();
    let sent = async {
        while !outbox.rows(None).await.unwrap().iter().all(|row| row.state == PendingState::Sent) {
            changes.next().await.unwrap();
        }
    };
    guarded(sent).await;
    outbox.stop(5000);
    guarded(driving).await.unwrap().unwrap();
    let shown = shown.lock().unwrap();
    assert!(shown.iter().all(|shown| shown.total == size as u64));
    shown.iter().map(|shown| shown.sent).collect()
}

#[tokio::test]
async fn a_file_goes_to_its_place_in_portions_with_its_length() {
    let server = Server::new(|seen| match &seen.line {
        line if line.ends_with("/create") => {
            json(&format!(r#"{{"content_uri":"{PLACE}","unused_expires_at":1}}"#))
        }
        line if line.contains("/send/") => json(r#"{"event_id":"$sent"}"#),
        _ => json("{}"),
    })
    .await;
    let shown = uploaded(&server, 1_000_000).await;
    assert!(shown.is_sorted() && shown.contains(&1_000_000), "{shown:?}");
    assert!(shown.iter().all(|sent| *sent == 1_000_000 || sent % (256 << 10) == 0), "{shown:?}");
    let seen = server.seen();
    let lines: Vec<_> = seen.iter().map(|seen| &seen.line[..seen.line.rfind('/').unwrap()]).collect();
    let expected = [
        "POST /_matrix/media/v1",
        "PUT /_matrix/media/v3/upload/example.org",
        "PUT /_matrix/client/v3/rooms/%21lobby/send/m.room.message",
    ];
    assert_eq!(lines, expected);
    assert!(seen.iter().all(|seen| seen.token() == Some("syt_one")));
    assert_eq!((seen[1].headers["content-length"].as_str(), seen[1].body.len()), ("1000000", 1_000_000));
    assert_eq!(seen[1].headers["content-type"], "image/png");
    assert!(seen[1].body.iter().enumerate().all(|(i, byte)| *byte == (i % 251) as u8));
    assert_eq!(seen[2].text(), format!(r#"{{"url":"{PLACE}"}}"#));
}

#[tokio::test]
async fn an_older_server_takes_a_file_in_one_request() {
    let server = Server::new(|seen| match &seen.line {
        line if line.ends_with("/create") => refused(404, r#"{"errcode":"M_UNRECOGNIZED"}"#),
        line if line.contains("/send/") => json(r#"{"event_id":"$sent"}"#),
        _ => json(&format!(r#"{{"content_uri":"{PLACE}"}}"#)),
    })
    .await;
    uploaded(&server, 300).await;
    let seen = server.seen();
    assert_eq!(seen[1].line, "POST /_matrix/media/v3/upload");
    assert_eq!((seen[1].body.len(), seen[2].text()), (300, &*format!(r#"{{"url":"{PLACE}"}}"#)));
}

#[tokio::test]
async fn an_upload_survives_an_expired_token_and_a_place_that_is_taken() {
    let server = Server::new(|seen| match &seen.line {
        line if line.ends_with("/refresh") => json(r#"{"access_token":"syt_two"}"#),
        line if line.ends_with("/create") => json(&format!(r#"{{"content_uri":"{PLACE}"}}"#)),
        line if line.contains("/send/") => json(r#"{"event_id":"$sent"}"#),
        _ if seen.token() == Some("syt_one") => {
            refused(401, r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":true}"#)
        }
        _ => refused(409, r#"{"errcode":"M_CANNOT_OVERWRITE_MEDIA"}"#),
    })
    .await;
    let home = Home::of(&session(&server, Some("syr_one")), HttpOptions::default()).await;
    uploaded_by(home, 600_000).await;
    let puts: Vec<_> = server.seen().into_iter().filter(|seen| seen.line.contains("/upload/")).collect();
    assert_eq!(puts.iter().map(|put| put.body.len()).collect::<Vec<_>>(), [600_000, 600_000]);
}

#[tokio::test]
async fn an_upload_that_stands_still_is_given_up_and_found_or_made_again() {
    let puts = AtomicUsize::new(0);
    let server = Server::new(move |seen| match &seen.line {
        line if line.ends_with("/create") => json(&format!(r#"{{"content_uri":"{PLACE}"}}"#)),
        line if line.contains("/send/") => json(r#"{"event_id":"$sent"}"#),
        line if line.ends_with("/versions") => json(NEW),
        line if line.starts_with("GET") => refused(504, r#"{"errcode":"M_NOT_YET_UPLOADED"}"#),
        _ if puts.fetch_add(1, Ordering::SeqCst) == 0 => Reaction::Hang,
        _ => json("{}"),
    })
    .await;
    let hasty = HttpOptions { stall_ms: 50, ..HttpOptions::default() };
    uploaded_by(Home::of(&session(&server, None), hasty).await, 300_000).await;
    let uploads = server.lines().iter().filter(|line| line.starts_with("PUT /_matrix/media")).count();
    assert_eq!(uploads, 2);
    assert!(server.lines().iter().any(|line| line.contains("/media/download/")), "it was looked for first");
}

#[tokio::test]
async fn places() {
    for (reaction, expected) in [
        (json(&format!(r#"{{"content_uri":"{PLACE}"}}"#)), Created::At(uri(PLACE))),
        (json(r#"{"content_uri":"mxc://h/.."}"#), Created::Failed(Answer::Unreadable)),
        (refused(404, r#"{"errcode":"M_UNRECOGNIZED"}"#), Created::Unsupported),
        (refused(405, r#"{"errcode":"M_UNRECOGNIZED"}"#), Created::Unsupported),
        (refused(400, r#"{"errcode":"M_UNRECOGNIZED"}"#), Created::Unsupported),
        (html(404), Created::Unsupported),
        (
            refused(403, r#"{"errcode":"M_FORBIDDEN"}"#),
            Created::Failed(Answer::Refused(refusal(403, "M_FORBIDDEN"))),
        ),
        (Reaction::Close, Created::Failed(Answer::NoAnswer)),
        // All places are unused until tomorrow: lost answers lead to that.
        (refused(429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":86400000}"#), Created::Unsupported),
        (
            refused(429, r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}"#),
            Created::Failed(Answer::Refused(Refusal {
                retry_after_ms: Some(2000),
                ..refusal(429, "M_LIMIT_EXCEEDED")
            })),
        ),
    ] {
        let server = Server::new(move |_| reaction.clone()).await;
        assert_eq!(guarded(Home::to(&server).await.http.create_media()).await, expected);
    }
}

/// A server of this version that reacts so to media.
async fn serving(versions: &'static str, reaction: Reaction) -> (Server, Home) {
    let server = Server::new(move |seen| match seen.line.ends_with("/versions") {
        true => json(versions),
        false => reaction.clone(),
    })
    .await;
    let home = Home::to(&server).await;
    (server, home)
}

fn image(bytes: &[u8]) -> Reaction {
    let mime = ("Content-Type", "image/png".to_owned());
    let headers = vec![mime, ("Content-Disposition", "inline".to_owned())];
    Reaction::Answer { status: 200, headers, body: bytes.to_vec() }
}

async fn whole(download: Download) -> Result<Vec<u8>, Answer> {
    let mut chunks = download.chunks;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend(chunk?);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_download_comes_in_portions_with_its_type_and_size() {
    let bytes: Vec<u8> = (0..1_000_000).map(|i| (i % 249) as u8).collect();
    let (server, home) = serving(NEW, image(&bytes)).await;
    let download = guarded(home.http.download(&uri("mxc://h:8448/a-_B"), Variant::Original)).await.unwrap();
    assert_eq!((download.mime.as_deref(), download.size), (Some("image/png"), Some(1_000_000)));
    assert_eq!(guarded(whole(download)).await.unwrap(), bytes);
    let seen = server.seen().remove(1);
    assert_eq!(seen.line, "GET /_matrix/client/v1/media/download/h%3A8448/a-_B?timeout_ms=22500");
    assert_eq!(seen.token(), Some("syt_one"));
}

#[tokio::test]
async fn thumbnails_and_older_servers() {
    let (server, home) = serving(OLD, image(b"x")).await;
    let variant = Variant::Thumbnail { width: 32, height: 48, crop: true };
    for variant in [variant, Variant::Thumbnail { width: 1, height: 2, crop: false }, Variant::Original] {
        let download = guarded(home.http.download(&uri("mxc://h/a"), variant)).await.unwrap();
        assert_eq!(guarded(whole(download)).await.unwrap(), b"x");
    }
    let expected = [
        "GET /_matrix/client/versions",
        "GET /_matrix/media/v3/thumbnail/h/a?width=32&height=48&method=crop&timeout_ms=22500&allow_redirect=true",
        "GET /_matrix/media/v3/thumbnail/h/a?width=1&height=2&method=scale&timeout_ms=22500&allow_redirect=true",
        "GET /_matrix/media/v3/download/h/a?timeout_ms=22500&allow_redirect=true",
    ];
    assert_eq!(server.lines(), expected);
    assert!(server.seen()[1..].iter().all(|seen| seen.token().is_none()), "nobody asked who it is");
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_token() {
    let other = Server::new(|_| image(b"from afar")).await;
    let headers = vec![("Location", format!("{}/cdn", other.url()))];
    let (_server, home) = serving(NEW, Reaction::Answer { status: 307, headers, body: Vec::new() }).await;
    let download = guarded(home.http.download(&uri("mxc://h/a"), Variant::Original)).await.unwrap();
    assert_eq!(guarded(whole(download)).await.unwrap(), b"from afar");
    let seen = other.only();
    assert_eq!((seen.line.as_str(), seen.token()), ("GET /cdn", None));
}

#[tokio::test]
async fn a_download_that_ends_too_early_says_so() {
    let hasty = HttpOptions { stall_ms: 50, ..HttpOptions::default() };
    for reaction in [Reaction::Truncate { body: vec![7; 9000], by: 1 }, Reaction::HangInBody(vec![7; 9000])] {
        let (server, _) = serving(NEW, reaction).await;
        let home = Home::of(&session(&server, None), hasty.clone()).await;
        let download = guarded(home.http.download(&uri("mxc://h/a"), Variant::Original)).await.unwrap();
        assert_eq!(guarded(whole(download)).await, Err(Answer::NoAnswer));
    }
    let (_server, home) = serving(NEW, html(200)).await;
    let page = guarded(home.http.download(&uri("mxc://h/a"), Variant::Original)).await;
    assert_eq!(page.unwrap_err(), Answer::Unreadable, "a page that nobody uploaded");
    let (_server, home) = serving(NEW, refused(404, r#"{"errcode":"M_NOT_FOUND"}"#)).await;
    let gone = guarded(home.http.download(&uri("mxc://h/a"), Variant::Original)).await;
    assert_eq!(gone.unwrap_err(), Answer::Refused(refusal(404, "M_NOT_FOUND")));
}

#[tokio::test]
async fn no_uri_leads_anywhere_but_to_media() {
    let (server, home) = serving(NEW, image(b"x")).await;
    for odd in ["mxc://h/../../v3/account", "mxc://../a", "mxc://h", "https://h/a", "haos-local:t1"] {
        let answer = guarded(home.http.download(&uri(odd), Variant::Original)).await.unwrap_err();
        assert_eq!(answer, Answer::Refused(refusal(400, "M_INVALID_PARAM")), "{odd}");
    }
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn whether_media_arrived() {
    for (reaction, expected) in [
        (image(b"x"), Lookup::Found(())),
        (refused(504, r#"{"errcode":"M_NOT_YET_UPLOADED"}"#), Lookup::Missing),
        (refused(404, r#"{"errcode":"M_NOT_FOUND"}"#), Lookup::Missing),
        (Reaction::Close, Lookup::Failed(Answer::NoAnswer)),
    ] {
        let (server, home) = serving(NEW, reaction).await;
        assert_eq!(guarded(home.http.media_exists(&uri(PLACE))).await, expected);
        assert_eq!(
            server.lines()[1],
            "GET /_matrix/client/v1/media/download/example.org/Place_1?timeout_ms=100"
        );
    }
    let (_server, home) = serving(NEW, html(404)).await;
    assert!(matches!(guarded(home.http.media_exists(&uri(PLACE))).await, Lookup::Failed(Answer::Refused(_))));
}
