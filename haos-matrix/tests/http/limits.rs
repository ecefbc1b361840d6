//! Bodies without measure: they end soon, and leave nothing.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt as _;
use haos_matrix::{HttpOptions, MediaError, MediaRequest, Server as _, SyncRequest, Variant};
use haos_queue::{Answer, Transport as _};
use haos_store_api::{MediaQuery, MediaUri, StorageAdapter as _};

use crate::support::*;

fn uri() -> MediaUri {
    MediaUri::new("mxc://example.org/a").unwrap()
}

/// This number of zeros, in a thousandth of their size.
fn gzip(zeros: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..zeros / 1000 {
        encoder.write_all(&[b'0'; 1000]).unwrap();
    }
    encoder.finish().unwrap()
}

/// A server whose media is this, behind these headers.
async fn server(headers: &'static str, body: Vec<u8>) -> Server {
    Server::new(move |seen| match seen.line.ends_with("/versions") {
        true => json(r#"{"versions":["v1.11"]}"#),
        false => {
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
            Reaction::Raw([head.as_bytes(), &body].concat())
        }
    })
    .await
}

#[tokio::test]
async fn a_drip_holds_nobody() {
    // A byte comes long before the body stands still, and would for ever.
    let options = HttpOptions { stall_ms: 100, least_rate: 10_000, ..HttpOptions::default() };
    for status in [200, 500] {
        let server = Server::new(move |_| Reaction::Drip(status)).await;
        let home = Home::of(&session(&server, None), options.clone()).await.http;
        assert_eq!(guarded(home.sync(&SyncRequest::default())).await, Err(Answer::NoAnswer));
        assert_eq!(guarded(home.send(&row("m.room.message", "{}"))).await, Answer::NoAnswer);
    }
    let server = Server::new(|seen| match seen.line.ends_with("/versions") {
        true => json(r#"{"versions":["v1.11"]}"#),
        false => Reaction::Drip(200),
    })
    .await;
    let home = Home::of(&session(&server, None), options).await;
    let cache = home.cache();
    let got = guarded(cache.get(&MediaRequest::new(uri()))).await;
    assert!(matches!(got, Err(MediaError::Offline { .. })), "{got:?}");
}

#[tokio::test]
async fn an_answer_is_measured_as_it_is_decoded() {
    let bomb = gzip(64 << 20);
    assert!(bomb.len() < 100_000);
    let server = server("Content-Encoding: gzip\r\n", bomb).await;
    let options = HttpOptions { max_body_bytes: 1 << 20, ..HttpOptions::default() };
    let home = Home::of(&session(&server, None), options).await.http;
    let answer = guarded(home.sync(&SyncRequest::default())).await;
    assert_eq!(answer, Err(Answer::TooLarge { limit: 1 << 20 }));
    assert_eq!(guarded(home.send(&row("m.room.message", "{}"))).await, Answer::Unreadable);
}

#[tokio::test]
async fn media_is_not_decoded() {
    let server = server("Content-Encoding: gzip\r\n", gzip(2 << 20)).await;
    let home = Home::to(&server).await;
    let download = guarded(home.http.download(&uri(), Variant::Original)).await;
    assert_eq!(download.err(), Some(Answer::Unreadable));
    let asked = server.seen().pop().unwrap();
    assert_eq!(asked.headers.get("accept-encoding").map(String::as_str), Some("identity"));
}

#[tokio::test]
async fn a_download_has_a_limit() {
    let options = HttpOptions { max_media_bytes: 500_000, ..HttpOptions::default() };
    for headers in ["Content-Length: 800000\r\n", ""] {
        let server = server(headers, vec![7; 800_000]).await;
        let home = Home::of(&session(&server, None), options.clone()).await;
        let cache = home.cache();
        let got = guarded(cache.get(&MediaRequest::new(uri()))).await;
        assert!(matches!(got, Err(MediaError::OverLimit { limit: 500_000 })), "{got:?}");
        assert_eq!(home.store.media_index(MediaQuery::default()).await.unwrap(), [], "nothing partial stays");
        let mut past = guarded(home.http.download(&uri(), Variant::Original)).await;
        if let Ok(download) = &mut past {
            let portions: Vec<_> = guarded(download.chunks.by_ref().collect()).await;
            assert_eq!(portions.last(), Some(&Err(Answer::TooLarge { limit: 500_000 })));
            let came: usize = portions.iter().flatten().map(Vec::len).sum();
            assert!(came <= 500_000, "{came}");
        } else {
            assert_eq!(past.err(), Some(Answer::TooLarge { limit: 500_000 }), "announced");
        }
    }
}
