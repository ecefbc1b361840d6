//! Texts that are no responses give an error that says where, and never a panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::{alice, file};
use haos_matrix::{ParseError, parse_event, parse_messages, parse_sync};
use haos_store_api::{Direction, RoomId};

fn sync_error(json: impl AsRef<[u8]>) -> ParseError {
    parse_sync(json.as_ref(), &alice()).unwrap_err()
}

fn page_error(json: impl AsRef<[u8]>) -> ParseError {
    parse_messages(json.as_ref(), &RoomId::new("!r").unwrap(), Direction::Older).unwrap_err()
}

#[test]
fn cut_off_anywhere() {
    let json = file("sync/initial_all_limit1000.json").into_bytes();
    for end in (0..json.len()).step_by(1000) {
        match sync_error(&json[..end]) {
            ParseError::Truncated { offset } => assert_eq!(offset, end),
            ParseError::Encoding { offset } => assert!(end - offset < 4, "inside a character"),
            other => panic!("{other}"),
        }
    }
    let page = file("messages/gap_busy_page0.json").into_bytes();
    for end in (0..page.len()).step_by(1000) {
        assert!(matches!(
            page_error(&page[..end]),
            ParseError::Truncated { .. } | ParseError::Encoding { .. }
        ));
    }
}

#[test]
fn not_utf8() {
    let mut json = file("sync/incr_01_empty.json").into_bytes();
    json[20] = 0xff;
    assert_eq!(sync_error(&json), ParseError::Encoding { offset: 20 });
}

#[test]
fn not_json() {
    let error = sync_error("<html>\n<body>Sign in to the network</body>");
    assert!(matches!(error, ParseError::Syntax { offset: 0, line: 1, column: 1, .. }), "{error:?}");
    let error = sync_error("{\"next_batch\":\"s1\",\n \"rooms\": nope}");
    let ParseError::Syntax { offset, line: 2, ref reason, .. } = error else { panic!("{error:?}") };
    assert!((27..=31).contains(&offset), "{offset}");
    assert!(!reason.contains("line") && error.to_string().contains("line 2"), "{error}");
    assert!(matches!(sync_error("{\"next_batch\":\"s1\"} {}"), ParseError::Syntax { .. }));
}

#[test]
fn another_shape() {
    for (json, path) in [
        ("[]", ""),
        ("null", ""),
        ("3", ""),
        ("{}", "next_batch"),
        (r#"{"errcode":"M_UNKNOWN_TOKEN","error":"x"}"#, "next_batch"),
        (r#"{"next_batch":7}"#, "next_batch"),
        (r#"{"next_batch":""}"#, "next_batch"),
        (r#"{"next_batch":"s","rooms":[]}"#, "rooms"),
        (r#"{"next_batch":"s","rooms":{"join":"x"}}"#, "rooms.join"),
    ] {
        let error = sync_error(json);
        assert!(matches!(&error, ParseError::Shape { at, .. } if at == path), "{json}: {error}");
    }
    for (json, path) in [
        ("[]", ""),
        ("{}", "chunk"),
        (r#"{"chunk":{}}"#, "chunk"),
        (r#"{"chunk":[],"end":7}"#, "end"),
        (r#"{"chunk":[],"end":""}"#, "end"),
    ] {
        let error = page_error(json);
        assert!(matches!(&error, ParseError::Shape { at, .. } if at == path), "{json}: {error}");
    }
}

#[test]
fn single_events() {
    let long = "x".repeat(256);
    for (json, at) in [
        (r#"{"sender":"@a","type":"t"}"#.to_owned(), "event_id"),
        (r#"{"event_id":7,"sender":"@a","type":"t"}"#.to_owned(), "event_id"),
        (format!(r#"{{"event_id":"{long}","sender":"@a","type":"t"}}"#), "event_id"),
        (r#"{"event_id":"$a","sender":"","type":"t"}"#.to_owned(), "sender"),
        (r#"{"event_id":"$a","sender":"@a","type":"t","state_key":1}"#.to_owned(), "state_key"),
    ] {
        let error = parse_event(json.as_bytes()).unwrap_err();
        assert!(matches!(error, ParseError::Event { member, .. } if member == at), "{json}: {error}");
    }
    assert!(matches!(parse_event(b"[]"), Err(ParseError::Shape { .. })));
}

#[test]
fn a_token_fits_into_a_url() {
    let token = "s".repeat(5000);
    assert!(matches!(sync_error(format!(r#"{{"next_batch":"{token}"}}"#)), ParseError::Shape { .. }));
    let room = format!(r#"{{"timeline":{{"limited":true,"prev_batch":"{token}"}}}}"#);
    let sync = format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!a":{room}}}}}}}"#);
    assert_eq!(parse_sync(sync.as_bytes(), &alice()).unwrap().rooms[0].prev, None);
}

#[test]
fn depth_overflows_no_stack() {
    let depth = 300_000;
    assert!(matches!(sync_error("[".repeat(depth)), ParseError::Truncated { .. }));
    assert!(matches!(sync_error("{\"a\":".repeat(depth)), ParseError::Truncated { .. }));
    let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(sync_error(&deep), ParseError::Shape { .. }));
    let event = format!(
        r#"{{"event_id":"$a","sender":"@a","type":"t","content":{{"m.relates_to":{deep}}},"unsigned":{deep},"x":{deep}}}"#
    );
    assert!(matches!(parse_event(event.as_bytes()), Err(ParseError::Event { member: "event", .. })));
    let sync =
        format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!a":{{"timeline":{deep},"summary":{deep}}}}}}}}}"#);
    let delta = parse_sync(sync.as_bytes(), &alice()).unwrap();
    assert_eq!((common::unreadable(&delta).len(), common::left_out(&delta)), (0, 2), "too large to keep");
}
