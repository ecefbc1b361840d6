use haos_store_api::MediaUri;
use serde_json::{Value, json};

use super::super::{Content, File};
use super::content;

fn message(json: &str) -> Content {
    content("m.room.message", json)
}

fn text(body: &str, formatted: Option<&str>) -> Content {
    Content::Text { body: body.to_owned(), formatted: formatted.map(str::to_owned) }
}

fn unknown(body: Option<&str>) -> Content {
    Content::Unknown { body: body.map(str::to_owned) }
}

/// A file of that name, with all else left out.
fn file(name: &str) -> File {
    File { uri: Some(MediaUri::new("mxc://x/a").unwrap()), name: Some(name.to_owned()), ..File::default() }
}

#[test]
fn texts_notices_and_emotes() {
    let html = Some("<b>hi</b>".to_owned());
    for (json, expected) in [
        (r#"{"msgtype":"m.text","body":"hi"}"#, text("hi", None)),
        (r#"{"msgtype":"m.text","body":""}"#, text("", None)),
        (r#"{"msgtype":"m.text","body":"cut \ud83d","n":1e999,"":[]}"#, text("cut \u{fffd}", None)),
        (
            r#"{"msgtype":"m.notice","body":"hi","format":"org.matrix.custom.html","formatted_body":"<b>hi</b>"}"#,
            Content::Notice { body: "hi".to_owned(), formatted: html.clone() },
        ),
        (
            r#"{"msgtype":"m.emote","body":"waves","format":"org.matrix.custom.html","formatted_body":"<b>hi</b>"}"#,
            Content::Emote { body: "waves".to_owned(), formatted: html },
        ),
        (
            r#"{"msgtype":"m.text","body":"hi","format":"text/rtf","formatted_body":"{\\rtf"}"#,
            text("hi", None),
        ),
        (r#"{"msgtype":"m.text","body":"hi","formatted_body":"<b>hi</b>"}"#, text("hi", None)),
        (
            r#"{"msgtype":"m.text","body":"hi","format":"org.matrix.custom.html","formatted_body":7}"#,
            text("hi", None),
        ),
        (
            r#"{"msgtype":"m.text","body":"hi","format":"org.matrix.custom.html","formatted_body":" "}"#,
            text("hi", None),
        ),
    ] {
        assert_eq!(message(json), expected, "{json}");
    }
}

#[test]
fn what_lacks_what_its_kind_needs_is_its_plain_text() {
    for (json, body) in [
        ("{}", None),
        ("[1]", None),
        (r#"{"msgtype":"m.text"}"#, None),
        (r#"{"msgtype":"m.text","body":["hi"]}"#, None),
        (r#"{"body":"hi"}"#, Some("hi")),
        (r#"{"msgtype":7,"body":"hi"}"#, Some("hi")),
        (r#"{"msgtype":"org.example.dance","body":"dances"}"#, Some("dances")),
        (r#"{"msgtype":"m.location","body":"here"}"#, Some("here")),
        (r#"{"msgtype":"m.location","body":"here","geo_uri":"https://x"}"#, Some("here")),
        (r#"{"msgtype":"org.example.new","m.text":[{"body":"new"}]}"#, Some("new")),
    ] {
        assert_eq!(message(json), unknown(body), "{json}");
    }
    for (kind, json, body) in [
        (
            "org.example.new",
            r#"{"m.text":[{"mimetype":"text/html","body":"<b>a</b>"},{"body":"a"}]}"#,
            Some("a"),
        ),
        ("org.example.new", r#"{"org.matrix.msc1767.text":"a"}"#, Some("a")),
        ("m.reaction", r#"{"m.relates_to":{"rel_type":"m.annotation","event_id":"$a","key":"+"}}"#, None),
        ("m.poll.start", r#"{"m.text":[{"body":"Tea or coffee?"}],"m.poll":{}}"#, Some("Tea or coffee?")),
        ("m.poll.end", r#"{"m.text":[{"body":"Tea"}]}"#, Some("Tea")),
        ("m.room.name", r#"{"name":"no key, no state"}"#, None),
    ] {
        assert_eq!(content(kind, json), unknown(body), "{kind} {json}");
    }
}

#[test]
fn answers_lose_their_quotes() {
    let reply = |more: &str| {
        format!(
            r#"{{"msgtype":"m.text","body":"> <@bob:x> hello\n\nhi","format":"org.matrix.custom.html",
                "formatted_body":"<mx-reply><blockquote>hello</blockquote></mx-reply><b>hi</b>"{more}}}"#
        )
    };
    let answer = message(&reply(r#","m.relates_to":{"m.in_reply_to":{"event_id":"$a"}}"#));
    assert_eq!(answer, text("hi", Some("<b>hi</b>")));
    let Content::Text { body, formatted } = message(&reply("")) else { panic!("a text") };
    assert!(body.starts_with("> <@bob:x>") && formatted.unwrap().starts_with("<mx-reply>"));
    let quoted = r#"{"msgtype":"m.file","url":"mxc://x/a","body":"> <@bob:x> hello\n\na.txt",
        "m.relates_to":{"rel_type":"m.thread","m.in_reply_to":{"event_id":"$a"}}}"#;
    assert_eq!(message(quoted), Content::File(file("a.txt")));
}

#[test]
fn files_of_each_kind() {
    let json = |kind: &str, more: &str| {
        message(&format!(r#"{{"msgtype":"{kind}","body":"a.bin","url":"mxc://x/a"{more}}}"#))
    };
    assert_eq!(json("m.image", ""), Content::Image(file("a.bin")));
    assert_eq!(json("m.video", ""), Content::Video(file("a.bin")));
    assert_eq!(json("m.file", ""), Content::File(file("a.bin")));
    assert_eq!(json("m.audio", ""), Content::Audio(file("a.bin")));
    assert_eq!(json("m.audio", r#","org.matrix.msc3245.voice":{}"#), Content::Voice(file("a.bin")));
    assert_eq!(json("m.audio", r#","m.voice":{}"#), Content::Voice(file("a.bin")));
    assert_eq!(json("m.audio", r#","m.voice":null"#), Content::Audio(file("a.bin")));
    let sticker = content("m.sticker", r#"{"body":"Landing","url":"mxc://x/a","info":{}}"#);
    assert_eq!(sticker, Content::Sticker(file("Landing")));
}

#[test]
fn plain_texts() {
    let about = r#""m.relates_to":{"rel_type":"m.reference","event_id":"$p"}"#;
    for (kind, json, plain) in [
        ("m.room.message", r#"{"msgtype":"m.emote","body":"waves"}"#.to_owned(), "waves"),
        ("m.room.message", r#"{"msgtype":"m.image","body":"look","filename":"a.png"}"#.to_owned(), "look"),
        ("m.room.message", r#"{"msgtype":"m.image","body":"a.png"}"#.to_owned(), "a.png"),
        ("m.room.message", r#"{"msgtype":"m.image"}"#.to_owned(), "Picture"),
        ("m.room.message", r#"{"msgtype":"m.audio","m.voice":{}}"#.to_owned(), "Voice message"),
        ("m.room.message", r#"{"msgtype":"m.location","geo_uri":"geo:1,2"}"#.to_owned(), "geo:1,2"),
        ("m.room.message", r#"{"msgtype":"m.location","body":"Big Ben","geo_uri":"geo:1,2"}"#.to_owned(), "Big Ben"),
        ("m.sticker", r#"{"body":"Landing"}"#.to_owned(), "Landing"),
        (
            "m.poll.start",
            r#"{"m.poll":{"question":{"m.text":[{"body":"Tea?"}]},"answers":[{"m.id":"y","m.text":[{"body":"Yes"}]}]}}"#
                .to_owned(),
            "Tea?",
        ),
        ("m.poll.response", format!(r#"{{{about},"m.selections":["y"]}}"#), ""),
        ("m.poll.end", format!("{{{about}}}"), "The poll has ended"),
        ("org.matrix.msc3381.poll.end", format!(r#"{{{about},"body":"Tea won"}}"#), "Tea won"),
        ("m.room.encrypted", r#"{"algorithm":"m.megolm.v1.aes-sha2"}"#.to_owned(), "Encrypted message"),
        ("m.reaction", "{}".to_owned(), ""),
    ] {
        assert_eq!(content(kind, &json).plain(), plain, "{kind} {json}");
    }
}

#[test]
fn as_json() {
    let value = |content: Content| serde_json::to_value(content).unwrap();
    assert_eq!(
        value(message(r#"{"msgtype":"m.text","body":"hi"}"#)),
        json!({ "type": "text", "body": "hi", "formatted": null })
    );
    let voice =
        value(message(r#"{"msgtype":"m.audio","m.voice":{},"body":"a.ogg","info":{"duration":1500}}"#));
    assert_eq!((&voice["type"], &voice["durationMs"]), (&json!("voice"), &json!(1500)));
    assert_eq!(voice["uri"], Value::Null);
    let encrypted = value(content("m.room.encrypted", r#"{"algorithm":"m.megolm.v1.aes-sha2"}"#));
    assert_eq!(
        encrypted,
        json!({ "type": "encrypted", "algorithm": "m.megolm.v1.aes-sha2", "unreadable": null })
    );
    let vote = r#"{"m.relates_to":{"event_id":"$p"},"m.selections":["y"]}"#;
    assert_eq!(
        value(content("m.poll.response", vote)),
        json!({ "type": "vote", "poll": "$p", "selections": ["y"] })
    );
}
