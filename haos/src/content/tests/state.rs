use haos_store_api::{EventType, Json, StateKey, UserId};
use serde_json::json;

use super::super::{Content, StateChange};
use super::ADA;

const BOB: &str = "@bob:example.org";

fn change(kind: &str, key: &str, content: &str, prev: Option<&str>) -> Content {
    let (kind, sender, key) =
        (EventType::new(kind).unwrap(), UserId::new(ADA).unwrap(), StateKey::new(key).unwrap());
    let prev = prev.map(|prev| Json::new(prev).unwrap());
    Content::of(&kind, &sender, Some(&key), &Json::new(content).unwrap(), prev.as_ref())
}

fn sentence(kind: &str, key: &str, content: &str, prev: Option<&str>) -> String {
    let Content::State(change) = change(kind, key, content, prev) else { panic!("{kind} is state") };
    change.sentence("Ada", (key == BOB).then_some("Bob"))
}

#[test]
fn changes_of_members() {
    let membership = |name: &str| format!(r#"{{"membership":"{name}"}}"#);
    // The table of the specification's `m.room.member`.
    for (before, after, own, other) in [
        ("", "join", "Ada joined the room", ""),
        ("leave", "join", "Ada joined the room", ""),
        ("invite", "join", "Ada joined the room", ""),
        ("join", "join", "Ada changed nothing", ""),
        ("", "invite", "", "Ada invited Bob"),
        ("leave", "invite", "", "Ada invited Bob"),
        ("knock", "invite", "", "Ada invited Bob"),
        ("invite", "invite", "", "Ada changed nothing"),
        ("", "leave", "Ada left the room", "Ada removed Bob"),
        ("join", "leave", "Ada left the room", "Ada removed Bob"),
        ("invite", "leave", "Ada rejected the invite", "Ada withdrew the invite of Bob"),
        ("knock", "leave", "Ada no longer asks to join the room", "Ada turned down Bob, who asked to join"),
        ("ban", "leave", "", "Ada unbanned Bob"),
        ("leave", "leave", "Ada changed nothing", "Ada changed nothing"),
        ("", "ban", "", "Ada banned Bob"),
        ("join", "ban", "", "Ada banned Bob"),
        ("invite", "ban", "", "Ada banned Bob"),
        ("ban", "ban", "", "Ada changed nothing"),
        ("", "knock", "Ada asked to join the room", ""),
        ("leave", "knock", "Ada asked to join the room", ""),
        ("knock", "knock", "Ada changed nothing", ""),
        ("", "dance", "Ada changed the room's state (m.room.member)", ""),
    ] {
        let prev = Some(membership(before)).filter(|_| !before.is_empty());
        for (key, expected) in [(ADA, own), (BOB, other)] {
            if !expected.is_empty() {
                let told = sentence("m.room.member", key, &membership(after), prev.as_deref());
                assert_eq!(told, expected, "{before} to {after}");
            }
        }
    }
}

#[test]
fn changes_of_profiles() {
    let bob = r#"{"membership":"join","displayname":"Bob","avatar_url":"mxc://x/b"}"#;
    for (after, expected) in [
        (bob, "Ada changed nothing"),
        (
            r#"{"membership":"join","displayname":"Rob","avatar_url":"mxc://x/b"}"#,
            "Ada changed their name from “Bob” to “Rob”",
        ),
        (
            r#"{"membership":"join","displayname":null,"avatar_url":"mxc://x/b"}"#,
            "Ada removed their name “Bob”",
        ),
        (
            r#"{"membership":"join","displayname":"Bob","avatar_url":"mxc://x/c"}"#,
            "Ada changed their picture",
        ),
        (r#"{"membership":"join","displayname":"Bob"}"#, "Ada changed their picture"),
        (
            r#"{"membership":"join","displayname":"Rob","avatar_url":7}"#,
            "Ada changed their name from “Bob” to “Rob” and changed their picture",
        ),
    ] {
        assert_eq!(sentence("m.room.member", ADA, after, Some(bob)), expected, "{after}");
    }
    let set = sentence("m.room.member", ADA, bob, Some(r#"{"membership":"join","avatar_url":"mxc://x/b"}"#));
    assert_eq!(set, "Ada set their name to “Bob”");
}

#[test]
fn reasons_are_told_except_for_invites() {
    let with = |membership: &str| format!(r#"{{"membership":"{membership}","reason":"spam"}}"#);
    assert_eq!(sentence("m.room.member", BOB, &with("ban"), None), "Ada banned Bob: spam");
    assert_eq!(sentence("m.room.member", ADA, &with("leave"), None), "Ada left the room: spam");
    assert_eq!(sentence("m.room.member", BOB, &with("invite"), None), "Ada invited Bob");
}

#[test]
fn changes_of_rooms() {
    for (kind, key, content, prev, expected) in [
        ("m.room.create", "", r#"{"room_version":"12"}"#, None, "created the room"),
        ("m.room.create", "", r#"{"type":"m.space"}"#, None, "created the space"),
        ("m.room.name", "", r#"{"name":"Lobby"}"#, None, "changed the room's name to “Lobby”"),
        ("m.room.name", "", r#"{"name":""}"#, None, "removed the room's name"),
        ("m.room.name", "", r#"{"name":7}"#, None, "removed the room's name"),
        ("m.room.name", "x", r#"{"name":"Lobby"}"#, None, "changed the room's state (m.room.name)"),
        ("m.room.topic", "", r#"{"topic":"Tea"}"#, None, "changed the room's topic to “Tea”"),
        (
            "m.room.topic",
            "",
            r#"{"m.topic":{"m.text":[{"body":"Tea"}]}}"#,
            None,
            "changed the room's topic to “Tea”",
        ),
        ("m.room.topic", "", "{}", None, "removed the room's topic"),
        ("m.room.avatar", "", r#"{"url":"mxc://x/a"}"#, None, "changed the room's picture"),
        ("m.room.avatar", "", r#"{"url":""}"#, None, "removed the room's picture"),
        ("m.room.encryption", "", r#"{"algorithm":"m.megolm.v1.aes-sha2"}"#, None, "turned on encryption"),
        ("m.room.power_levels", "", r#"{"users":{}}"#, None, "changed the rights of members"),
        ("m.room.pinned_events", "", r#"{"pinned":["$a"]}"#, None, "changed the pinned messages"),
        ("m.room.pinned_events", "", r#"{"pinned":["$a"]}"#, Some("{}"), "pinned a message"),
        (
            "m.room.pinned_events",
            "",
            r#"{"pinned":["$a","$b","$c"]}"#,
            Some(r#"{"pinned":["$a"]}"#),
            "pinned 2 messages",
        ),
        ("m.room.pinned_events", "", r#"{"pinned":[]}"#, Some(r#"{"pinned":["$a"]}"#), "unpinned a message"),
        (
            "m.room.pinned_events",
            "",
            r#"{"pinned":["$b"]}"#,
            Some(r#"{"pinned":["$a"]}"#),
            "pinned a message and unpinned a message",
        ),
        ("m.room.join_rules", "", r#"{"join_rule":"public"}"#, None, "let everybody join the room"),
        ("m.room.join_rules", "", r#"{"join_rule":"invite"}"#, None, "made the room invite only"),
        ("m.room.join_rules", "", r#"{"join_rule":"knock"}"#, None, "let people ask to join the room"),
        (
            "m.room.join_rules",
            "",
            r#"{"join_rule":"restricted"}"#,
            None,
            "let members of other rooms join the room",
        ),
        ("m.room.join_rules", "", "{}", None, "changed who may join the room"),
        (
            "m.room.history_visibility",
            "",
            r#"{"history_visibility":"world_readable"}"#,
            None,
            "let everybody read the whole history",
        ),
        (
            "m.room.history_visibility",
            "",
            r#"{"history_visibility":"joined"}"#,
            None,
            "let members read what was said since they joined",
        ),
        ("m.room.history_visibility", "", "{}", None, "changed who may read the history"),
        ("m.room.guest_access", "", r#"{"guest_access":"can_join"}"#, None, "let guests join the room"),
        ("m.room.guest_access", "", r#"{"guest_access":"forbidden"}"#, None, "closed the room to guests"),
        (
            "m.room.canonical_alias",
            "",
            r##"{"alias":"#lobby:x"}"##,
            None,
            "changed the room's address to “#lobby:x”",
        ),
        ("m.room.canonical_alias", "", "{}", None, "removed the room's address"),
        (
            "m.room.tombstone",
            "",
            r#"{"replacement_room":"!new:x"}"#,
            None,
            "replaced the room with a new one",
        ),
        ("m.space.child", "!r:x", r#"{"via":["x"]}"#, None, "added a room to the space"),
        ("m.space.child", "!r:x", "{}", None, "removed a room from the space"),
        ("m.space.child", "", r#"{"via":["x"]}"#, None, "changed the room's state (m.space.child)"),
        ("m.space.parent", "!s:x", r#"{"via":["x"]}"#, None, "added the room to a space"),
        ("m.space.parent", "!s:x", r#"{"via":[]}"#, None, "removed the room from a space"),
        ("org.example.widget", "w", "{}", None, "changed the room's state (org.example.widget)"),
    ] {
        let expected = format!("Ada {expected}");
        assert_eq!(sentence(kind, key, content, prev), expected, "{kind} {content}");
    }
}

#[test]
fn without_names_ids_stand_for_members() {
    let plain = |kind, key, content| change(kind, key, content, None).plain();
    assert_eq!(plain("m.room.member", ADA, r#"{"membership":"join"}"#), "@ada:example.org joined the room");
    assert_eq!(plain("m.room.member", BOB, r#"{"membership":"ban"}"#), "Somebody banned @bob:example.org");
    assert_eq!(
        plain("m.room.name", "", r#"{"name":"Lobby"}"#),
        "Somebody changed the room's name to “Lobby”"
    );
}

#[test]
fn as_json() {
    let value = |content: Content| serde_json::to_value(content).unwrap();
    let prev = Some(r#"{"membership":"join","displayname":"Ada"}"#);
    assert_eq!(
        value(change("m.room.member", ADA, r#"{"membership":"join","displayname":"A"}"#, prev)),
        json!({
            "type": "state", "change": "member", "user": ADA, "action": "profile_changed",
            "name": { "before": "Ada", "after": "A" }, "avatar": false, "reason": null,
        })
    );
    assert_eq!(
        value(change("m.room.member", BOB, r#"{"membership":"ban","reason":"spam"}"#, None)),
        json!({ "type": "state", "change": "member", "user": BOB, "action": "banned", "reason": "spam" })
    );
    assert_eq!(
        value(change("m.room.power_levels", "", "{}", None)),
        json!({ "type": "state", "change": "power_levels" })
    );
    let tombstone = r#"{"replacement_room":"!new:x","body":"moved"}"#;
    assert_eq!(
        value(change("m.room.tombstone", "", tombstone, None)),
        json!({ "type": "state", "change": "tombstone", "replacement": "!new:x", "body": "moved" })
    );
    let create = r#"{"predecessor":{"room_id":"!old:x"},"type":7}"#;
    let Content::State(StateChange::Created { is_space, predecessor }) =
        change("m.room.create", "", create, None)
    else {
        panic!("the room's beginning")
    };
    assert_eq!((is_space, predecessor.unwrap().as_str()), (false, "!old:x"));
}
