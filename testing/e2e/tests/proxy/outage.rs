use std::io::ErrorKind;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::road;
use super::upstream::Upstream;
use super::wire::{ask, head, hear, hear_until, soon, until};

#[tokio::test]
async fn offline_refuses_and_closes_and_comes_back_where_it_was() {
    let (upstream, proxy) = road().await;
    let mut poll = TcpStream::connect(proxy.address()).await.unwrap();
    poll.write_all(head("GET", "/parts", 0, "").as_bytes()).await.unwrap();
    hear_until(&mut poll, "first!").await;
    let mut idle = TcpStream::connect(proxy.address()).await.unwrap();
    for _ in 0..2 {
        proxy.offline(true).await.unwrap();
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }
    assert!(soon(hear(&mut poll)).await.nothing());
    assert!(soon(hear(&mut idle)).await.nothing());
    for _ in 0..2 {
        proxy.offline(false).await.unwrap();
        assert_eq!(ask(proxy.address(), "PUT", "/echo", b"back").await.body, b"back");
    }
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn a_server_that_restarts_is_a_502_in_between() {
    let (upstream, proxy) = road().await;
    let address = upstream.address();
    assert_eq!(ask(proxy.address(), "GET", "/echo", b"").await.status(), 200);
    upstream.end().await;
    let heard = ask(proxy.address(), "GET", "/echo", b"").await;
    assert_eq!((heard.status(), proxy.forwarded()), (502, 1));
    let upstream = Upstream::start_at(address).await;
    assert_eq!(ask(proxy.address(), "GET", "/echo", b"").await.status(), 200);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_dies_amid_a_request_closes_the_connection() {
    let (upstream, proxy) = road().await;
    let silent = tokio::spawn(ask(proxy.address(), "GET", "/silence", b""));
    until(|| upstream.seen().len() == 1).await;
    upstream.end().await;
    assert!(silent.await.unwrap().nothing());
}

#[tokio::test]
async fn a_dropped_proxy_closes_what_it_had() {
    let (_upstream, proxy) = road().await;
    let address = proxy.address();
    let mut poll = TcpStream::connect(address).await.unwrap();
    poll.write_all(head("GET", "/parts", 0, "").as_bytes()).await.unwrap();
    hear_until(&mut poll, "first!").await;
    drop(proxy);
    assert!(soon(hear(&mut poll)).await.nothing());
    assert!(TcpStream::connect(address).await.is_err());
}
