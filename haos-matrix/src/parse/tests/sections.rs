//! Wherever something odd stands in an answer: what it takes with it is itself.

use serde_json::json;

use super::Endpoint::*;
use super::answers::*;
use super::*;

/// The answer with `by` in the place of what is at `path`, or without it.
fn with(answer: &str, path: &str, by: Option<Value>) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = answer.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {path}"));
    let members = parent.as_object_mut().unwrap();
    match by {
        Some(by) => members.insert(name.to_owned(), by),
        None => members.remove(name),
    };
    answer.to_string()
}

/// The lines, those of state by where they stand: of two that stand under a key the last holds, and of what is set
/// aside none comes before another.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    let place = |line: &String| match line.split_once(" > ") {
        Some((room, _)) => room.to_owned(),
        None if line.contains("haos.unreadable") => line.clone(),
        None => line.split(']').next().unwrap_or_default().to_owned(),
    };
    lines.sort_by_key(place);
    lines
}

/// The lines, each once: what cannot be read is kept once, as its text is.
fn distinct(mut lines: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    lines.retain(|line| !line.contains("haos.left_out") && seen.insert(line.clone()));
    lines
}

/// Paths to all members with a name that the specification gives, which is all but ids and what clients write.
fn named(value: &Value) -> Vec<String> {
    /// Objects whose members are named by ids, by lists or by whoever wrote them.
    const BY_ID: [&str; 11] = [
        "join",
        "leave",
        "invite",
        "knock",
        "summary",
        "lists",
        "m.read",
        "content",
        "rooms",
        "device_lists",
        "unread_thread_notifications",
    ];
    fn walk(value: &Value, path: &str, paths: &mut Vec<String>) {
        let name = path.rsplit('/').next().unwrap_or_default();
        // Those of a sync are sections, those of sliding sync and its extensions ids.
        let is_sections = name == "rooms" && value.get("join").is_some();
        let by_id = BY_ID.contains(&name) && !is_sections || name.starts_with('$');
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let path = format!("{path}/{name}");
                    walk(value, &path, paths);
                    if !by_id {
                        paths.push(path);
                    }
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| walk(item, &format!("{path}/{at}"), paths));
            }
            _ => {}
        }
    }
    let mut paths = Vec::new();
    walk(value, "", &mut paths);
    paths
}

/// JSON text with the members of every object in an order of chance; where `doubled` is given, each has
/// something else before it under its name.
fn shuffled(value: &Value, chance: &mut u64, doubled: &[&str], path: &str) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for at in (1..members.len()).rev() {
                *chance =
                    chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                members.swap(at, (*chance >> 33) as usize % (at + 1));
            }
            let member = |(name, value): (&String, &Value)| {
                let path = format!("{path}/{name}");
                let other =
                    if doubled.contains(&&*path) { format!("{}:[7],", json!(name)) } else { String::new() };
                format!("{other}{}:{}", json!(name), shuffled(value, chance, doubled, &path))
            };
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let item = |(at, item)| shuffled(item, chance, doubled, &format!("{path}/{at}"));
            format!("[{}]", items.iter().enumerate().map(item).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_order_of_members_means_nothing() {
    for (endpoint, json) in ALL {
        let answer: Value = serde_json::from_str(json).unwrap();
        let found = sorted(endpoint.read(json, &me()).unwrap());
        for mut chance in 0..20 {
            let text = shuffled(&answer, &mut chance, &[], "");
            assert_eq!(sorted(endpoint.read(&text, &me()).unwrap()), found, "{text}");
        }
    }
}

#[test]
fn null_is_absent() {
    for (endpoint, json) in ALL {
        for path in named(&serde_json::from_str(json).unwrap()) {
            let read = |by| endpoint.read(&with(json, &path, by), &me()).map(distinct);
            let [null, absent] = [Some(Value::Null), None].map(read);
            assert_eq!(null, absent, "{endpoint:?} {path}");
        }
    }
}

#[test]
fn of_members_with_one_name_the_last_counts() {
    for (endpoint, json) in ALL {
        let answer: Value = serde_json::from_str(json).unwrap();
        let found = sorted(endpoint.read(json, &me()).unwrap());
        for path in named(&answer) {
            // Each section of rooms is read by itself; what could not be read is kept as it came.
            if path.starts_with("/rooms/") && path.matches('/').count() == 2 {
                continue;
            }
            let text = shuffled(&answer, &mut 1, &[&path], "");
            let read = sorted(endpoint.read(&text, &me()).unwrap());
            assert_eq!(read, found, "{endpoint:?} {path}");
        }
    }
}

/// An answer with a room, and where its sections are.
struct Place {
    endpoint: Endpoint,
    answer: String,
    /// The path of the sections, and the beginning of each line that is set aside.
    at: &'static str,
    aside: &'static str,
}

impl Place {
    fn read(&self, section: &str, by: Option<Value>) -> Vec<String> {
        let answer = with(&self.answer, &format!("{}/{section}", self.at), by);
        self.endpoint.read(&answer, &me()).unwrap()
    }

    /// Sections of no shape that can be read are each one thing that is set aside, and nothing else changes.
    fn holds(&self, section: &str, like: Option<Value>, aside: impl Fn(&Value) -> Value) {
        let others =
            [json!(7), json!("x"), json!([]), json!(true), json!({"events": 7}), json!({"events": {}})];
        for other in others {
            if section == "summary" && other.is_object() {
                continue;
            }
            let mut expected = self.read(section, like.clone());
            expected.push(format!("{}haos.unreadable [] - {}", self.aside, aside(&other)));
            let found = self.read(section, Some(other.clone()));
            assert_eq!(sorted(found), sorted(expected), "{section}: {other}");
        }
    }
}

#[test]
fn a_section_of_another_shape_takes_nothing_else_with_it() {
    let rooms = Place { endpoint: Sync, answer: SYNC.to_owned(), at: "/rooms/join/!r", aside: "!r: " };
    let account = Place { endpoint: Sync, answer: SYNC.to_owned(), at: "", aside: "" };
    for name in ["state", "invite_state", "knock_state", "timeline", "account_data", "ephemeral", "summary"] {
        rooms.holds(name, None, |other| json!({ name: other }));
    }
    // Whatever it is, it says that the state of the timeline is not the current one.
    for name in ["state_after", "org.matrix.msc4222.state_after"] {
        rooms.holds(name, Some(json!({})), |other| json!({ name: other }));
        let nothing = [json!({}), json!({"events": null}), json!({"events": []})];
        let [first, second, third] = nothing.map(|by| rooms.read(name, Some(by)));
        assert!(first == second && second == third && first != rooms.read(name, None), "{name}");
    }
    for name in ["account_data", "to_device", "device_lists"] {
        account.holds(name, None, |other| json!({ name: other }));
    }
    for (place, name) in [
        (&rooms, "state"),
        (&rooms, "invite_state"),
        (&rooms, "knock_state"),
        (&rooms, "timeline"),
        (&rooms, "account_data"),
        (&rooms, "ephemeral"),
        (&account, "account_data"),
        (&account, "to_device"),
    ] {
        for nothing in [json!({}), json!({"events": null}), json!({"events": []})] {
            assert_eq!(place.read(name, Some(nothing)), place.read(name, None), "{name}");
        }
    }
    for (place, name) in [(&rooms, "summary"), (&rooms, "unread_notifications"), (&account, "device_lists")] {
        assert_eq!(place.read(name, Some(json!({}))), place.read(name, None), "{name}");
    }
}

#[test]
fn an_answer_that_is_none_says_where_and_what_is_there() {
    let found = |text: &str| match text.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(_) => "a number",
        None => "absent",
    };
    for odd in ["{}", "[]", r#""x""#, "true", "false", "7", "-7", "null"] {
        for (endpoint, _) in ALL {
            let error = endpoint.read(odd, &me()).unwrap_err();
            let ParseError::Shape { at, found: is, .. } = &error else { panic!("{odd}: {error}") };
            let (place, what) = match (endpoint, odd) {
                (Sync, "{}") => ("next_batch", "absent"),
                (Sliding, "{}") => ("pos", "absent"),
                (Messages | Members, "{}") => ("chunk", "absent"),
                (Context, "{}") => ("start", "absent"),
                _ => ("", found(odd)),
            };
            assert_eq!((at.as_str(), *is), (place, what), "{endpoint:?} {odd}");
        }
        // Members that decide of the whole.
        for (endpoint, path, is_list) in [
            (Sync, "/next_batch", false),
            (Sync, "/rooms", false),
            (Sync, "/rooms/join", false),
            (Sync, "/rooms/leave", false),
            (Sliding, "/pos", false),
            (Sliding, "/rooms", false),
            (Messages, "/chunk", true),
            (Messages, "/end", false),
            (Context, "/start", false),
            (Members, "/chunk", true),
        ] {
            let (_, answer) = ALL.into_iter().find(|(of, _)| *of == endpoint).unwrap();
            let read = endpoint.read(&with(answer, path, Some(serde_json::from_str(odd).unwrap())), &me());
            let is_token = ["/next_batch", "/pos", "/end", "/start"].contains(&path);
            let may_be_null = ["/rooms", "/end"].iter().any(|begin| path.starts_with(begin));
            let fits = match found(odd) {
                "a text" => is_token,
                "a list" => is_list,
                "an object" => path.starts_with("/rooms"),
                "null" => may_be_null,
                _ => false,
            };
            let there = if odd == "null" { "absent" } else { found(odd) };
            match read {
                Ok(_) => assert!(fits, "{endpoint:?} {path} {odd}"),
                Err(ParseError::Shape { at, found, .. }) => {
                    let dotted = path[1..].replace('/', ".");
                    assert_eq!((at, found, fits), (dotted, there, false), "{endpoint:?} {path} {odd}");
                }
                Err(other) => panic!("{endpoint:?} {path} {odd}: {other}"),
            }
        }
    }
}

/// The unread counts of a room: each alone, none, and such as are no counts.
#[test]
fn unread_counts_that_are_told() {
    let read = |counts: &str| {
        let json = format!(
            r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{{"unread_notifications":{counts}}}}}}}}}"#
        );
        Sync.read(&json, &me()).unwrap()[1..].join("; ")
    };
    for (counts, found) in [
        (r#"{"notification_count":3,"highlight_count":1}"#, "!r Join unread=3/1"),
        (r#"{"notification_count":3}"#, "!r Join unread=3/0"),
        (r#"{"highlight_count":1}"#, "!r Join unread=0/1"),
        (r#"{"notification_count":0}"#, "!r Join unread=0/0"),
        (r#"{"notification_count":-1,"highlight_count":-2}"#, "!r Join unread=0/0"),
        (r#"{"notification_count":"x","highlight_count":1}"#, "!r Join unread=0/1"),
        (r#"{"notification_count":"x"}"#, "!r Join"),
        ("{}", "!r Join"),
        ("7", "!r Join"),
    ] {
        assert_eq!(read(counts), found, "{counts}");
    }
}

#[test]
fn whose_devices_changed() {
    let read = |lists: &str| {
        let json = format!(r#"{{"next_batch":"s","device_lists":{lists}}}"#);
        Sync.read(&json, &me()).unwrap()[1..].to_vec()
    };
    let of = |user: &str, what: &str| format!("haos.device_list [{user}] - {{\"{what}\":true}}");
    for lists in [r#"{"changed":["@a","@b"],"left":["@b"]}"#, r#"{"left":["@b"],"changed":["@a","@b"]}"#] {
        assert_eq!(read(lists), [of("@b", "left"), of("@a", "changed"), of("@b", "changed")], "{lists}");
    }
    assert_eq!(read(r#"{"changed":null,"left":["@b"]}"#), [of("@b", "left")]);
    let aside = |value: &str| format!("haos.unreadable [] - {value}");
    let odd = r#"{"changed":7,"left":["@b"]}"#;
    assert_eq!(read(odd), [of("@b", "left"), aside(&format!(r#"{{"device_lists":{odd}}}"#))]);
    let long = format!("@{}", "x".repeat(255));
    assert_eq!(
        read(&format!(r#"{{"left":[7,"{long}","@b"]}}"#)),
        [aside("7"), aside(&format!(r#""{long}""#)), of("@b", "left")]
    );
}

/// A room that an answer mentions more than once.
#[test]
fn mentions_of_a_room_are_read_in_their_order() {
    let event = |id: &str, time: i64| {
        format!(
            r#"{{"event_id":"{id}","sender":"@b:x","type":"m","origin_server_ts":{time},"content":{{}}}}"#
        )
    };
    let said = |id: &str, time: i64| format!(r#"{{"timeline":{{"events":[{}]}}}}"#, event(id, time));
    let topic =
        r#"{"state":{"events":[{"event_id":"$s","sender":"@b:x","type":"t","state_key":"","content":{}}]}}"#;
    let limited = r#"{"timeline":{"limited":true,"prev_batch":"p"}}"#;
    let read = |sections: &[(&str, &str)]| {
        let sections: Vec<_> =
            sections.iter().map(|(name, room)| format!(r#""{name}":{{"!r":{room}}}"#)).collect();
        let json = format!(r#"{{"next_batch":"s","rooms":{{{}}}}}"#, sections.join(","));
        Sync.read(&json, &me()).unwrap()[1..].to_vec()
    };
    let (a, b, late) = (said("$a", 1), said("$b", 2), said("$a", 3));
    let line = |id: &str, time: i64| format!("!r > {id} @b:x {time} m {{}}");
    let state = "!r: t [] $s {\"content\":{},\"event_id\":\"$s\",\"sender\":\"@b:x\",\"state_key\":\"\",\"type\":\"t\"}";
    for (sections, found) in [
        // The later step holds, whatever its events' times are.
        (vec![("leave", &*b), ("join", &*a)], vec!["!r Leave", &*line("$b", 2), "!r Join", &*line("$a", 1)]),
        (vec![("leave", &*b), ("knock", topic)], vec!["!r Knock", state, &*line("$b", 2)]),
        (vec![("knock", "{}"), ("invite", topic)], vec!["!r Invite", state]),
        (vec![("knock", topic), ("invite", "{}")], vec!["!r Invite", state]),
        (vec![("invite", topic), ("join", &*a)], vec!["!r Join", state, &*line("$a", 1)]),
        (vec![("invite", "{}"), ("join", "{}")], vec!["!r Join"]),
        // The earlier one's history stays, if the later one has none.
        (vec![("leave", limited), ("join", topic)], vec!["!r Join limited prev=p", state]),
        (vec![("leave", limited), ("join", &*a)], vec!["!r Join limited prev=p", &*line("$a", 1)]),
        (vec![("leave", &*a), ("join", limited)], vec!["!r Join limited prev=p", &*line("$a", 1)]),
        // Of one step that with the later events comes later.
        (vec![("join", &*a), ("join", &*b)], vec!["!r Join", &*line("$a", 1), "!r Join", &*line("$b", 2)]),
        (vec![("join", &*late), ("join", &*b)], vec!["!r Join", &*line("$b", 2), "!r Join", &*line("$a", 3)]),
        (vec![("join", topic), ("join", &*b)], vec!["!r Join", state, &*line("$b", 2)]),
    ] {
        assert_eq!(read(&sections), found, "{sections:?}");
        let turned: Vec<_> = sections.iter().rev().copied().collect();
        assert_eq!(read(&turned), found, "{turned:?}");
    }
    // Of several events of one timeline the latest decides.
    let wide = format!(r#"{{"timeline":{{"events":[{},{},7]}}}}"#, event("$w", 9), event("$v", 1));
    assert_eq!(read(&[("join", &wide), ("join", &said("$c", 5))])[0..2], ["!r Join", &*line("$c", 5)]);
}

/// The own membership, as the member event that comes last has it.
#[test]
fn since_when_the_own_membership_is_so() {
    let own = |id: &str, membership: &str, time: &str| {
        format!(
            r#"{{"event_id":"{id}","sender":"@b:x","type":"m.room.member","state_key":"@me:x","content":{{"membership":"{membership}"}}{time}}}"#
        )
    };
    let at = |time: i64| format!(r#","origin_server_ts":{time}"#);
    let head = |section: &str, state: &[String], timeline: &[String]| {
        let events = |events: &[String]| format!(r#"{{"events":[{}]}}"#, events.join(","));
        let room = format!(r#"{{"state":{},"timeline":{}}}"#, events(state), events(timeline));
        let json = format!(r#"{{"next_batch":"s","rooms":{{"{section}":{{"!r":{room}}}}}}}"#);
        Sync.read(&json, &me()).unwrap()[1].clone()
    };
    for (section, state, timeline, found) in [
        ("join", own("$1", "join", &at(5)), None, "!r Join since=5"),
        ("join", own("$1", "join", ""), None, "!r Join"),
        ("join", own("$1", "invite", &at(5)), None, "!r Join"),
        ("join", own("$1", "invite", &at(5)), Some(own("$2", "join", &at(6))), "!r Join since=6"),
        ("join", own("$1", "join", &at(5)), Some(own("$2", "join", "")), "!r Join"),
        ("join", own("$1", "join", &at(5)), Some(own("$2", "odd", &at(6))), "!r Join"),
        ("leave", own("$1", "leave", &at(5)), None, "!r Leave since=5"),
        ("leave", own("$1", "ban", &at(5)), None, "!r Ban since=5"),
        ("leave", own("$1", "ban", &at(5)), Some(own("$2", "leave", &at(6))), "!r Leave since=6"),
        ("join", own("$1", "ban", &at(5)), None, "!r Join"),
        ("leave", own("$1", "ban", &at(5)).replace("@me:x", "@b:x"), None, "!r Leave"),
        ("leave", own("$1", "ban", &at(5)).replace("room.member", "room.other"), None, "!r Leave"),
    ] {
        let timeline: Vec<_> = timeline.into_iter().collect();
        assert_eq!(head(section, std::slice::from_ref(&state), &timeline), found, "{state} {timeline:?}");
    }
    for (word, membership) in [
        ("join", "Join"),
        ("invite", "Invite"),
        ("knock", "Knock"),
        ("leave", "Leave"),
        ("ban", "Ban"),
        ("x", "Join"),
    ] {
        let json =
            format!(r#"{{"pos":"p","rooms":{{"!r":{{"required_state":[{}]}}}}}}"#, own("$1", word, ""));
        assert_eq!(Sliding.read(&json, &me()).unwrap()[1], format!("!r {membership}"), "{word}");
    }
}
