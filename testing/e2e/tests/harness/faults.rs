use std::time::Duration;

use haos_e2e::{Error, Fault, FaultKind, Proxy, Rule};

use super::{lobby, texts};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn every_fault_before_a_real_server() {
    let (synapse, ada, room) = lobby().await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let far = ada.at(proxy.address());
    let retry_after = Duration::from_millis(50);
    // The answer that the client hears, and if the server has the message.
    let faults = [
        (Fault::DropResponse, None, true),
        (Fault::ResetBefore, None, false),
        (Fault::Truncate, None, true),
        (Fault::HangAfter { at_most: Duration::from_millis(5) }, None, true),
        (Fault::Status429 { retry_after }, Some(429), false),
        (Fault::Status502, Some(502), false),
        (Fault::Portal, None, false),
        (Fault::Redirect, Some(302), false),
        (Fault::Latency(Duration::from_millis(5)), Some(200), true),
    ];
    let mut there = Vec::new();
    for (fault, status, arrives) in faults {
        let name = format!("{:?}", fault.kind());
        proxy.set_rules([Rule::new(fault).method("PUT").path("/_matrix/client/*/rooms/*/send/*").times(1)]);
        let heard = match far.send_text(&room, &name, &name).await {
            Ok(_) => Some(200),
            Err(error @ Error::Refused { .. }) => error.status(),
            Err(_) => None,
        };
        assert_eq!(heard, status, "{name}");
        assert_eq!(proxy.fired(fault.kind()), 1, "{name}");
        there.extend(arrives.then(|| name.clone()));
        assert_eq!(texts(&ada, &room).await, there, "{name}");
        // The same transaction again, with no fault: now it is there, and once.
        let id = far.send_text(&room, &name, &name).await.unwrap();
        there.extend((!arrives).then_some(name));
        assert_eq!(texts(&ada, &room).await, there);
        assert_eq!(ada.messages(&room).await.unwrap().last().unwrap().event_id, id);
    }
    assert!(FaultKind::ALL.into_iter().all(|kind| proxy.fired(kind) == 1));
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn files_come_through_the_proxy_whole() {
    let (synapse, ada, _room) = lobby().await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let far = ada.at(proxy.address());
    let bytes: Vec<u8> = (0..12_u32 << 20).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    let uri = far.upload("large.bin", &bytes).await.unwrap();
    assert!(far.download(&uri).await.unwrap() == bytes);
    assert!(ada.download(&uri).await.unwrap() == bytes);
}
