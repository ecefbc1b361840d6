//! The limits of an answer: what they admit to the last entry and byte, and what becomes of the rest.

use std::collections::HashSet;

use haos_store_api::Scope;
use proptest::prelude::*;
use serde_json::json;

use super::Endpoint::*;
use super::answers::*;
use super::*;
use crate::parse::budget::Budget;

fn limited(limits: AnswerLimits) -> Account {
    Account { limits, ..me() }
}

/// Everything that becomes an entry counts, and what cannot be read; an answer with one more than the limit is refused.
#[test]
fn an_answer_has_as_many_entries_as_are_allowed() {
    for ((endpoint, json), most) in ALL.into_iter().zip([44, 28, 7, 9, 6]) {
        let read = |entries| {
            let limits = AnswerLimits { entries, ..AnswerLimits::default() };
            endpoint.read(json, &limited(limits))
        };
        assert_eq!(read(most), endpoint.read(json, &me()), "{endpoint:?}");
        assert_eq!(read(most - 1), Err(ParseError::TooMuch { limit: most - 1 }), "{endpoint:?}");
    }
}

#[test]
fn an_event_that_is_too_large_is_left_out_and_counted() {
    let event = |id: &str, bytes: usize| {
        let bare = format!(
            r#"{{"event_id":"{id}","sender":"@u:x","type":"m.room.member","state_key":"","content":{{"id":"{id}"}},"x":""}}"#
        );
        bare.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(bytes - bare.len())))
    };
    const MOST: usize = 200;
    let account = limited(AnswerLimits { event_bytes: MOST, ..AnswerLimits::default() });
    let in_room = |section: &str| {
        format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{{"{section}":{{"events":[@]}}}}}}}}}}"#)
    };
    let mut places: Vec<_> =
        ["state", "invite_state", "knock_state", "timeline", "state_after", "account_data"]
            .map(|section| (Sync, in_room(section)))
            .into();
    for section in ["account_data", "to_device"] {
        places.push((Sync, format!(r#"{{"next_batch":"s","{section}":{{"events":[@]}}}}"#)));
    }
    places.push((Sync, r#"{"next_batch":"s","rooms":{"join":{"!r":{"summary":{"a":@}}}}}"#.to_owned()));
    places.extend([
        (Messages, r#"{"chunk":[@]}"#.to_owned()),
        (Messages, r#"{"chunk":[],"state":[@]}"#.to_owned()),
        (Context, r#"{"start":"t","events_before":[@]}"#.to_owned()),
        (Context, r#"{"start":"t","state":[@]}"#.to_owned()),
        (Members, r#"{"chunk":[@]}"#.to_owned()),
    ]);
    for (endpoint, answer) in places {
        let read = |bytes: usize| endpoint.read(&answer.replace('@', &event("$1", bytes)), &account).unwrap();
        let nothing = read(MOST + 1);
        assert!(read(MOST).concat().contains("$1"), "{answer}");
        assert!(!nothing.concat().contains("$1"), "{answer}");
        let left_out = nothing.iter().filter(|line| *line == "haos.left_out [unreadable] - 1").count();
        assert_eq!(left_out, usize::from(endpoint != Members), "{nothing:?}");
    }
}

/// As `AnswerLimits` says where it is documented.
#[test]
fn limits_that_nobody_chose() {
    let usual =
        AnswerLimits { entries: 500_000, event_bytes: 1 << 20, unreadable: 50, unreadable_bytes: 256 << 10 };
    assert_eq!(AnswerLimits::default(), usual);
    assert_eq!(AnswerLimits::low_memory(), AnswerLimits { entries: 50_000, ..usual });
    let event = |commas: usize| parse_event(format!("[{}", ",".repeat(commas)).as_bytes());
    assert!(matches!(event(499_999), Err(ParseError::Syntax { .. })));
    assert_eq!(event(500_000), Err(ParseError::TooMuch { limit: 500_000 }));
}

/// Its id counts with what is said of it.
#[test]
fn a_room_without_a_valid_id_is_set_aside_with_its_bytes() {
    for (endpoint, json) in [
        (Sync, r#"{"next_batch":"s","rooms":{"join":{"":[1]}}}"#),
        (Sliding, r#"{"pos":"p","rooms":{"":[1]}}"#),
    ] {
        for (unreadable_bytes, is_kept) in [(5, true), (4, false)] {
            let limits = AnswerLimits { unreadable_bytes, ..AnswerLimits::default() };
            let lines = endpoint.read(json, &limited(limits)).unwrap().concat();
            assert_eq!(lines.contains("haos.unreadable"), is_kept, "{lines}");
            assert_eq!(lines.contains("haos.left_out"), !is_kept, "{lines}");
        }
    }
}

#[test]
fn what_is_too_large_counts_as_an_entry() {
    let json = json!({"chunk": [{"x": "x".repeat(300)}, {"x": "y".repeat(300)}]}).to_string();
    let read = |entries| {
        let limits = AnswerLimits { entries, event_bytes: 200, ..AnswerLimits::default() };
        Messages.read(&json, &limited(limits))
    };
    assert_eq!(read(2).unwrap(), ["!r end=-", "haos.left_out [unreadable] - 2"]);
    assert!(read(1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Each different thing of a place is kept once, as long as there is room for it, and all others are counted.
    #[test]
    fn what_cannot_be_read_is_kept_once(
        things in prop::collection::vec((0..2_usize, 0..4_usize), 0..12),
        most in 0..5_usize,
        most_bytes in 0..14_usize,
    ) {
        let limits =
            AnswerLimits { unreadable: most, unreadable_bytes: most_bytes, ..AnswerLimits::default() };
        let budget = Budget::of("", limits).unwrap();
        let (mut kept, mut bytes, mut left_out) = (HashSet::new(), 0, 0);
        for (scope, thing) in things {
            let scope = [Scope::Account, Scope::Room(room())][scope].clone();
            let text = ["1", "22", "333", "4444"][thing];
            let is_kept = kept.len() < most
                && bytes + text.len() <= most_bytes
                && !kept.contains(&(scope.clone(), text));
            let found = budget.unreadable(&scope, text.len(), || Json::new(text).unwrap());
            prop_assert_eq!(found.as_ref().map(|entry| entry.value.as_str()), is_kept.then_some(text));
            prop_assert!(found.is_none_or(|entry| entry.scope == scope));
            if is_kept {
                bytes += text.len();
                kept.insert((scope, text));
            } else {
                left_out += 1;
            }
        }
        let counted = budget.left_out().map(|entry| entry.value.as_str().to_owned());
        prop_assert_eq!(counted, (left_out > 0).then(|| left_out.to_string()));
    }
}

#[test]
fn lists_and_objects_that_are_too_wide_are_refused_before_they_are_taken_apart() {
    let wide = |depth: usize| format!("{}[1,2,3,4]{}", "[".repeat(depth), "]".repeat(depth));
    let limits = AnswerLimits { entries: 3, ..AnswerLimits::default() };
    for depth in 0..20 {
        assert_eq!(Budget::of(&wide(depth), limits).is_ok(), depth >= 15, "{depth}");
    }
    let many = json!(vec![0; 4]).to_string();
    for (endpoint, json) in [
        (Sync, format!(r#"{{"next_batch":"s","x":{many}}}"#)),
        (Sliding, format!(r#"{{"pos":"s","x":{many}}}"#)),
        (Messages, format!(r#"{{"chunk":[],"x":{many}}}"#)),
        (Context, format!(r#"{{"start":"t","x":{many}}}"#)),
        (Members, format!(r#"{{"chunk":[],"x":{many}}}"#)),
    ] {
        assert_eq!(endpoint.read(&json, &limited(limits)), Err(ParseError::TooMuch { limit: 3 }), "{json}");
    }
}

#[test]
fn tokens_have_from_one_byte_to_4096() {
    for (bytes, is_token) in [(0, false), (1, true), (4096, true), (4097, false)] {
        let token = "t".repeat(bytes);
        for (endpoint, json) in [
            (Sync, format!(r#"{{"next_batch":"{token}"}}"#)),
            (Sliding, format!(r#"{{"pos":"{token}"}}"#)),
            (Messages, format!(r#"{{"chunk":[],"end":"{token}"}}"#)),
            (Context, format!(r#"{{"start":"{token}"}}"#)),
        ] {
            assert_eq!(endpoint.read(&json, &me()).is_ok(), is_token, "{endpoint:?} {bytes}");
        }
        let room = json!({"timeline": {"prev_batch": token}});
        let json = json!({"next_batch": "s", "rooms": {"join": {"!r": room}}}).to_string();
        let prev = if is_token { format!(" prev={token}") } else { String::new() };
        assert_eq!(Sync.read(&json, &me()).unwrap()[1], format!("!r Join{prev}"));
    }
}
