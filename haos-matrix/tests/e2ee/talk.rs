//! Two people write to each other.

use super::world::{ROOM, two};

#[tokio::test]
async fn two_people_write_to_each_other() {
    let (town, ada, bob) = two().await;
    ada.says("hello bob").await;
    bob.until_reads(&["hello bob"]).await;
    bob.says("hello ada").await;
    ada.until_reads(&["hello bob", "hello ada"]).await;
    ada.until_sent().await;
    bob.until_sent().await;
    let sent: Vec<_> = town.events(ROOM).into_iter().filter(|event| event["state_key"].is_null()).collect();
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|event| event["type"] == "m.room.encrypted"), "{sent:?}");
    for body in town.bodies("") {
        assert!(!String::from_utf8_lossy(&body).contains("hello"), "the server read it");
    }
}

#[tokio::test]
async fn devices_are_asked_for_once_however_much_is_said() {
    let (town, ada, bob) = two().await;
    ada.says("first").await;
    bob.says("second").await;
    ada.until_sent().await;
    bob.until_sent().await;
    let asked = || town.bodies("/keys/query").len();
    let before = asked();
    for n in 0..15 {
        ada.says(&format!("a{n}")).await;
        bob.says(&format!("b{n}")).await;
    }
    ada.until_sent().await;
    bob.until_sent().await;
    assert_eq!(asked(), before, "nobody's devices changed");
}
