use haos_e2e::{Fault, Rule};

use super::road;
use super::wire::ask;

#[tokio::test]
async fn what_passes_is_kept_once_that_is_wanted() {
    let (upstream, proxy) = road().await;
    ask(proxy.address(), "PUT", "/echo", b"before").await;
    assert_eq!(proxy.recorded(), []);
    proxy.record();
    let body: Vec<u8> = (0..1_u32 << 20).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    assert!(ask(proxy.address(), "POST", "/echo?a=b", &body).await.body == body);
    assert!(ask(proxy.address(), "GET", "/echo", b"").await.body.is_empty());
    // What the server heard without an answer passed as well; what it did not hear, did not.
    proxy.set_rules([Rule::new(Fault::ResetBefore).times(1), Rule::new(Fault::DropResponse)]);
    assert!(ask(proxy.address(), "PUT", "/echo", b"reset").await.nothing());
    assert!(ask(proxy.address(), "PUT", "/echo", b"lost").await.nothing());
    let recorded = proxy.recorded();
    let bodies: Vec<&[u8]> = recorded.iter().map(|request| &*request.body).collect();
    assert!(bodies == [&*body, b"", b"lost"]);
    assert!(recorded[0].head.starts_with("POST /echo?a=b\n"), "{}", recorded[0].head);
    assert_eq!(upstream.seen().len(), 1 + recorded.len());
}
