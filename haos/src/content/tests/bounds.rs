use haos_store_api::{EventType, Json, StateKey, UserId};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::read::MAX_TEXT_BYTES;
use super::super::{Content, Mentions};

/// Types and members that are read, so that arbitrary JSON comes near to what is read.
const KINDS: [&str; 17] = [
    "m.room.message",
    "m.sticker",
    "m.room.encrypted",
    "m.poll.start",
    "org.matrix.msc3381.poll.start",
    "m.poll.response",
    "m.poll.end",
    "m.room.member",
    "m.room.create",
    "m.room.name",
    "m.room.topic",
    "m.room.avatar",
    "m.room.pinned_events",
    "m.room.canonical_alias",
    "m.room.tombstone",
    "m.space.child",
    "org.example.other",
];
const NAMES: [&str; 29] = [
    "msgtype",
    "body",
    "format",
    "formatted_body",
    "filename",
    "url",
    "file",
    "info",
    "w",
    "size",
    "thumbnail_url",
    "m.relates_to",
    "m.in_reply_to",
    "event_id",
    "m.text",
    "m.poll",
    "question",
    "answers",
    "m.id",
    "m.selections",
    "membership",
    "displayname",
    "name",
    "topic",
    "pinned",
    "via",
    "m.mentions",
    "user_ids",
    "reason",
];
const TEXTS: [&str; 13] = [
    "m.text",
    "m.emote",
    "m.image",
    "m.audio",
    "m.location",
    "org.matrix.custom.html",
    "join",
    "leave",
    "mxc://x/a",
    "geo:1,2",
    "$a",
    "> <@a:x> q\n\né",
    "<mx-reply>é</mx-reply><b>",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let name =
            prop_oneof![4 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..10)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// All that is read of an event.
fn read(kind: &str, key: Option<&str>, content: &Json, prev: Option<&Json>) -> Content {
    let sender = UserId::new("@a:x").unwrap();
    let key = key.map(|key| StateKey::new(key).unwrap());
    let content_of = Content::of(&EventType::new(kind).unwrap(), &sender, key.as_ref(), content, prev);
    let plain = content_of.plain();
    assert!(plain.len() <= MAX_TEXT_BYTES, "{} bytes", plain.len());
    assert!(serde_json::to_value(&content_of).is_ok_and(|value| value["type"].is_string()));
    Mentions::of(content);
    #[cfg(feature = "html")]
    content_of.html();
    content_of
}

proptest! {
    #[test]
    fn any_json_is_read(
        kind in prop::sample::select(&KINDS[..]),
        key in prop::sample::select(&[None, Some(""), Some("@a:x"), Some("!r:x")][..]),
        content in any_json(),
        prev in prop::option::of(any_json()),
    ) {
        let prev = prev.map(|prev| Json::of(&prev).unwrap());
        read(kind, key, &Json::of(&content).unwrap(), prev.as_ref());
    }
}

#[test]
fn huge_texts_are_cut() {
    let huge = "é".repeat(100_000);
    let name = json!({ "name": huge, "topic": huge, "alias": huge, "membership": "ban", "reason": huge });
    let message = |kind: &str| json!({ "msgtype": kind, "body": huge, "filename": "x", "geo_uri": format!("geo:{huge}") });
    for (kind, key, content) in [
        ("m.room.name", Some(""), name.clone()),
        ("m.room.topic", Some(""), name.clone()),
        ("m.room.canonical_alias", Some(""), name.clone()),
        ("m.room.member", Some("@b:x"), name),
        ("m.room.message", None, message("m.text")),
        ("m.room.message", None, message("m.image")),
        ("m.room.message", None, message("m.location")),
        ("m.room.message", None, message("org.example.new")),
        ("m.sticker", None, message("")),
        ("m.poll.end", None, json!({ "m.relates_to": { "event_id": "$p" }, "m.text": huge })),
        (
            "m.poll.start",
            None,
            json!({ "m.poll": { "question": { "m.text": huge }, "answers": [{ "m.id": huge, "m.text": huge }] } }),
        ),
    ] {
        let plain = read(kind, key, &Json::of(&content).unwrap(), None).plain();
        assert!(plain.contains("éé"), "{kind}");
    }
}
