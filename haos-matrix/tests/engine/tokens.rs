//! Tokens that are of no use any more, invalid answers, servers in a hurry.

use haos_queue::{Answer, ConnectionState, Refusal};
use haos_store_api::{Membership, StorageAdapter as _, WriteBatch};
use serde_json::json;

use crate::client::{Client, token};
use crate::wire::{Fault, refused};

fn live() -> Client {
    let mut client = Client::new(1);
    for id in ["!a", "!b"] {
        client.wire.model().create(id);
        client.wire.model().join(id);
        client.wire.model().messages(id, 12);
    }
    client.start();
    assert!(client.caught_up());
    client
}

#[test]
fn a_lost_token_keeps_everything_and_reconciles() {
    let mut client = live();
    assert!(client.fill_all());
    client.kill();
    client.wire.model().age += 1;
    client.wire.model().messages("!a", 20);
    client.wire.model().own("!b", "leave");
    client.start();
    assert!(client.caught_up());
    client.check();
    let syncs = client.wire.asked("sync");
    assert!(
        syncs.last().unwrap().contains("s1_")
            && syncs.iter().filter(|what| what.starts_with("sync -")).count() == 2
    );
    // The server does not list what the user left while the token was lost; its messages stay.
    assert_eq!(client.stored("!b").unwrap().membership, Membership::Leave);
    assert!(client.items("!b").len() > 10);
    assert!(client.fill_all());
    let a = client.items("!a").len();
    assert_eq!(a, client.wire.model().rooms["!a"].events.len());
}

#[test]
fn a_filter_that_the_server_forgot_is_uploaded_anew() {
    let mut client = live();
    client.wire.model().filters = 0;
    client.wire.model().messages("!a", 1);
    let before = token(&client.rows);
    client.start();
    assert!(client.caught_up());
    assert_ne!(token(&client.rows), before);
    assert_eq!(client.wire.asked("filter").len(), 2);
    assert_eq!(client.wire.asked("sync -").len(), 1, "the token was not to blame");
}

#[test]
fn a_server_without_filters_gets_it_with_each_request() {
    let mut client = Client::new(2);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.wire.next("filter", vec![Fault::Fail(refused(404, "M_UNRECOGNIZED")); 9]);
    client.start();
    assert!(client.caught_up());
    assert!(client.wire.asked("sync").last().unwrap().ends_with('}'));
}

#[test]
fn a_captive_portal_is_not_the_server() {
    let mut client = live();
    let before = token(&client.rows);
    client.wire.model().messages("!a", 1);
    client.wire.next("sync", vec![Fault::Body("<html>log in</html>"); 3]);
    client.start();
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    assert_eq!(token(&client.rows), before);
    assert!(client.caught_up());
    client.check();
}

#[test]
fn a_proxys_400_costs_no_token() {
    let mut client = live();
    client.wire.next("sync", [Fault::Fail(Answer::Refused(Refusal { status: 400, ..Refusal::default() }))]);
    client.wire.model().messages("!a", 1);
    client.start();
    assert!(client.caught_up());
    assert_eq!(client.wire.asked("sync -").len(), 1);
}

#[test]
fn an_answer_from_a_cache_does_no_harm() {
    let mut client = live();
    for _ in 0..4 {
        client.wire.model().messages("!a", 9);
        // The first answer cannot be stored, and the server repeats it.
        let busy = haos_sim::Blow::Fail(haos_store_api::ErrorKind::Busy);
        client.plan.lock().unwrap().after(0, busy);
        client.wire.next("sync", [Fault::None, Fault::Cached]);
        client.pass(40_000);
        client.wire.model().messages("!a", 9);
        assert!(client.caught_up());
        client.check();
    }
}

/// Answers nothing, at once, again and again.
#[test]
fn a_server_in_a_hurry_is_asked_less_and_less() {
    let mut client = live();
    let nothing: &'static str = format!(r#"{{"next_batch":"{}"}}"#, token(&client.rows).unwrap()).leak();
    client.pass(60_000);
    client.wire.model().messages("!b", 1);
    client.wire.next("sync", vec![Fault::Body(nothing); 1000]);
    let before = client.wire.asked("sync").len();
    client.pass(600_000);
    let asked = client.wire.asked("sync").len() - before;
    assert!((5..60).contains(&asked), "{asked} times in ten minutes");
}

/// Says at once, again and again, that something happened, and not what.
#[test]
fn a_server_that_only_moves_its_token_is_not_asked_without_end() {
    let mut client = live();
    client.wire.model().messages("!b", 10_000);
    let place = client.wire.model().place(&token(&client.rows).unwrap()).unwrap();
    let bodies = (1..9000).map(|n| format!(r#"{{"next_batch":"s0_{}"}}"#, place + n));
    client.wire.next("sync", bodies.map(|body| Fault::Body(body.leak())));
    client.pass(30_000);
    let before = client.wire.asked("sync").len();
    client.pass(600_000);
    let asked = client.wire.asked("sync").len() - before;
    assert!((70..200).contains(&asked), "{asked} times in ten minutes");
}

/// Says at once, again and again, what it said before: under its token, and under others.
#[test]
fn what_changes_nothing_is_asked_for_less_and_less() {
    for moves in [false, true] {
        let mut client = live();
        let event = json!({
            "event_id": "$same", "sender": "@bob:sim", "type": "m.room.message", "origin_server_ts": 1,
            "content": { "body": "again" }
        });
        let receipt =
            json!({ "type": "m.receipt", "content": { "$same": { "m.read": { "@bob:sim": { "ts": 1 } } } } });
        let room = json!({
            "timeline": { "events": [event, 3], "limited": true, "prev_batch": "t0_1" },
            "ephemeral": { "events": [receipt] },
            "unread_notifications": { "notification_count": 2 },
            "summary": { "m.joined_member_count": 2 },
        });
        let place = client.wire.model().place(&token(&client.rows).unwrap()).unwrap();
        client.wire.model().messages("!b", 10_000);
        let body = |n: u64| {
            json!({
                "next_batch": format!("s0_{}", place + if moves { n } else { 1 }),
                "rooms": { "join": { "!b": room } },
                "account_data": { "events": [{ "type": "x", "content": { "a": 1 } }, 7] },
                "to_device": { "events": [{ "type": "x", "sender": "@bob:sim", "content": { "n": n } }] },
                "device_lists": { "changed": ["@bob:sim"] },
            })
        };
        client.wire.next("sync", (1..9000).map(|n| Fault::Body(body(n).to_string().leak())));
        client.pass(60_000);
        let before = client.wire.asked("sync").len();
        client.pass(600_000);
        let asked = client.wire.asked("sync").len() - before;
        assert!((5..200).contains(&asked), "{asked} times in ten minutes, the token moves: {moves}");
    }
}

#[test]
fn two_engines_on_one_store() {
    let mut client = live();
    let (_, other) = client.another();
    client.spawn(other);
    for n in 0..30 {
        client.wire.model().messages(["!a", "!b"][n % 2], n % 9);
        client.pass(700);
        client.check();
    }
    assert!(client.caught_up());
    assert!(client.fill_all());
    client.check_complete();
}

/// An engine's answer comes after another's has moved the token on: it leaves no trace.
#[test]
fn a_late_answer_takes_nothing_back() {
    let mut client = live();
    let (_, other) = client.another();
    client.spawn(other);
    client.pass(2000);
    for _ in 0..10 {
        client.wire.next("sync", [Fault::Late]);
        client.wire.model().messages("!a", 9);
        client.pass(5000);
        client.wire.model().messages("!a", 9);
        client.pass(5000);
        let seen = token(&client.rows);
        assert_eq!(seen, Some(client.wire.model().token()), "the one that is not late goes on");
        let (rows, held) = (client.rows.clone(), seen.clone());
        let went_back = |rows: &haos_store_api::MemoryStore| token(rows) != held;
        client.world.run(30_000, 1_000_000, || went_back(&rows));
        assert_eq!(token(&client.rows), seen, "not even for a moment");
        client.check();
    }
}

#[test]
fn a_token_that_cannot_be_read_is_none() {
    let mut client = live();
    client.kill();
    let garbage = haos_store_api::StateEntry {
        scope: haos_store_api::Scope::Account,
        kind: haos_store_api::EventType::new(haos_store_api::state_kind::SYNC_TOKEN).unwrap(),
        key: haos_store_api::StateKey::new("").unwrap(),
        event_id: None,
        value: haos_store_api::Json::new("\"garbage\"").unwrap(),
    };
    let mut batch = WriteBatch::relaxed();
    batch.put_state(garbage);
    let rows = client.rows.clone();
    client.act(async move { rows.apply(batch).await.unwrap() });
    client.wire.model().messages("!a", 9);
    client.start();
    assert!(client.caught_up());
    client.check();
}
