//! The reading of an event, member by member.

use super::*;

/// The parts of an event with this beside its id, its sender and its time.
fn read(more: &str) -> String {
    let json = format!(r#"{{"event_id":"$e","sender":"@a:x","origin_server_ts":5,{more}}}"#);
    event(&parse_event(json.as_bytes()).unwrap()).replacen("$e @a:x 5 ", "", 1)
}

fn fault(json: &str) -> String {
    parse_event(json.as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_emptied_an_event_is_found_wherever_servers_say_it() {
    let because = |id: &str| format!(r#""redacted_because":{{"event_id":{id},"type":"m.room.redaction"}}"#);
    let by = |id: &str| format!(r#""redacted_by":{id}"#);
    for (inside, beside, found) in [
        (because(r#""$1""#), String::new(), Some("$1")),
        (by(r#""$1""#), String::new(), Some("$1")),
        (String::new(), because(r#""$1""#), Some("$1")),
        (String::new(), by(r#""$1""#), Some("$1")),
        // The bundled event counts before the bare id, what is in `unsigned` before what is beside it.
        ([because(r#""$1""#), by(r#""$2""#)].join(","), String::new(), Some("$1")),
        (String::new(), [by(r#""$2""#), because(r#""$1""#)].join(","), Some("$1")),
        (by(r#""$1""#), because(r#""$2""#), Some("$1")),
        (because(r#""$1""#), by(r#""$2""#), Some("$1")),
        // An invalid id is passed over.
        ([because("7"), by(r#""$2""#)].join(","), String::new(), Some("$2")),
        ([because(r#""""#), by(r#""$2""#)].join(","), String::new(), Some("$2")),
        ([r#""redacted_because":"$1""#.to_owned(), by(r#""$2""#)].join(","), String::new(), Some("$2")),
        ([because("7"), by(r#""""#)].join(","), because(r#""$3""#), Some("$3")),
        (by("7"), by("null"), None),
        (String::new(), String::new(), None),
    ] {
        let beside = if beside.is_empty() { beside } else { format!(",{beside}") };
        let found = found.map_or("m {}".to_owned(), |id| format!("m {{}} by={id}"));
        assert_eq!(
            read(&format!(r#""type":"m","unsigned":{{{inside}}}{beside}"#)),
            found,
            "{inside} {beside}"
        );
    }
}

#[test]
fn relations_are_taken_where_they_are_valid() {
    let edit = r#""rel_type":"m.replace","event_id":"$a""#;
    let reply = r#""m.in_reply_to":{"event_id":"$b"}"#;
    for (content, found) in [
        (format!(r#""m.relates_to":{{{edit},"key":"k"}},"m.new_content":{{}}"#), "(Edit $a)"),
        (format!(r#""m.relates_to":{{{edit}}}"#), "(Ignored $a)"),
        (format!(r#""m.relates_to":{{{reply}}}"#), "(Reply $b)"),
        (format!(r#""m.relates_to":{{"rel_type":"m.thread","event_id":"$a",{reply}}}"#), "(Thread $a)"),
        // A relation without a type or a target is ignored, and leaves the reply beside it.
        (format!(r#""m.relates_to":{{"rel_type":"m.thread",{reply}}}"#), "(Reply $b)"),
        (format!(r#""m.relates_to":{{"rel_type":7,"event_id":"$a",{reply}}}"#), "(Reply $b)"),
        (r#""m.relates_to":{"rel_type":"m.annotation","event_id":"$a","key":"k"}"#.into(), "(Reaction $a k)"),
        (r#""m.relates_to":{"rel_type":"m.annotation","event_id":"$a"}"#.into(), "(Reaction $a)"),
        (r#""m.relates_to":{"rel_type":"m.annotation","event_id":"$a","key":7}"#.into(), "(Reaction $a)"),
        (r#""m.relates_to":{"rel_type":"o","event_id":"$a","key":"k"}"#.into(), r#"(Other("o") $a)"#),
        (r#""m.relates_to":{"m.in_reply_to":{"event_id":""}}"#.into(), ""),
        (r#""m.relates_to":{"m.in_reply_to":"$b"}"#.into(), ""),
        (r#""m.in_reply_to":{"event_id":"$b"}"#.into(), ""),
    ] {
        let text = read(&format!(r#""type":"m","content":{{{content}}}"#));
        let relation = text.split_once("} (").map_or(String::new(), |(_, rest)| format!("({rest}"));
        assert_eq!(relation, found, "{content}");
        // State relates to nothing but what it replaced.
        let state = read(&format!(r#""type":"m","state_key":"","content":{{{content}}}"#));
        assert!(!state.contains("} ("), "{state}");
    }
}

#[test]
fn what_a_redaction_empties() {
    for (content, beside, found) in [
        (r#""redacts":"$a""#, "", r#"{"redacts":"$a"} (Redaction $a)"#),
        ("", r#","redacts":"$a""#, "{} (Redaction $a)"),
        (r#""redacts":"$a""#, r#","redacts":"$a""#, r#"{"redacts":"$a"} (Redaction $a)"#),
        // Which of two counts is settled when the room is known, so the other one stays.
        (
            r#""redacts":"$a""#,
            r#","redacts":"$b""#,
            r#"{"redacts":"$a"} (Redaction $a) extra={"redacts":"$b"}"#,
        ),
        (r#""redacts":7"#, r#","redacts":"$b""#, r#"{"redacts":7} (Redaction $b)"#),
        (r#""redacts":"""#, r#","redacts":"$b""#, r#"{"redacts":""} (Redaction $b)"#),
        ("", r#","redacts":7"#, "{}"),
        (
            r#""m.relates_to":{"rel_type":"o","event_id":"$a"}"#,
            "",
            r#"{"m.relates_to":{"event_id":"$a","rel_type":"o"}}"#,
        ),
    ] {
        for (state, shown) in [("", ""), (r#","state_key":"k""#, "[k] ")] {
            let text = read(&format!(r#""type":"m.room.redaction","content":{{{content}}}{beside}{state}"#));
            assert_eq!(text, format!("m.room.redaction {shown}{found}"), "{content} {beside}");
        }
    }
    assert_eq!(read(r#""type":"m","redacts":"$b""#), r#"m {} extra={"redacts":"$b"}"#, "it redacts nothing");
}

#[test]
fn what_state_repeats_of_the_state_before_it() {
    let copy = r#""prev_content":{"n":1}"#;
    let of = r#""replaces_state":"$0""#;
    let kept = r#"s [] {} (Other("replaces_state") $0) extra={"unsigned":{"prev_content":{"n":1},"replaces_state":"$0"}}"#;
    let dropped = r#"s [] {} extra={"unsigned":{"replaces_state":"$0"}}"#;
    for (inside, beside, found) in [
        (format!("{copy},{of}"), String::new(), kept),
        (String::new(), format!(",{copy},{of}"), kept),
        (copy.to_owned(), format!(",{of}"), kept),
        (of.to_owned(), format!(",{copy}"), kept),
        (format!("{copy},{of}"), r#","prev_content":{"n":2},"replaces_state":"$9""#.to_owned(), kept),
        (
            format!(r#"{copy},"replaces_state":"""#),
            format!(",{of}"),
            r#"s [] {} (Other("replaces_state") $0) extra={"unsigned":{"prev_content":{"n":1},"replaces_state":""}}"#,
        ),
        (of.to_owned(), String::new(), dropped),
        (String::new(), format!(",{of}"), dropped),
        (copy.to_owned(), String::new(), "s [] {}"),
        (String::new(), format!(",{copy}"), "s [] {}"),
    ] {
        let text = read(&format!(r#""type":"s","state_key":"","unsigned":{{{inside}}}{beside}"#));
        assert_eq!(text, found, "{inside} {beside}");
        let message = read(&format!(r#""type":"s","unsigned":{{{inside}}}{beside}"#));
        assert!(!message.contains("prev_content") && !message.contains('('), "no state: {message}");
    }
}

/// Each name once beside the content, and once in `unsigned`.
#[test]
fn members_that_tell_nothing_of_the_event_are_left_out() {
    let volatile = [
        "age",
        "age_ts",
        "invite_room_state",
        "knock_room_state",
        "membership",
        "m.relations",
        "room_id",
        "user_id",
    ];
    for name in volatile {
        assert_eq!(read(&format!(r#""type":"m","{name}":1,"unsigned":{{"{name}":1}}"#)), "m {}", "{name}");
    }
    assert_eq!(read(r#""type":"m","transaction_id":"t""#), "m {}", "a request's, not the event's");
    assert_eq!(read(r#""type":"m","unsigned":{"transaction_id":"t"}"#), "m {} txn=t");
    assert_eq!(read(r#""type":"m","unsigned":{"transaction_id":""}"#), "m {}");
    for (more, kept) in [
        (r#""new":1"#, r#"{"new":1}"#),
        (r#""new":null,"unsigned":{"new":null}"#, ""),
        (r#""unsigned":{"new":1}"#, r#"{"unsigned":{"new":1}}"#),
        (r#""prev_sender":"@b""#, r#"{"unsigned":{"prev_sender":"@b"}}"#),
        (r#""prev_sender":"@b","unsigned":{"prev_sender":"@c"}"#, r#"{"unsigned":{"prev_sender":"@c"}}"#),
        (r#""unsigned":7"#, r#"{"unsigned":7}"#),
        (r#""unsigned":7,"prev_sender":"@b""#, r#"{"unsigned":{"prev_sender":"@b"}}"#),
        // In `unsigned` the names of what has a place beside it mean something else.
        (r#""unsigned":{"sender":1,"type":1}"#, r#"{"unsigned":{"sender":1,"type":1}}"#),
    ] {
        let extra = if kept.is_empty() { String::new() } else { format!(" extra={kept}") };
        assert_eq!(read(&format!(r#""type":"m",{more}"#)), format!("m {{}}{extra}"), "{more}");
    }
    let without = |json: &str| without_copy(&Json::new(json).unwrap()).map(|json| json.as_str().to_owned());
    assert_eq!(
        without(r#"{"unsigned":{"prev_content":1,"replaces_state":"$0"},"new":1}"#).as_deref(),
        Some(r#"{"new":1,"unsigned":{"replaces_state":"$0"}}"#)
    );
    assert_eq!((without(r#"{"unsigned":{"prev_content":1}}"#), without("7")), (None, None));
}

#[test]
fn the_value_of_state_is_the_event_but_for_what_changes() {
    let json = r#"{"chunk":[{"event_id":"$e","sender":"@a:x","type":"m.room.member","state_key":"@a:x","content":{"membership":"join"},
        "origin_server_ts":5,"new":1,"age":1,"user_id":"@a:x","room_id":"!r","prev_content":{},"prev_sender":"@b","replaces_state":"$0",
        "redacted_by":"$r","unsigned":{"new":1}}]}"#;
    let kept = r#"{"content":{"membership":"join"},"event_id":"$e","new":1,"origin_server_ts":5,"sender":"@a:x","state_key":"@a:x","type":"m.room.member"}"#;
    let members = parse_roster(json.as_bytes(), &room(), AnswerLimits::default()).unwrap();
    assert_eq!(members[0].value.as_str(), kept);
}

#[test]
fn times_end_where_matrix_integers_do() {
    let most = (1_i64 << 53) - 1;
    for (text, time, is_exact) in [
        (most.to_string(), most, true),
        ((-most).to_string(), -most, true),
        ((most + 1).to_string(), most, false),
        ((-most - 1).to_string(), -most, false),
        ("-1e300".to_owned(), -most, false),
        ("0".to_owned(), 0, true),
        ("-0".to_owned(), 0, false),
    ] {
        let json = format!(r#"{{"event_id":"$e","sender":"@a:x","type":"m","origin_server_ts":{text}}}"#);
        let read = parse_event(json.as_bytes()).unwrap();
        assert_eq!((read.timestamp_ms, read.extra.is_none()), (time, is_exact), "{text}");
    }
}

#[test]
fn an_event_is_read_only_with_its_ids() {
    let with = |event_id: &str, sender: &str, kind: &str, key: &str| {
        format!(r#"{{"event_id":{event_id},"sender":{sender},"type":{kind},"state_key":{key}}}"#)
    };
    let (id, who, kind) = (r#""$e""#, r#""@a:x""#, r#""m""#);
    let read = |json: &str| parse_event(json.as_bytes()).map(|read| event(&read));
    assert_eq!(read(&with(id, who, kind, "null")).unwrap(), "$e @a:x 0 m {}");
    assert_eq!(read(&with(id, who, kind, r#""""#)).unwrap(), "$e @a:x 0 m [] {}");
    // Two ids that differ in half a character would be one; in a kind or a key nothing hangs on that.
    let odd = r#""\ud800""#;
    assert_eq!(read(&with(id, who, odd, odd)).unwrap(), "$e @a:x 0 \u{fffd} [\u{fffd}] {}");
    for (json, member) in [
        (with(odd, who, kind, "null"), "event_id"),
        (with(id, odd, kind, "null"), "sender"),
        (with("null", who, kind, "null"), "event_id"),
        (with(id, "7", kind, "null"), "sender"),
        (with(id, who, r#""""#, "null"), "type"),
        (with(id, who, kind, "{}"), "state_key"),
        (with(id, who, kind, r#""\u0000""#), "state_key"),
    ] {
        assert!(fault(&json).contains(&format!("`{member}`")), "{json}: {}", fault(&json));
    }
    for (json, found) in [("7", "a number"), ("[]", "a list"), (r#""$e""#, "a text"), ("null", "null")] {
        let message = format!("`` should be an event, and it is {found};");
        assert!(fault(json).starts_with(&message), "{json}: {}", fault(json));
    }
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deep =
        |depth| format!(r#"{{"event_id":"$e","sender":"@a:x","type":"m","content":{}}}"#, nested(depth));
    assert!(read(&deep(99)).is_ok());
    assert!(fault(&deep(100)).contains("is nested too deeply"));
}

#[test]
fn who_is_typing_is_told_and_is_no_state() {
    let typing = |content: &str| {
        let json = format!(
            r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{{"ephemeral":{{"events":[{{"type":"m.typing","content":{content}}}]}}}}}}}}}}"#
        );
        let mut delta = parse_sync(json.as_bytes(), &me()).unwrap();
        assert_eq!((delta.rooms[0].state.len(), delta.account.len()), (0, 0), "{content}");
        delta.rooms.remove(0).typing.map(|users| users.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let users = |users: &[&str]| Some(users.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(typing(r#"{"user_ids":["@a:x","@b:x"]}"#), users(&["@a:x", "@b:x"]));
    assert_eq!(typing(r#"{"user_ids":[]}"#), users(&[]), "nobody is");
    assert_eq!(typing(r#"{"user_ids":["",7,"@a:x"]}"#), users(&["@a:x"]));
    let many = vec![r#""@a:x""#; 1000].join(",");
    assert_eq!(typing(&format!(r#"{{"user_ids":[{many}]}}"#)).map(|users| users.len()), Some(64));
    for odd in ["{}", "7", r#"{"user_ids":"@a:x"}"#] {
        assert_eq!(typing(odd), None, "{odd}");
    }
}

#[test]
fn receipts_stand_under_keys_that_are_told_apart() {
    let key = |kind: &str, user: &str, thread: Option<&str>| {
        let thread = thread.map_or(String::new(), |thread| format!(r#","thread_id":"{thread}""#));
        let content = format!(r#"{{"$e":{{"{kind}":{{"{user}":{{"ts":1{thread}}}}}}}}}"#);
        let json = format!(
            r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{{"ephemeral":{{"events":[{{"type":"m.receipt","content":{content}}}]}}}}}}}}}}"#
        );
        let delta = parse_sync(json.as_bytes(), &me()).unwrap();
        assert_eq!(delta.rooms[0].state.len(), 1, "{kind} {user}");
        delta.rooms[0].state[0].key.as_str().to_owned()
    };
    for (kind, user, thread, found) in [
        ("m.read", "@a:x", None, "m.read|@a:x"),
        ("m.read", "@a:x", Some("main"), "m.read|@a:x|main"),
        ("m.read", &*"u".repeat(248), None, &*format!("m.read|{}", "u".repeat(248))),
    ] {
        assert_eq!(key(kind, user, thread), found);
    }
    // Each of these is longer than a key may be, or could be read as something else: a hash tells it apart.
    let (long, wide) = ("u".repeat(249), "é".repeat(130));
    let odd = [
        ("m.read", &*long, None),
        ("m.read", &*format!("{long}v"), None),
        ("m.read", &*wide, None),
        ("m.read", &*format!("{wide}é"), None),
        ("m.read", &*wide, Some("t")),
        ("m.read", "@a|b", Some("c")),
        ("m.read", "@a", Some("b|c")),
        ("m.read", "@a|b|c", None),
        ("m.read|@a", "b", None),
        ("m.read", "@a#b", None),
        ("m.read", r"@a\u0000b", None),
        ("m.read", "@ab", Some("")),
        ("m.read", "", None),
        ("", "@a:x", None),
    ];
    let keys: Vec<String> = odd.iter().map(|(kind, user, thread)| key(kind, user, *thread)).collect();
    assert!(odd.iter().take(5).all(|(kind, user, _)| kind.len() + user.len() >= 255));
    for (at, found) in keys.iter().enumerate() {
        let (readable, hash) = found.rsplit_once('#').unwrap();
        assert!(hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{found}");
        assert!(!keys[..at].contains(found) && !readable.contains('\0'), "{found}");
    }
    assert!(keys[0].starts_with(&format!("m.read|{}#", "u".repeat(173))), "{}", keys[0]);
    assert!(
        keys[2].starts_with(&format!("m.read|{}#", "é".repeat(86))),
        "cut between characters: {}",
        keys[2]
    );
    assert!(keys[10].starts_with("m.read|@ab#"), "{}", keys[10]);
    assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223", "as SHA-256 has it: keys are stored");
}

#[test]
fn of_receipts_under_one_key_the_latest_counts() {
    let found = |content: &str| {
        let json = format!(
            r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{{"ephemeral":{{"events":[{{"type":"m.receipt","content":{content}}}]}}}}}}}}}}"#
        );
        entries(&parse_sync(json.as_bytes(), &me()).unwrap().rooms[0].state)
    };
    let of = |id: &str, rest: &str| {
        format!(
            r#"haos.receipt [m.read|@a] - {{"event_id":"{id}","receipt_type":"m.read"{rest},"user_id":"@a"}}"#
        )
    };
    let at = |id: &str, ts: &str| format!(r#""{id}":{{"m.read":{{"@a":{{"ts":{ts}}}}}}}"#);
    for (first, second, latest) in [
        (at("$a", "5"), at("$b", "4"), of("$a", r#","ts":5"#)),
        (at("$a", "5"), at("$b", "5"), of("$b", r#","ts":5"#)),
        (at("$a", "-1"), at("$b", "-2"), of("$a", r#","ts":-1"#)),
        // Without a time it is as of 1970.
        (at("$a", r#""x""#), at("$b", "-1"), of("$a", r#","ts":"x""#)),
        (at("$b", "5"), at("$b", "5"), of("$b", r#","ts":5"#)),
    ] {
        assert_eq!(found(&format!("{{{first},{second}}}")), [&*latest]);
        assert_eq!(found(&format!("{{{second},{first}}}")), [&*latest]);
    }
    let twice = r#"{"$a":{"m.read":{"@a":{"ts":1,"n":1},"@a":{"ts":1,"n":2}}}}"#;
    let last =
        r#"haos.receipt [m.read|@a] - {"event_id":"$a","n":2,"receipt_type":"m.read","ts":1,"user_id":"@a"}"#;
    assert_eq!(found(twice), [last]);
    // The receipt's own word on itself does not count.
    let lies = r#"{"$a":{"m.read":{"@a":{"ts":1,"event_id":"$z","receipt_type":"z","user_id":"@z"}}}}"#;
    assert_eq!(found(lies), [of("$a", r#","ts":1"#)]);
    // Of what can be read in part, that part and the whole are kept.
    for odd in [
        r#""$b":7"#,
        r#""$b":{"m.read":7}"#,
        r#""$b":{"m.read":{"@b":7}}"#,
        r#""":{"m.read":{}}"#,
        r#""$b":null"#,
    ] {
        let content = format!("{{{odd},{}}}", at("$a", "5"));
        let found = found(&content);
        assert_eq!(found.len(), 2, "{odd}: {found:?}");
        assert_eq!(found[0], of("$a", r#","ts":5"#));
        assert!(found[1].starts_with("haos.unreadable"), "{found:?}");
    }
    for odd in ["7", "[]", "null"] {
        assert!(found(odd).concat().starts_with("haos.unreadable"), "{odd}");
    }
}
