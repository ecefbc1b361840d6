//! Writes: method, path, body and headers of each.

use haos_queue::{Answer, RECEIPT, TYPING, Transport as _};
use haos_store_api::*;

use crate::support::*;

const EVENT: &str = r#"{"event_id":"$sent"}"#;

async fn sent(row: &Pending) -> (Answer, Seen) {
    let server = Server::new(|seen| match seen.line.contains("/send/") || seen.line.contains("/redact/") {
        true => json(EVENT),
        false => json("{}"),
    })
    .await;
    let answer = guarded(Home::to(&server).await.http.send(row)).await;
    let seen = server.only();
    assert_eq!(seen.token(), Some("syt_one"));
    assert!(!seen.line.contains("syt_one"), "no token in a url");
    (answer, seen)
}

#[tokio::test]
async fn an_event_goes_under_its_transaction_id() {
    let (answer, seen) = sent(&row("m.room.message", r#"{"body":"hä"}"#)).await;
    assert_eq!(answer, Answer::Accepted(event("$sent")));
    assert_eq!(seen.line, "PUT /_matrix/client/v3/rooms/%21lobby/send/m.room.message/t1");
    assert_eq!(seen.text(), r#"{"body":"hä"}"#);
    assert_eq!(seen.headers["content-type"], "application/json");
}

#[tokio::test]
async fn an_encrypted_event_goes_in_its_wire_form() {
    let wire = Some(Json::new(r#"{"ciphertext":"…"}"#).unwrap());
    let (_, seen) = sent(&Pending { wire, ..row("m.room.encrypted", "{}") }).await;
    assert_eq!(seen.text(), r#"{"ciphertext":"…"}"#);
}

#[tokio::test]
async fn a_redaction_names_its_target_in_the_path() {
    let target = Some(event("$a/b+c"));
    let (answer, seen) = sent(&Pending { target, ..row("m.room.redaction", r#"{"reason":"x"}"#) }).await;
    assert_eq!(answer, Answer::Accepted(event("$sent")));
    assert_eq!(seen.line, "PUT /_matrix/client/v3/rooms/%21lobby/redact/%24a%2Fb%2Bc/t1");
    assert_eq!(seen.text(), r#"{"reason":"x"}"#);
}

#[tokio::test]
async fn receipts_and_typing_have_no_event() {
    let markers = r#"{"m.fully_read":"$a","m.read":"$b","m.read.private":"$c"}"#;
    let (answer, seen) = sent(&row(RECEIPT, markers)).await;
    assert_eq!((answer, seen.text()), (Answer::Done, markers));
    assert_eq!(seen.line, "POST /_matrix/client/v3/rooms/%21lobby/read_markers");

    let typing = r#"{"typing":true,"timeout":20000}"#;
    let (answer, seen) = sent(&row(TYPING, typing)).await;
    assert_eq!((answer, seen.text()), (Answer::Done, typing));
    assert_eq!(seen.line, "PUT /_matrix/client/v3/rooms/%21lobby/typing/%40ada%3Aexample.org");
}

#[tokio::test]
async fn ids_hold_anything_and_stay_in_their_segment() {
    let (room, txn_id) = (room("!ä /..?#%2F\\"), TxnId::new("../../logout").unwrap());
    let (_, seen) = sent(&Pending { room, txn_id, ..row("a/b c", "{}") }).await;
    let expected =
        "PUT /_matrix/client/v3/rooms/%21%C3%A4%20%2F..%3F%23%252F%5C/send/a%2Fb%20c/..%2F..%2Flogout";
    assert_eq!(seen.line, expected);
}

#[tokio::test]
async fn what_no_url_can_say_is_refused_and_never_sent() {
    let server = Server::new(|_| json(EVENT)).await;
    let home = Home::to(&server).await;
    let nowhere = Pending { room: room(".."), ..row("m.room.message", "{}") };
    assert_eq!(home.http.send(&nowhere).await, Answer::Refused(refusal(400, "M_INVALID_PARAM")));
    let aimless = row("m.room.redaction", "{}");
    assert_eq!(home.http.send(&aimless).await, Answer::Refused(refusal(400, "M_MISSING_PARAM")));
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn rooms() {
    let server = Server::new(|seen| match &seen.line {
        line if line.contains("/state/") => json(EVENT),
        line if line.ends_with("joined_rooms") => json(r#"{"joined_rooms":["!a","!b:h"]}"#),
        _ => json(r#"{"room_id":"!new"}"#),
    })
    .await;
    let (home, bob) = (Home::to(&server).await.http, UserId::new("@bob:h").unwrap());
    guarded(async {
        assert_eq!(home.create_room(&Json::new(r#"{"name":"x"}"#).unwrap()).await, Ok(room("!new")));
        assert_eq!(home.join("#a:h", &["h:1", "g"]).await, Ok(room("!new")));
        home.leave(&room("!a")).await.unwrap();
        home.invite(&room("!a"), &bob).await.unwrap();
        home.kick(&room("!a"), &bob, Some("no")).await.unwrap();
        assert_eq!(home.joined_rooms().await.unwrap(), [room("!a"), room("!b:h")]);
        let (name, empty) = (EventType::new("m.room.name").unwrap(), StateKey::new("").unwrap());
        let content = Json::new(r#"{"name":"y"}"#).unwrap();
        assert_eq!(home.put_state(&room("!a"), &name, &empty, &content).await, Ok(event("$sent")));
    })
    .await;
    let seen: Vec<_> = server.seen().iter().map(|it| format!("{} {}", it.line, it.text())).collect();
    let expected = [
        r#"POST /_matrix/client/v3/createRoom {"name":"x"}"#,
        "POST /_matrix/client/v3/join/%23a%3Ah?via=h%3A1&server_name=h%3A1&via=g&server_name=g {}",
        "POST /_matrix/client/v3/rooms/%21a/leave {}",
        r#"POST /_matrix/client/v3/rooms/%21a/invite {"user_id":"@bob:h"}"#,
        r#"POST /_matrix/client/v3/rooms/%21a/kick {"reason":"no","user_id":"@bob:h"}"#,
        "GET /_matrix/client/v3/joined_rooms ",
        r#"PUT /_matrix/client/v3/rooms/%21a/state/m.room.name/ {"name":"y"}"#,
    ];
    assert_eq!(seen, expected);
}
