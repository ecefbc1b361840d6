use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

fn heads(retry_after: Option<&str>) -> Heads {
    let date = Some("Sun, 22 Nov 2026 15:55:20 GMT".to_owned());
    Heads { retry_after: retry_after.map(str::to_owned), date, ..Heads::default() }
}

/// An answer in one line.
fn shown(answer: &Answer) -> String {
    let Answer::Refused(refusal) = answer else {
        return match answer {
            Answer::Accepted(_) => "accepted".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
    };
    let mut line = refusal.describe();
    if let Some(ms) = refusal.retry_after_ms {
        line.push_str(&format!(" wait {ms}"));
    }
    if let Some(account) = &refusal.account {
        line.push_str(&format!(" pause {account:?}"));
    }
    line
}

/// Every captured answer of Synapse, as what was asked for when it was captured.
#[test]
fn what_a_real_server_answers() {
    let expected: BTreeMap<&str, &str> = [
        ("M_BAD_JSON_array", "400 M_BAD_JSON"),
        ("M_BAD_JSON_bigint", "400 M_BAD_JSON"),
        ("M_BAD_JSON_float", "400 M_BAD_JSON"),
        ("M_DUPLICATE_ANNOTATION", "400 M_DUPLICATE_ANNOTATION"),
        ("M_DUPLICATE_ANNOTATION_setup", "accepted"),
        ("M_FORBIDDEN_login", "403 M_FORBIDDEN"),
        ("M_FORBIDDEN_messages", "403 M_FORBIDDEN"),
        ("M_FORBIDDEN_not_in_room", "403 M_FORBIDDEN"),
        // The header says whole seconds, and the larger counts.
        ("M_LIMIT_EXCEEDED_2", "429 M_LIMIT_EXCEEDED wait 1000"),
        ("M_LIMIT_EXCEEDED_login", "429 M_LIMIT_EXCEEDED wait 20000"),
        ("M_LIMIT_EXCEEDED_send", "429 M_LIMIT_EXCEEDED wait 2000"),
        ("M_MISSING_TOKEN", "401 M_MISSING_TOKEN pause LoggedOut"),
        ("M_NOT_FOUND_event", "404 M_NOT_FOUND"),
        ("M_NOT_JSON", "400 M_NOT_JSON"),
        ("M_TOO_LARGE_event_70k", "413 M_TOO_LARGE"),
        ("M_TOO_LARGE_request_body_over_limit", "413 M_TOO_LARGE"),
        ("M_UNKNOWN_TOKEN_after_logout_all", "401 M_UNKNOWN_TOKEN pause LoggedOut"),
        ("M_UNKNOWN_TOKEN_invalid", "401 M_UNKNOWN_TOKEN pause LoggedOut"),
        ("M_UNKNOWN_TOKEN_soft_logout_expired", "401 M_UNKNOWN_TOKEN pause SoftLogout"),
        ("M_UNKNOWN_body_not_string", "400 M_UNKNOWN"),
        ("M_UNRECOGNIZED_404", "404 M_UNRECOGNIZED"),
        ("M_UNRECOGNIZED_405", "405 M_UNRECOGNIZED"),
        ("edit_of_unknown_event", "400 M_UNKNOWN"),
        ("invalid_utf8", "400 M_NOT_JSON"),
        ("lone_surrogate", "500 M_UNKNOWN"),
        ("media_async_create", "uploaded(\"mxc://localhost/qjxaqfewsjckvrnxaxvawyec\")"),
        ("media_async_not_yet_uploaded", "504 M_NOT_YET_UPLOADED"),
        ("media_async_put", "done"),
        ("media_async_put_again", "409 M_CANNOT_OVERWRITE_MEDIA"),
        ("media_config", "done"),
        ("media_download_legacy_v3_noauth", "404 M_NOT_FOUND"),
        ("media_download_v1_noauth", "401 M_MISSING_TOKEN pause LoggedOut"),
        ("media_not_found", "404 M_NOT_FOUND"),
        ("media_thumbnail_not_image", "400 M_UNKNOWN"),
        ("media_too_large", "413 M_TOO_LARGE"),
        ("messages_bad_from_token", "400 M_UNKNOWN"),
        ("nul_in_body", "accepted"),
        ("redact_unknown_event", "accepted"),
        ("refresh_bad", "401 M_UNKNOWN_TOKEN pause LoggedOut"),
        ("refresh_ok", "done"),
        ("sync_bad_filter", "400 M_INVALID_PARAM"),
        ("sync_bad_since", "400 M_UNKNOWN"),
        ("sync_future_since", "done"),
        ("unknown_room_send", "403 M_FORBIDDEN"),
        // No JSON: these three are bytes of media, and an answer to a browser.
        ("CORS_preflight", "unreadable"),
        ("media_async_download", "unreadable"),
        ("media_download_auth", "unreadable"),
    ]
    .into();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix/errors");
    let mut seen = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let capture: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let body = match capture.get("body") {
            Some(body) => body.to_string(),
            None => capture["body_text"].as_str().unwrap().to_owned(),
        };
        let request = capture["request"]["path"].as_str().unwrap();
        let wanted = match request {
            path if path.contains("/send/") || path.contains("/redact/") => Expected::Event,
            "/_matrix/media/v1/create" => Expected::Media,
            _ => Expected::Object,
        };
        let status = capture["status"].as_u64().unwrap() as u16;
        let heads = heads(capture["headers"]["Retry-After"].as_str());
        assert_eq!(shown(&answer(status, &heads, body.as_bytes(), wanted, 0)), expected[name], "{name}");
        seen += 1;
    }
    assert_eq!(seen, expected.len());
}

#[test]
fn a_success_without_what_it_must_carry_is_none() {
    let html = "<html><body>Log in to WLAN</body></html>";
    for body in
        ["", "{", "null", "[]", "1", html, r#"{"event_id":""}"#, r#"{"event_id":7}"#, "{}", "\u{feff}{}"]
    {
        for status in [200, 201, 202, 204, 299] {
            let read = answer(status, &heads(None), body.as_bytes(), Expected::Event, 0);
            assert_eq!(read, Answer::Unreadable, "{status} {body}");
        }
    }
    let read = |body: &str, wanted| answer(200, &heads(None), body.as_bytes(), wanted, 0);
    assert_eq!(read("{}", Expected::Object), Answer::Done);
    assert_eq!(read(html, Expected::Object), Answer::Unreadable);
    for uri in ["", "http://h/a", "mxc://h", "mxc://h/../a", "mxc://h/.."] {
        assert_eq!(
            read(&format!(r#"{{"content_uri":"{uri}"}}"#), Expected::Media),
            Answer::Unreadable,
            "{uri}"
        );
    }
}

#[test]
fn a_code_comes_from_matrix_json_alone() {
    let read = |status, body: &str| shown(&refusal(status, &heads(None), body.as_bytes(), 0));
    assert_eq!(read(404, "<html>nginx</html>"), "404");
    assert_eq!(read(403, r#"{"error":"no"}"#), "403");
    assert_eq!(read(403, r#"{"errcode":""}"#), "403");
    assert_eq!(read(403, r#"{"errcode":17}"#), "403");
    assert_eq!(read(302, ""), "302");
    assert_eq!(read(502, "{}"), "502");
    assert_eq!(read(401, "Unauthorized"), "401");
    // A member of the wrong type takes nothing else with it.
    let odd = r#"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":"true","error":{},"retry_after_ms":"soon"}"#;
    assert_eq!(read(401, odd), "401 M_UNKNOWN_TOKEN pause LoggedOut");
    assert_eq!(read(403, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#), "403 M_UNKNOWN_TOKEN");
}

#[test]
fn the_longer_wait_counts() {
    let read = |header, ms: &str| {
        let body = format!(r#"{{"errcode":"M_LIMIT_EXCEEDED"{ms}}}"#);
        match refusal(429, &heads(header), body.as_bytes(), 0) {
            Answer::Refused(refusal) => refusal.retry_after_ms,
            answer => panic!("{answer:?}"),
        }
    };
    assert_eq!(read(None, ""), None);
    assert_eq!(read(None, r#","retry_after_ms":825"#), Some(825));
    for ms in ["825.0", "825.2", "8.25e2", "\"825\""] {
        assert_eq!(read(None, &format!(r#","retry_after_ms":{ms}"#)), Some(825), "{ms}");
    }
    for ms in ["0", "-5", "\"soon\"", "{}", "[825]", "null", "true"] {
        assert_eq!(read(None, &format!(r#","retry_after_ms":{ms}"#)), None, "{ms}");
    }
    assert_eq!(read(None, r#","error":"cut \ud83d","retry_after_ms":825"#), Some(825));
    assert_eq!(read(None, r#","retry_after_ms":1e99"#), Some(super::LONGEST_MS));
    assert_eq!(read(Some("3"), r#","retry_after_ms":825"#), Some(3000));
    assert_eq!(read(Some("1"), r#","retry_after_ms":60000"#), Some(60_000));
    assert_eq!(read(Some("Sun, 22 Nov 2026 15:55:50 GMT"), ""), Some(30_000));
    assert_eq!(read(Some("tomorrow"), r#","retry_after_ms":5"#), Some(5));
}

#[test]
fn what_concerns_the_account_pauses_it_with_what_the_server_said() {
    for code in ACCOUNT_WIDE {
        let body = format!(r#"{{"errcode":"{code}","error":"Ask Ada"}}"#);
        let said = refusal(403, &heads(None), body.as_bytes(), 0);
        assert_eq!(shown(&said), format!("403 {code} pause Refused(\"{code}: Ask Ada\")"));
    }
    // Locked accounts say so with a 401 that looks like a soft logout.
    let locked = r#"{"errcode":"M_USER_LOCKED","error":"locked","soft_logout":true}"#;
    let said = refusal(401, &heads(None), locked.as_bytes(), 0);
    assert_eq!(shown(&said), "401 M_USER_LOCKED pause Refused(\"M_USER_LOCKED: locked\")");
    let consent = r#"{"errcode":"M_CONSENT_NOT_GIVEN","consent_uri":"https://h/terms"}"#;
    let said = shown(&refusal(403, &heads(None), consent.as_bytes(), 0));
    assert!(said.contains("https://h/terms"), "{said}");
    let long = format!(r#"{{"errcode":"M_USER_LOCKED","error":"{}"}}"#, "ä".repeat(9000));
    assert!(shown(&refusal(403, &heads(None), long.as_bytes(), 0)).len() < 1200);
}

#[test]
fn a_code_is_no_longer_than_codes_are_and_steers_nothing() {
    let code = format!("M_\\u001b[31m\\n{}", "X".repeat(480_000));
    for status in [400, 403, 404, 429, 500] {
        let body = format!(r#"{{"errcode":"{code}","error":"no"}}"#);
        let said = shown(&refusal(status, &heads(None), body.as_bytes(), 0));
        assert!(said.starts_with(&format!("{status} M_ [31m XX")) && said.ends_with("X…"), "{said}");
        assert_eq!(said.len(), 4 + MAX_CODE_BYTES);
    }
}
