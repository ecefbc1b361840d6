//! Answers that no server should give: they harm nobody, and the sync goes on.

use serde_json::{Value, json};

use crate::client::{Client, token};
use crate::model::ME;
use crate::wire::Fault;

fn event(id: &str, rest: &Value) -> Value {
    let mut event = json!({
        "event_id": id, "sender": "@bob:sim", "type": "m.room.message", "origin_server_ts": 1, "content": {}
    });
    for (name, value) in rest.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}

/// Each of these goes into two rooms, twice, in an answer of its own.
#[test]
fn odd_events_stop_no_sync() {
    let txn = json!({ "transaction_id": "t1" });
    let relates = |id: &str, kind: &str| json!({ "m.relates_to": { "rel_type": kind, "event_id": id } });
    let long = "x".repeat(254);
    let odd = [
        json!([event("$a", &json!({})), event("$a", &json!({ "content": { "body": "other" } }))]),
        json!([event("$self", &json!({ "content": relates("$self", "m.replace") }))]),
        json!([event("$red", &json!({ "type": "m.room.redaction", "redacts": "$red" }))]),
        json!([
            event("$x", &json!({ "type": "m.room.redaction", "redacts": "$y" })),
            event("$y", &json!({ "type": "m.room.redaction", "redacts": "$x" }))
        ]),
        json!([
            event("$t1", &json!({ "sender": ME, "unsigned": txn })),
            event("$t2", &json!({ "sender": ME, "unsigned": txn }))
        ]),
        json!([event("~haos1", &json!({})), event("~~", &json!({}))]),
        json!([
            event("$ts", &json!({ "origin_server_ts": i64::MIN })),
            event("$ts2", &json!({ "origin_server_ts": 1e300 }))
        ]),
        json!([event("$long", &json!({ "type": long, "state_key": long }))]),
        json!([event(
            "$space",
            &json!({ "type": "m.space.child", "state_key": "!a", "content": { "via": ["x"] } })
        )]),
        json!([event(
            "$own",
            &json!({ "type": "m.room.member", "state_key": ME, "content": { "membership": "leave" } })
        )]),
        json!([event("$own2", &json!({ "type": "m.room.member", "state_key": ME, "content": [] }))]),
        json!([event("", &json!({})), json!({}), json!(null), json!([[]])]),
        json!([event("$sum", &json!({ "type": "haos.members", "state_key": "", "content": { "at": "x" } }))]),
    ];
    let mut client = Client::new(7);
    for id in ["!a", "!b"] {
        client.wire.model().create(id);
        client.wire.model().join(id);
    }
    client.start();
    assert!(client.caught_up());
    for (n, events) in odd.into_iter().enumerate() {
        for limited in [false, true] {
            client.wire.model().messages("!a", 1);
            let next = client.wire.model().token();
            let timeline = json!({ "events": events, "limited": limited, "prev_batch": "t0_1" });
            let rooms = json!({ "!a": { "timeline": timeline }, "!b": { "timeline": timeline } });
            let body = json!({ "next_batch": next, "rooms": { "join": rooms } });
            client.wire.next("sync", [Fault::Body(body.to_string().leak())]);
            client.pass(5000);
            assert_eq!(
                token(&client.rows).as_deref(),
                Some(&*next),
                "{n} stops the sync: {:?}",
                client.state()
            );
        }
    }
    let before = client.items("!b").len();
    client.wire.model().messages("!b", 1);
    assert!(client.caught_up());
    assert!(client.items("!b").len() > before);
}
