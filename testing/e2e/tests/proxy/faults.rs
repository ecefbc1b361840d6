use std::time::Duration;

use haos_e2e::{Fault, FaultKind, Proxy, Rule};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::road;
use super::wire::{ask, head, hear, hear_until, soon, until};

fn fired(proxy: &Proxy) -> Vec<(FaultKind, u64)> {
    let counts = FaultKind::ALL.map(|kind| (kind, proxy.fired(kind)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn without_rules_all_passes_unharmed() {
    let (upstream, proxy) = road().await;
    let heard = ask(proxy.address(), "PUT", "/echo/%21a?b=c", b"hello").await;
    assert_eq!((heard.status(), &heard.body[..]), (200, &b"hello"[..]));
    assert!(heard.has("x-echo: yes") && heard.has("content-length: 5"), "{}", heard.head);
    let seen = upstream.seen().remove(0);
    assert_eq!((&*seen.method, &*seen.target, &*seen.body), ("PUT", "/echo/%21a?b=c", &b"hello"[..]));
    assert_eq!((fired(&proxy), proxy.forwarded()), (vec![], 1));
}

#[tokio::test]
async fn a_dropped_response_was_processed() {
    let (upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::DropResponse).method("PUT").times(1)]);
    assert!(ask(proxy.address(), "PUT", "/echo", b"lost").await.nothing());
    assert_eq!(upstream.seen()[0].body, "lost");
    assert_eq!(ask(proxy.address(), "PUT", "/echo", b"again").await.body, b"again");
    assert_eq!((fired(&proxy), proxy.forwarded()), (vec![(FaultKind::DropResponse, 1)], 2));
}

#[tokio::test]
async fn a_reset_comes_before_the_server_hears_of_it() {
    let (upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::ResetBefore)]);
    assert!(ask(proxy.address(), "PUT", "/echo", b"unheard").await.nothing());
    assert_eq!(upstream.seen(), []);
    assert_eq!((fired(&proxy), proxy.forwarded()), (vec![(FaultKind::ResetBefore, 1)], 0));
}

#[tokio::test]
async fn half_of_a_body_whose_length_was_told() {
    let (_upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::Truncate)]);
    for (whole, half) in [("0123456789", "01234"), ("abc", "a"), ("a", "")] {
        let heard = ask(proxy.address(), "POST", "/echo", whole.as_bytes()).await;
        assert_eq!((heard.status(), &heard.body[..]), (200, half.as_bytes()));
        assert!(heard.has(&format!("content-length: {}", whole.len())), "{}", heard.head);
    }
    assert_eq!(fired(&proxy), [(FaultKind::Truncate, 3)]);
    // There is no half of nothing.
    assert_eq!(ask(proxy.address(), "POST", "/echo", b"").await.status(), 200);
    assert_eq!(fired(&proxy), [(FaultKind::Truncate, 3)]);
}

#[tokio::test]
async fn of_a_large_body_some_may_be_on_its_way_when_the_connection_closes() {
    let (_upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::Truncate)]);
    let heard = ask(proxy.address(), "POST", "/echo", &vec![b'a'; 1 << 20]).await;
    assert!((1..=1 << 19).contains(&heard.body.len()), "{}", heard.body.len());
}

#[tokio::test]
async fn half_of_a_body_in_chunks_has_no_end() {
    let (upstream, proxy) = road().await;
    upstream.release();
    proxy.set_rules([Rule::new(Fault::Truncate)]);
    let heard = ask(proxy.address(), "GET", "/parts", b"").await;
    assert_eq!((heard.status(), &heard.body[..]), (200, &b"3\r\nfir\r\n"[..]));
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_with_its_time_or_its_road() {
    let (upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::HangAfter { at_most: Duration::from_millis(1) })]);
    assert!(ask(proxy.address(), "PUT", "/echo", b"one").await.nothing());
    proxy.set_rules([Rule::new(Fault::HangAfter { at_most: Duration::from_secs(3600) })]);
    let hanging = tokio::spawn(ask(proxy.address(), "PUT", "/echo", b"two"));
    until(|| proxy.fired(FaultKind::HangAfter) == 2).await;
    assert!(!hanging.is_finished());
    proxy.offline(true).await.unwrap();
    assert!(hanging.await.unwrap().nothing());
    let bodies: Vec<_> = upstream.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[tokio::test]
async fn answers_in_place_of_the_server() {
    let (upstream, proxy) = road().await;
    let retry_after = Duration::from_millis(1767);
    proxy.set_rules([Rule::new(Fault::Status429 { retry_after }).times(1), Rule::new(Fault::Status502)]);
    let limited = ask(proxy.address(), "PUT", "/echo", b"a").await;
    assert_eq!(limited.status(), 429);
    assert!(limited.has("content-type: application/json"), "{}", limited.head);
    let body: serde_json::Value = serde_json::from_slice(&limited.body).unwrap();
    assert_eq!((&body["errcode"], &body["retry_after_ms"]), (&"M_LIMIT_EXCEEDED".into(), &1767.into()));
    let broken = ask(proxy.address(), "PUT", "/echo", b"b").await;
    assert_eq!((broken.status(), &broken.body[..6]), (502, &b"<html>"[..]));
    assert_eq!(upstream.seen(), []);
    assert_eq!(fired(&proxy), [(FaultKind::Status429, 1), (FaultKind::Status502, 1)]);
}

#[tokio::test]
async fn a_captive_portal_speaks_in_place_of_the_server() {
    let (upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::Portal).times(1), Rule::new(Fault::Redirect)]);
    let page = ask(proxy.address(), "PUT", "/echo", b"a").await;
    assert_eq!((page.status(), &page.body[..6]), (200, &b"<html>"[..]));
    assert!(page.has("content-type: text/html"), "{}", page.head);
    let moved = ask(proxy.address(), "PUT", "/echo", b"b").await;
    assert!(moved.status() == 302 && moved.has("location: http://portal.invalid/login"), "{}", moved.head);
    assert_eq!(upstream.seen(), []);
    assert_eq!(fired(&proxy), [(FaultKind::Portal, 1), (FaultKind::Redirect, 1)]);
}

#[tokio::test]
async fn latency_comes_with_other_faults() {
    let (upstream, proxy) = road().await;
    let late = || Rule::new(Fault::Latency(Duration::from_millis(1)));
    proxy.set_rules([late(), Rule::new(Fault::DropResponse).every(2)]);
    assert_eq!(ask(proxy.address(), "PUT", "/echo", b"a").await.body, b"a");
    assert!(ask(proxy.address(), "PUT", "/echo", b"b").await.nothing());
    assert_eq!(upstream.seen().len(), 2);
    assert_eq!(fired(&proxy), [(FaultKind::DropResponse, 1), (FaultKind::Latency, 2)]);
}

#[tokio::test]
async fn a_fault_on_a_connection_that_was_used_before_closes_it() {
    let (_upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::DropResponse).every(2)]);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(head("GET", "/echo", 5, "").as_bytes()).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    assert!(hear_until(&mut stream, "hello").await.starts_with("HTTP/1.1 200"));
    stream.write_all(head("GET", "/echo", 0, "").as_bytes()).await.unwrap();
    assert!(soon(hear(&mut stream)).await.nothing());
}

#[tokio::test]
async fn rules_change_at_runtime() {
    let (upstream, proxy) = road().await;
    proxy.set_rules([Rule::new(Fault::Status502)]);
    assert_eq!(ask(proxy.address(), "GET", "/echo", b"").await.status(), 502);
    proxy.set_rules([]);
    assert_eq!(ask(proxy.address(), "GET", "/echo", b"").await.status(), 200);
    proxy.set_rules([Rule::new(Fault::Status502).path("/other")]);
    assert_eq!(ask(proxy.address(), "GET", "/echo", b"").await.status(), 200);
    assert_eq!(upstream.seen().len(), 2);
}
