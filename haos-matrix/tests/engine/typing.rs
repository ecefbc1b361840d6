//! Who is typing: told while the engine is live, and never kept.

use futures_util::FutureExt as _;
use haos_matrix::{SyncFilter, SyncOptions};
use haos_queue::Answer;
use haos_store_api::{Scope, StateEntry, StateQuery, StorageAdapter as _};
use serde_json::json;

use crate::client::{Client, options, room, token};
use crate::model::ME;
use crate::wire::Fault;

fn live() -> Client {
    let filter = SyncFilter { typing: true, ..SyncFilter::default() };
    let mut client = Client::with(3, SyncOptions { filter, ..options() }, false);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.start();
    assert!(client.caught_up());
    client
}

/// The next answer says that these people type, and nothing else.
fn typed(client: &mut Client, users: &[&str]) {
    let typing = json!({ "type": "m.typing", "content": { "user_ids": users } });
    let body = json!({
        "next_batch": token(&client.rows),
        "rooms": { "join": { "!a": { "ephemeral": { "events": [typing] } } } },
    });
    client.wire.next("sync", [Fault::Body(body.to_string().leak())]);
    client.pass(40_000);
}

fn typing(client: &Client) -> Vec<String> {
    let typing = client.engine.typing().borrow().clone();
    assert!(typing.keys().all(|id| *id == room("!a")) && typing.values().all(|users| !users.is_empty()));
    typing.values().flatten().map(ToString::to_string).collect()
}

fn state(client: &Client) -> Vec<StateEntry> {
    client.rows.state(StateQuery::all(Scope::Room(room("!a")))).now_or_never().unwrap().unwrap()
}

#[test]
fn others_who_type_are_told_and_not_kept() {
    let mut client = live();
    let kept = state(&client);
    typed(&mut client, &["@bob:sim", ME]);
    assert_eq!(typing(&client), ["@bob:sim"], "oneself is not among them");
    client.wire.model().messages("!a", 1);
    assert!(client.caught_up());
    assert_eq!(typing(&client), ["@bob:sim"], "what says nothing of it changes nothing");
    typed(&mut client, &["@bob:sim", "@eve:sim"]);
    assert_eq!(typing(&client), ["@bob:sim", "@eve:sim"]);
    typed(&mut client, &[]);
    assert!(typing(&client).is_empty());
    assert_eq!(state(&client), kept);
}

#[test]
fn without_a_server_nobody_types() {
    let mut client = live();
    typed(&mut client, &["@bob:sim"]);
    let mut watch = client.engine.typing();
    watch.mark_unchanged();
    *client.wire.down.lock().unwrap() = Some(Fault::Fail(Answer::NoAnswer));
    client.pass(120_000);
    assert!(typing(&client).is_empty() && watch.has_changed().unwrap());
    *client.wire.down.lock().unwrap() = None;
    assert!(client.caught_up());
    typed(&mut client, &["@bob:sim"]);
    assert_eq!(typing(&client), ["@bob:sim"]);
    client.kill();
    assert!(typing(&client).is_empty(), "nothing runs");
}

#[test]
fn it_is_asked_for_only_where_it_is_wanted() {
    let asked = |client: &Client| client.wire.asked("filter").last().unwrap().contains("m.typing");
    assert!(asked(&live()));
    let mut client = Client::new(3);
    client.start();
    assert!(client.caught_up());
    assert!(!asked(&client));
}
