//! The kind of a response, found by its shape.

use std::borrow::Cow;

use haos_queue::Since;
use haos_store_api::RoomId;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::import::lines::Line;

/// A response and what is known of its request.
#[derive(Debug)]
pub(super) enum Response<'a> {
    Sync { since: Since, body: &'a [u8] },
    Page { room: RoomId, from: String, body: &'a [u8] },
}

/// The members that tell responses apart; everything else is left as it is.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    next_batch: Option<&'a RawValue>,
    #[serde(borrow)]
    chunk: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    since: Option<Cow<'a, str>>,
    #[serde(borrow)]
    room_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    start: Option<Cow<'a, str>>,
}

const EXPECTED: &str = "it is neither a /sync response (`next_batch`) nor a /messages response (`chunk`), bare \
                        or as {\"since\", \"response\"} or {\"room_id\", \"from\", \"response\"}";

impl<'a> Response<'a> {
    /// Reads a line of `file`. `room` is the room of bare pages.
    pub(super) fn read(line: &Line<'a>, room: Option<&RoomId>, file: &str) -> Result<Self> {
        let text = std::str::from_utf8(line.bytes).map_err(|e| {
            let before = &line.bytes[..e.valid_up_to()];
            let number = line.number + before.iter().filter(|byte| **byte == b'\n').count() as u64;
            let at = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            Error::Input(format!("not UTF-8 at byte {at} of the line: save the file as UTF-8"))
                .at(file, number)
        })?;
        let shape = Self::shape(text).map_err(|e| syntax(&e, line.number, file))?;
        Self::of(&shape, text, room).map_err(|e| e.at(file, line.number))
    }

    fn shape(text: &'a str) -> serde_json::Result<Shape<'a>> {
        // A list would be taken for the members in order.
        if !text.trim_ascii_start().starts_with('{') {
            let _: &RawValue = serde_json::from_str(text)?;
            return Err(serde::de::Error::custom(EXPECTED));
        }
        serde_json::from_str(text)
    }

    fn of(shape: &Shape<'a>, text: &'a str, room: Option<&RoomId>) -> Result<Self> {
        let input = |reason: &str| Error::Input(reason.to_owned());
        if let Some(body) = shape.response {
            let body = body.get();
            return match (&shape.room_id, &shape.from) {
                (Some(room), Some(from)) => {
                    Ok(Self::Page { room: RoomId::new(room)?, from: from.to_string(), body: body.as_bytes() })
                }
                (None, None) => Ok(Self::Sync { since: since(shape), body: body.as_bytes() }),
                (None, Some(_)) => Err(input("a page without `room_id`: it says whose history it is")),
                (Some(_), None) => Err(input("a page without `from`: it says at which gap the page belongs")),
            };
        }
        match (shape.next_batch, shape.chunk) {
            (Some(_), _) => Ok(Self::Sync { since: since(shape), body: text.as_bytes() }),
            (None, Some(_)) => {
                let from = shape.from.as_ref().or(shape.start.as_ref());
                let from =
                    from.ok_or_else(|| input("a page without `start`: it says at which gap it belongs"))?;
                let room = match (room, &shape.room_id) {
                    (_, Some(id)) => RoomId::new(id)?,
                    (Some(room), None) => room.clone(),
                    (None, None) => {
                        return Err(input("a bare /messages response: name its room with --room"));
                    }
                };
                Ok(Self::Page { room, from: from.to_string(), body: text.as_bytes() })
            }
            (None, None) => Err(input(EXPECTED)),
        }
    }
}

fn since(shape: &Shape<'_>) -> Since {
    shape.since.as_ref().map_or(Since::Unknown, |token| Since::Stored(Some(token.to_string())))
}

fn syntax(error: &serde_json::Error, number: u64, file: &str) -> Error {
    let number = number + (error.line() as u64).saturating_sub(1);
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    let reason = if error.is_eof() {
        "the JSON ends too early: the file was cut off, fetch it again".to_owned()
    } else if error.is_data() {
        reason.to_owned()
    } else if reason == "trailing characters" {
        format!(
            "something follows the response at column {}: several belong into a .jsonl file",
            error.column()
        )
    } else {
        format!("not JSON at column {}: {reason}", error.column())
    };
    Error::Input(reason).at(file, number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, room: Option<&RoomId>) -> Result<String, String> {
        let line = Line { number: 7, bytes: text.as_bytes() };
        match Response::read(&line, room, "f") {
            Ok(Response::Sync { since, body }) => Ok(format!("sync {since:?} {}", body.len())),
            Ok(Response::Page { room, from, body }) => Ok(format!("page {room} {from} {}", body.len())),
            Err(e) => Err(e.to_string()),
        }
    }

    #[test]
    fn shapes() {
        let room = RoomId::new("!r").unwrap();
        let read = |text| read(text, Some(&room)).unwrap();
        assert_eq!(read(r#"{"next_batch":"s"}"#), "sync Unknown 18");
        assert_eq!(read(r#"{"since":null,"response":{}}"#), "sync Unknown 2");
        assert_eq!(read(r#"{"since":"a","at_ms":1,"response":{}}"#), "sync Stored(Some(\"a\")) 2");
        assert_eq!(read(r#"{"room_id":"!a","from":"t","response":{"chunk":[]}}"#), "page !a t 12");
        assert_eq!(read(r#"{"chunk":[],"start":"t\u0031"}"#), "page !r t1 30");
    }

    #[test]
    fn faults_say_where_and_what() {
        let fault = |text| read(text, None).unwrap_err();
        assert!(fault("[1]").starts_with("f:7: it is neither"));
        assert!(fault("{}").starts_with("f:7: it is neither"));
        assert!(fault("{\n\n\"a\":x}").starts_with("f:9: not JSON at column"), "{}", fault("{\n\n\"a\":x}"));
        assert!(fault("{\"next").contains("ends too early"));
        assert!(fault(r#"{"chunk":[],"start":"t"}"#).contains("--room"));
        assert!(fault(r#"{"room_id":"!a","response":{}}"#).contains("`from`"));
        assert!(fault("{} {}").contains("several belong into a .jsonl"));
        let line = Line { number: 1, bytes: b"{\n\"a\xff\"}" };
        let fault = Response::read(&line, None, "f").unwrap_err().to_string();
        assert!(fault.starts_with("f:2: not UTF-8 at byte 3"), "{fault}");
    }
}
