//! Reads: requests, and how their answers are handed on.

use haos_matrix::{PageRequest, Server as _, SyncRequest};
use haos_queue::{Answer, Lookup, Transport as _};
use haos_store_api::{Direction, Json};

use crate::support::*;

#[tokio::test]
async fn every_read_asks_for_what_it_says() {
    let server = Server::new(|seen| match &seen.line {
        line if line.contains("/filter") => json(r#"{"filter_id":"7"}"#),
        line if line.ends_with("/versions") => {
            json(r#"{"versions":["v1.11"],"unstable_features":{"org.matrix.simplified_msc3575":true}}"#)
        }
        _ => json(" {}"),
    })
    .await;
    let (home, lobby) = (Home::to(&server).await.http, room("!lobby"));
    guarded(async {
        assert_eq!(home.sync(&SyncRequest::default()).await.unwrap(), b" {}");
        let request = SyncRequest {
            since: Some("s1_2".to_owned()),
            timeout_ms: 30_000,
            filter: Some(r#"{"room":{}}"#.to_owned()),
            quiet: true,
        };
        home.sync(&request).await.unwrap();
        home.sliding_sync(None, 0, &Json::new(r#"{"lists":{}}"#).unwrap()).await.unwrap();
        home.sliding_sync(Some("0/s1"), 9, &Json::empty()).await.unwrap();
        for _ in 0..2 {
            assert_eq!(home.offers_sliding_sync().await, Ok(true));
        }
        assert_eq!(home.versions().await.unwrap(), ["v1.11"]);
        assert_eq!(home.upload_filter(&Json::new(r#"{"room":{}}"#).unwrap()).await.unwrap(), "7");
        let (from, to, direction, limit) = (Some("t1"), Some("t2"), Direction::Newer, 50);
        home.messages(&PageRequest { room: &lobby, from, to, direction, limit }).await.unwrap();
        home.context(&lobby, &event("$e/1"), 10).await.unwrap();
        home.members(&lobby, None).await.unwrap();
        home.members(&lobby, Some("s1")).await.unwrap();
    })
    .await;
    let seen = server.seen();
    assert!(seen.iter().all(|seen| seen.token() == Some("syt_one")));
    let lines: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.line, seen.text())).collect();
    let expected = [
        "GET /_matrix/client/v3/sync?timeout=0 ",
        "GET /_matrix/client/v3/sync?filter=%7B%22room%22%3A%7B%7D%7D&since=s1_2&set_presence=offline&timeout=30000 ",
        r#"POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0 {"lists":{}}"#,
        "POST /_matrix/client/unstable/org.matrix.simplified_msc3575/sync?pos=0%2Fs1&timeout=9 {}",
        "GET /_matrix/client/versions ",
        r#"POST /_matrix/client/v3/user/%40ada%3Aexample.org/filter {"room":{}}"#,
        "GET /_matrix/client/v3/rooms/%21lobby/messages?dir=f&from=t1&to=t2&limit=50 ",
        "GET /_matrix/client/v3/rooms/%21lobby/context/%24e%2F1?limit=10 ",
        "GET /_matrix/client/v3/rooms/%21lobby/members ",
        "GET /_matrix/client/v3/rooms/%21lobby/members?at=s1 ",
    ];
    assert_eq!(lines, expected);
}

/// `{"next_batch":"s1"}`, compressed.
const ZIPPED: [u8; 39] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 75, 173, 40, 137, 79, 74, 44, 73, 206, 80, 178, 82, 42,
    54, 84, 170, 5, 0, 114, 52, 0, 106, 19, 0, 0, 0,
];

#[tokio::test]
async fn what_comes_compressed_is_unpacked_and_a_part_of_it_is_no_answer() {
    let server = Server::new(|seen| {
        let whole = seen.line.contains("since=whole");
        let headers =
            vec![("Content-Type", "application/json".to_owned()), ("Content-Encoding", "gzip".to_owned())];
        let body = ZIPPED[..if whole { ZIPPED.len() } else { 30 }].to_vec();
        Reaction::Answer { status: 200, headers, body }
    })
    .await;
    let home = Home::to(&server).await.http;
    let since = |token: &str| SyncRequest { since: Some(token.to_owned()), ..SyncRequest::default() };
    guarded(async {
        assert_eq!(home.sync(&since("whole")).await.unwrap(), br#"{"next_batch":"s1"}"#);
        assert_eq!(home.sync(&since("part")).await.unwrap_err(), Answer::NoAnswer);
    })
    .await;
}

#[tokio::test]
async fn an_event_is_there_or_missing_or_unknown() {
    let server = Server::new(|seen| match &seen.line {
        line if line.ends_with("%24there") => {
            json(r#"{"event_id":"$there","sender":"@a:h","type":"m.x","origin_server_ts":1,"content":{}}"#)
        }
        line if line.ends_with("%24gone") => refused(404, r#"{"errcode":"M_NOT_FOUND"}"#),
        line if line.ends_with("%24odd") => json(r#"{"event_id":7}"#),
        _ => html(404),
    })
    .await;
    let (home, lobby) = (Home::to(&server).await.http, room("!lobby"));
    guarded(async {
        let there = home.event(&lobby, &event("$there")).await;
        assert!(matches!(there, Lookup::Found(found) if found.id == event("$there")));
        assert_eq!(home.event(&lobby, &event("$gone")).await, Lookup::Missing);
        assert_eq!(home.event(&lobby, &event("$odd")).await, Lookup::Failed(Answer::Unreadable));
        let proxy = home.event(&lobby, &event("$proxy")).await;
        assert!(
            matches!(proxy, Lookup::Failed(Answer::Refused(it)) if it.status == 404 && it.code.is_none())
        );
    })
    .await;
}

#[tokio::test]
async fn history_runs_from_the_newest_to_the_oldest() {
    let page = |id: &str, end: &str| {
        let event = format!(r#"{{"event_id":"{id}","sender":"@a:h","type":"m.x","content":{{}}}}"#);
        json(&format!(r#"{{"chunk":[{event}],"start":"t"{end}}}"#))
    };
    let server = Server::new(move |seen| match seen.line.contains("from=") {
        false => page("$new", r#","end":"t1""#),
        true => page("$old", ""),
    })
    .await;
    let (home, lobby) = (Home::to(&server).await.http, room("!lobby"));
    let newest = guarded(home.history(&lobby, None, 20)).await.unwrap();
    assert_eq!((newest.events[0].id.as_str(), newest.end.as_deref()), ("$new", Some("t1")));
    let last = guarded(home.history(&lobby, newest.end.as_deref(), 20)).await.unwrap();
    assert_eq!((last.events[0].id.as_str(), last.end), ("$old", None));
    let lines = [
        "GET /_matrix/client/v3/rooms/%21lobby/messages?dir=b&limit=20",
        "GET /_matrix/client/v3/rooms/%21lobby/messages?dir=b&from=t1&limit=20",
    ];
    assert_eq!(server.lines(), lines);
}

#[tokio::test]
async fn whether_a_room_is_encrypted() {
    for (reaction, expected) in [
        (json(r#"{"algorithm":"m.megolm.v1.aes-sha2"}"#), Some(Ok(true))),
        (refused(404, r#"{"errcode":"M_NOT_FOUND"}"#), Some(Ok(false))),
        (Reaction::Close, Some(Err(Answer::NoAnswer))),
        // Somebody else's page, a server that does not know the request, a stranger: none of them says that it is not.
        (html(404), None),
        (refused(404, r#"{"errcode":"M_UNRECOGNIZED"}"#), None),
        (refused(403, r#"{"errcode":"M_FORBIDDEN"}"#), None),
    ] {
        let server = Server::new(move |_| reaction.clone()).await;
        let asked = guarded(Home::to(&server).await.http.is_encrypted(&room("!lobby"))).await;
        match expected {
            Some(expected) => assert_eq!(asked, expected),
            None => assert!(matches!(asked, Err(Answer::Refused(_))), "{asked:?}"),
        }
        let line = "GET /_matrix/client/v3/rooms/%21lobby/state/m.room.encryption";
        assert!(server.lines().iter().all(|asked| asked == line), "{:?}", server.lines());
    }
}
