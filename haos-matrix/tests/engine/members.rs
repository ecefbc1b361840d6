//! Members on demand: once, all of them, as of a token.

use haos_matrix::MemberList;
use haos_queue::Answer;
use haos_store_api::{Membership, StorageAdapter as _};

use crate::client::{Client, room};
use crate::wire::{Fault, refused};

fn crowded() -> Client {
    let mut client = Client::new(11);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    for n in 0..30 {
        client.wire.model().member("!a", &format!("@guest{n:02}:sim"), "join");
    }
    client.wire.model().messages("!a", 8);
    client.start();
    assert!(client.caught_up());
    client
}

fn members(client: &mut Client) -> MemberList {
    let engine = client.engine.clone();
    client.act(async move { engine.members(&room("!a")).await.unwrap() })
}

fn membership(list: &MemberList, user: &str) -> Option<String> {
    let entry = list.entries.iter().find(|entry| entry.key.as_str() == user)?;
    entry.value.member("content")?.text("membership")
}

#[test]
fn they_are_fetched_once() {
    let mut client = crowded();
    let list = members(&mut client);
    assert!(list.complete && list.stopped.is_none());
    assert_eq!(list.entries.len(), 32);
    let event = client.wire.model().rooms["!a"].events[5].json.clone();
    let stored = list.entries.iter().find(|entry| event["state_key"] == entry.key.as_str()).unwrap();
    let value: serde_json::Value = stored.value.parse().unwrap();
    assert_eq!(value, event, "as it came");
    members(&mut client);
    assert_eq!(client.wire.asked("members").len(), 1);
    // Syncs keep the list complete.
    client.wire.model().member("!a", "@guest07:sim", "leave");
    assert!(client.caught_up());
    let list = members(&mut client);
    assert!(list.complete && membership(&list, "@guest07:sim").as_deref() == Some("leave"));
    assert_eq!(client.wire.asked("members").len(), 1);
}

#[test]
fn what_was_left_out_may_hide_members() {
    let mut client = crowded();
    members(&mut client);
    client.kill();
    client.wire.model().member("!a", "@guest03:sim", "leave");
    client.wire.model().messages("!a", 20);
    client.start();
    assert!(client.caught_up());
    let list = members(&mut client);
    assert_eq!(client.wire.asked("members").len(), 2);
    assert!(list.complete && membership(&list, "@guest03:sim").as_deref() == Some("leave"));
}

#[test]
fn a_room_left_and_joined_again() {
    let mut client = crowded();
    members(&mut client);
    client.wire.model().own("!a", "leave");
    assert!(client.caught_up());
    assert!(!members(&mut client).complete, "no changes come from there");
    client.wire.model().member("!a", "@guest03:sim", "leave");
    client.wire.model().join("!a");
    assert!(client.caught_up());
    let list = members(&mut client);
    assert!(list.complete && membership(&list, "@guest03:sim").as_deref() == Some("leave"));
}

/// A sync comes between the request and its answer.
#[test]
fn a_sync_in_between_makes_it_ask_again() {
    let mut client = crowded();
    for n in 0..40 {
        // Something was left out: the list must be fetched again.
        client.wire.model().messages("!a", 9);
        client.pass(5000);
        assert!(client.caught_up());
        let asked = client.wire.asked("members").len();
        client.wire.next("members", std::iter::repeat_n(Fault::Late, n % 3));
        let wire = client.wire.clone();
        let (engine, host) = (client.engine.clone(), client.outbox.host().clone());
        let list = client.act(async move {
            let id = room("!a");
            let fetching = engine.members(&id);
            let arriving = async {
                host.sleep(n as u64 * 37 % 400).await;
                wire.model().member("!a", "@guest05:sim", if n % 2 == 0 { "leave" } else { "join" });
                if n % 4 < 2 {
                    wire.model().messages("!a", 9);
                }
                host.sleep(5000).await;
            };
            futures_util::future::join(fetching, arriving).await.0.unwrap()
        });
        assert!(list.stopped.is_none());
        assert!(client.wire.asked("members").len() > asked);
        client.pass(5000);
        assert!(client.caught_up());
        let list = members(&mut client);
        let expected = if n % 2 == 0 { "leave" } else { "join" };
        assert!(list.complete);
        assert_eq!(membership(&list, "@guest05:sim").as_deref(), Some(expected), "round {n}");
    }
}

#[test]
fn without_a_server_what_is_stored() {
    let mut client = crowded();
    client.wire.next("members", [Fault::Fail(Answer::NoAnswer)]);
    let list = members(&mut client);
    assert!(!list.complete && list.stopped.is_some() && !list.entries.is_empty());
    // A server that cannot say it as of a token.
    client.wire.next("members", [Fault::Fail(refused(400, "M_INVALID_PARAM"))]);
    let list = members(&mut client);
    assert!(!list.complete && list.stopped.is_none());
    assert_eq!(list.entries.len(), 32);
    assert!(members(&mut client).complete);
    let rows = client.rows.clone();
    let stored = client.act(async move { rows.room(&room("!a")).await.unwrap() });
    assert_eq!(stored.unwrap().membership, Membership::Join);
}
