//! Too much that a server sends unasked.

use haos_matrix::{AnswerLimits, KeepLimits, LeftOut, SyncOptions, ToDeviceLimits};
use haos_queue::ConnectionState;
use haos_store_api::*;
use serde_json::{Value, json};

use crate::client::{Client, options, token};
use crate::wire::Fault;

fn client(keep: KeepLimits, limits: AnswerLimits) -> Client {
    let mut client = Client::with(11, SyncOptions { keep, limits, ..options() }, false);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.start();
    assert!(client.caught_up());
    client
}

/// Has the client sync this, with a token that follows the model's.
fn synced(client: &mut Client, mut body: Value) {
    client.wire.model().messages("!a", 1);
    let next = client.wire.model().token();
    body["next_batch"] = json!(next);
    client.wire.next("sync", [Fault::Body(body.to_string().leak())]);
    client.pass(60_000);
    assert_eq!(token(&client.rows), Some(next), "{:?}", client.state());
}

fn account(client: &mut Client, kind: &str) -> Vec<StateEntry> {
    let (rows, kind) = (client.rows.clone(), EventType::new(kind).unwrap());
    client.act(async move { rows.state(StateQuery::kind(Scope::Account, kind)).await.unwrap() })
}

fn left_out(client: &mut Client) -> LeftOut {
    let engine = client.engine.clone();
    client.act(async move { engine.left_out().await.unwrap() })
}

fn to_device(sender: &str, events: usize) -> Value {
    let event = |n| json!({ "type": "m.room_key", "sender": sender, "content": { "n": n } });
    json!({ "to_device": { "events": (0..events).map(event).collect::<Vec<_>>() } })
}

#[test]
fn events_for_the_device_are_let_go_where_nobody_reads_them() {
    let mut client = client(KeepLimits::default(), AnswerLimits::default());
    let mut body = to_device("@bob:sim", 1000);
    body["device_lists"] = json!({ "changed": ["@bob:sim"], "left": ["@eve:sim"] });
    synced(&mut client, body);
    assert_eq!(account(&mut client, "haos.to_device"), []);
    assert_eq!(account(&mut client, "haos.device_list"), []);
    assert_eq!(left_out(&mut client), LeftOut::default(), "nobody misses them");
}

#[test]
fn events_for_the_device_wait_unread_and_end_for_each_sender() {
    let few = ToDeviceLimits { events: 30, users: 10, ..ToDeviceLimits::default() };
    let keep = KeepLimits { to_device: Some(few), ..KeepLimits::default() };
    let mut client = client(keep, AnswerLimits::default());
    synced(&mut client, to_device("@bob:sim", 20));
    synced(&mut client, to_device("@eve:sim", 100));
    assert_eq!(left_out(&mut client).to_device, 70);
    synced(&mut client, to_device("@bob:sim", 20));
    let waiting = account(&mut client, "haos.to_device");
    let of =
        |sender: &str| waiting.iter().filter(|e| e.value.text("sender").as_deref() == Some(sender)).count();
    assert_eq!((of("@bob:sim"), of("@eve:sim")), (30, 30), "what waits is never dropped");
    assert_eq!(left_out(&mut client).to_device, 80);
    // Whoever has read them makes room.
    let rows = client.rows.clone();
    client.act(async move {
        let mut batch = WriteBatch::relaxed();
        for entry in waiting {
            batch.remove_state(entry.scope, entry.kind, entry.key);
        }
        rows.apply(batch).await.unwrap();
    });
    synced(&mut client, to_device("@eve:sim", 10));
    assert_eq!(account(&mut client, "haos.to_device").len(), 10);
    let users: Vec<String> = (0..11).map(|n| format!("@u{n}:sim")).collect();
    synced(&mut client, json!({ "device_lists": { "changed": users } }));
    let lists = account(&mut client, "haos.device_list");
    assert_eq!(
        lists.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(),
        ["*"],
        "nobody is forgotten"
    );
}

#[test]
fn what_cannot_be_read_has_an_end() {
    let keep = KeepLimits { unreadable: 20, ..KeepLimits::default() };
    let mut client = client(keep, AnswerLimits::default());
    for turn in 0..10 {
        let events: Vec<Value> = (0..8).map(|n| json!({ "odd": turn * 8 + n })).collect();
        let body = json!({ "rooms": { "join": { "!a": { "timeline": { "events": events } } } } });
        synced(&mut client, body);
    }
    let (rows, room) = (client.rows.clone(), RoomId::new("!a").unwrap());
    let kind = EventType::new(state_kind::UNREADABLE).unwrap();
    let kept =
        client.act(async move { rows.state(StateQuery::kind(Scope::Room(room), kind)).await.unwrap() });
    let mut numbers: Vec<u64> =
        kept.iter().map(|entry| entry.value.parse::<Value>().unwrap()["odd"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (60..80).collect::<Vec<_>>(), "the oldest went first");
    assert_eq!(left_out(&mut client).unreadable, 60);
    // The same once more is counted, and no more.
    let body = json!({ "rooms": { "join": { "!a": { "timeline": { "events": vec![json!({ "odd": 79 }); 500] } } } } });
    synced(&mut client, body);
    assert_eq!(left_out(&mut client).unreadable, 560);
}

#[test]
fn invites_of_strangers_have_an_end() {
    let keep = KeepLimits { invites: 5, invite_bytes: 1000, ..KeepLimits::default() };
    let mut client = client(keep, AnswerLimits::default());
    let invite = |id: String| {
        let name =
            json!({ "type": "m.room.name", "state_key": "", "sender": "@spam:x", "content": { "name": id } });
        let topic = json!({ "type": "m.room.topic", "state_key": "", "sender": "@spam:x",
            "content": { "topic": "x".repeat(5000) } });
        (id, json!({ "invite_state": { "events": [name, topic] } }))
    };
    for turn in 0..4 {
        let rooms: serde_json::Map<_, _> = (0..3).map(|n| invite(format!("!spam{turn}{n}"))).collect();
        synced(&mut client, json!({ "rooms": { "invite": rooms } }));
    }
    let rows = client.rows.clone();
    let query = RoomQuery { membership: Some(Membership::Invite), ..RoomQuery::default() };
    let invites = client.act(async move { rows.rooms(query).await.unwrap() });
    assert_eq!(invites.len(), 5);
    let newest = invites.iter().filter(|room| room.id.as_str().starts_with("!spam3")).count();
    assert_eq!(newest, 3, "{invites:?}");
    assert_eq!(left_out(&mut client).invites, 7);
    let (rows, scope) = (client.rows.clone(), Scope::Room(invites[0].id.clone()));
    let state = client.act(async move { rows.state(StateQuery::all(scope)).await.unwrap() });
    assert_eq!(
        state.iter().map(|entry| entry.kind.as_str()).collect::<Vec<_>>(),
        ["haos.members", "m.room.name"]
    );
    // An answered invite makes room.
    let id = invites[0].id.to_string();
    synced(&mut client, json!({ "rooms": { "join": { id: {} } } }));
    synced(&mut client, json!({ "rooms": { "invite": { "!friend": {} } } }));
    assert!(client.stored("!friend").is_some());
    assert_eq!(left_out(&mut client).invites, 7);
}

/// With the events it had, and then with those of each room's newest one.
#[test]
fn too_much_is_asked_for_again_as_less_and_then_seldom() {
    let mut client = client(KeepLimits::default(), AnswerLimits { entries: 100, ..AnswerLimits::default() });
    let events: Vec<Value> = (0..200)
        .map(|n| json!({ "event_id": format!("$x{n}"), "sender": "@b:x", "type": "t", "content": {} }))
        .collect();
    let next = client.wire.model().token();
    let much =
        json!({ "next_batch": next, "rooms": { "join": { "!a": { "timeline": { "events": events } } } } });
    let much: &'static str = much.to_string().leak();
    client.wire.next("sync", [Fault::Body(much)]);
    client.wire.model().messages("!a", 1);
    client.pass(60_000);
    let asked = client.wire.asked("sync");
    let slim = asked.iter().find(|what| what.contains(r#""limit":1}"#)).cloned();
    assert!(slim.is_some_and(|what| what.contains("not_types")), "{asked:?}");
    assert!(client.caught_up(), "{:?}", client.state());
    client.wire.next("sync", vec![Fault::Body(much); 1000]);
    client.wire.model().messages("!a", 1);
    client.pass(60_000);
    let said = match client.state() {
        ConnectionState::Degraded { error, .. } => error,
        other => panic!("{other:?}"),
    };
    assert!(said.contains("more than 100 entries"), "{said}");
    let before = client.wire.asked("sync").len();
    client.pass(3_600_000);
    let asked = client.wire.asked("sync").len() - before;
    assert!((1..20).contains(&asked), "{asked} times in an hour");
}
