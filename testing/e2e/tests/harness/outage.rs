use std::time::Duration;

use haos_e2e::{Error, Plain, Proxy, Synapse, SynapseOptions};
use serde_json::json;

use super::{lobby, texts};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_restart_and_a_kill_keep_the_data_and_the_address() {
    let (mut synapse, ada, room) = lobby().await;
    ada.send_text(&room, "t1", "one").await.unwrap();
    let (address, first) = (synapse.address(), synapse.process_id().unwrap());
    synapse.restart().await.unwrap();
    let second = synapse.process_id().unwrap();
    ada.send_text(&room, "t2", "two").await.unwrap();
    synapse.kill();
    assert_eq!(synapse.process_id(), None);
    assert!(matches!(ada.send_text(&room, "t3", "lost").await, Err(Error::Failed { .. })));
    synapse.resume().await.unwrap();
    assert_eq!(synapse.address(), address);
    assert!(![first, second].contains(&synapse.process_id().unwrap()) && first != second);
    // The session is the same, and the transaction is known: no second copy.
    ada.send_text(&room, "t2", "two").await.unwrap();
    assert_eq!(texts(&ada, &room).await, ["one", "two"]);
    Plain::login(address, "ada", "secret", None).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn the_proxy_outlasts_the_server() {
    let (mut synapse, ada, room) = lobby().await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let far = ada.at(proxy.address());
    far.send_text(&room, "t1", "before").await.unwrap();
    synapse.kill();
    let down = far.send_text(&room, "t2", "down").await.unwrap_err();
    assert_eq!((down.status(), down.errcode()), (Some(502), None));
    synapse.resume().await.unwrap();
    far.send_text(&room, "t2", "after").await.unwrap();
    proxy.offline(true).await.unwrap();
    assert!(matches!(far.send_text(&room, "t3", "off").await, Err(Error::Failed { .. })));
    proxy.offline(false).await.unwrap();
    far.send_text(&room, "t3", "on").await.unwrap();
    assert_eq!(texts(&ada, &room).await, ["before", "after", "on"]);
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_poll_through_the_proxy_waits_for_what_happens() {
    let (synapse, ada, room) = lobby().await;
    let proxy = Proxy::start(synapse.address()).await.unwrap();
    let far = ada.at(proxy.address());
    let first = far.sync(None, Duration::ZERO).await.unwrap();
    let since = first["next_batch"].as_str().unwrap().to_owned();
    let forwarded = proxy.forwarded();
    let poll = tokio::spawn(async move { far.sync(Some(&since), Duration::from_secs(300)).await });
    // It is with the server by now, or it will find the message there: nothing is proven by waiting.
    ada.send_text(&room, "t1", "news").await.unwrap();
    let answer = poll.await.unwrap().unwrap();
    let event = &answer["rooms"]["join"][&room]["timeline"]["events"][0];
    assert_eq!(event["content"]["body"], "news");
    assert_eq!(proxy.forwarded(), forwarded + 1);
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_server_that_does_not_start_says_why() {
    let mut options = SynapseOptions::default();
    options.extra.insert("server_name".into(), json!("no name at all"));
    let error = Synapse::start(options).await.unwrap_err().to_string();
    assert!(error.contains("it ended with exit status: 1"), "{error}");
    assert!(error.contains("no name at all"), "{error}");
}
