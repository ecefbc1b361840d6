use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::road;
use super::wire::{ask, head, hear_until};

#[tokio::test]
async fn the_beginning_of_an_answer_does_not_wait_for_its_end() {
    let (upstream, proxy) = road().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head("GET", "/parts", 0, "").as_bytes()).await.unwrap();
    let beginning = hear_until(&mut stream, "first!").await;
    assert!(!beginning.contains("second"), "{beginning}");
    upstream.release();
    hear_until(&mut stream, "second").await;
}

#[tokio::test]
async fn the_beginning_of_an_upload_does_not_wait_for_its_end() {
    let (upstream, proxy) = road().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head("POST", "/echo", 10, "").as_bytes()).await.unwrap();
    stream.write_all(b"first").await.unwrap();
    upstream.hears(5).await;
    stream.write_all(b"-last").await.unwrap();
    hear_until(&mut stream, "first-last").await;
}

#[tokio::test]
async fn large_bodies_come_through_whole() {
    let (upstream, proxy) = road().await;
    let body: Vec<u8> = (0..8_u32 << 20).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    let heard = ask(proxy.address(), "POST", "/echo", &body).await;
    assert_eq!(heard.status(), 200);
    assert!(heard.body == body, "{} of {} bytes came back", heard.body.len(), body.len());
    assert!(upstream.seen()[0].body == body);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_along() {
    let (upstream, proxy) = road().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head("POST", "/echo", 10, "").as_bytes()).await.unwrap();
    stream.write_all(b"first").await.unwrap();
    upstream.hears(5).await;
    drop(stream);
    // The server hears no request that is not whole, and the proxy goes on.
    assert_eq!(ask(proxy.address(), "PUT", "/echo", b"next").await.body, b"next");
    let bodies: Vec<_> = upstream.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["next"]);
}
