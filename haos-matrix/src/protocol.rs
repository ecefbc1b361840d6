use haos_queue::{Event, NotRead, Protocol, RECEIPT, RoomPatch, RoomState, SpaceLink, local_event_id};
use haos_store_api::{
    EventId, EventType, Json, Pending, Relation, RelationKind, Result, Scope, StateEntry, StateKey,
};
use serde_json::{Map, Value, json};

use crate::mentions::{MENTIONS, Mentions};
use crate::parse::members::Members;
use crate::parse::relation::{REPLACES, relation};
use crate::parse::{known_key, known_kind, without_copy};
use crate::{redaction, shown, space};

const REDACTION: &str = "m.room.redaction";
const FULLY_READ: &str = "m.fully_read";

/// Matrix, as the outbox and reconciliation must know it (specification, client-server API, "Event replacements",
/// "Redactions", "Spaces").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatrixProtocol;

impl Protocol for MatrixProtocol {
    fn edit(
        &self,
        target: &EventId,
        kind: &EventType,
        content: &Json,
        before: Option<&Json>,
    ) -> Result<(EventType, Json)> {
        let new: Map<String, Value> = content.parse()?;
        // For clients without edits: the new content, its text marked.
        let mut event = new.clone();
        for text in ["body", "formatted_body"] {
            if let Some(Value::String(text)) = event.get_mut(text) {
                text.insert_str(0, "* ");
            }
        }
        // The new content has all whom the message calls, the edit those whom it calls newly: an empty list keeps the
        // text from calling anybody ("Edits of events with mentions").
        let called = before.map(Mentions::of).unwrap_or_default();
        event.insert(MENTIONS.to_owned(), Mentions::of(content).since(&called).value());
        // A replacement has no relation of its own.
        let mut new = new;
        new.remove("m.relates_to");
        event.insert("m.new_content".to_owned(), Value::Object(new));
        let relates = json!({ "rel_type": "m.replace", "event_id": target.as_str() });
        event.insert("m.relates_to".to_owned(), relates);
        Ok((kind.clone(), Json::of(&event)?))
    }

    fn redaction(&self) -> Result<(EventType, Json)> {
        Ok((EventType::new(REDACTION)?, Json::empty()))
    }

    fn encryption(&self) -> Option<&'static str> {
        Some("m.room.encryption")
    }

    /// Redactions are for the server, which empties what they name. Reactions go in clear, as in every client: servers
    /// count them by their key.
    fn seals(&self, kind: &EventType) -> bool {
        !matches!(kind.as_str(), REDACTION | "m.reaction")
    }

    fn outlives_parent(&self, row: &Pending) -> bool {
        // A redaction makes no sense without what it takes back, whether or not that can be named.
        row.kind.as_str() != REDACTION
            && matches!(
                self.row_relation(row).map(|relation| relation.kind),
                None | Some(RelationKind::Reply | RelationKind::Thread | RelationKind::Other(_))
            )
    }

    fn row_relation(&self, row: &Pending) -> Option<Relation> {
        if row.kind.as_str() == REDACTION {
            let unsent = || row.parent.as_ref().and_then(|parent| local_event_id(parent).ok());
            let target = row.target.clone().or_else(unsent)?;
            return Some(Relation { kind: RelationKind::Redaction, target, key: None });
        }
        let content = Members::of_text(row.content.as_str())?;
        relation(&row.kind, &content)
    }

    fn rights(&self) -> &[&'static str] {
        &["m.room.power_levels"]
    }

    fn redacted(&self, kind: &EventType, content: &Json) -> Json {
        redaction::content(kind, content)
    }

    fn redacted_state(&self, kind: &EventType, value: &Json) -> Json {
        redaction::state(kind, value)
    }

    fn repeats(&self) -> Option<RelationKind> {
        Some(RelationKind::Other(REPLACES.to_owned()))
    }

    fn without_repeated(&self, extra: &Json) -> Option<Json> {
        without_copy(extra)
    }

    /// The heroes of sliding sync come with their names.
    fn repeated_in(&self, kind: &EventType) -> Option<(EventType, StateKey)> {
        (kind.as_str() == "m.room.member").then(|| (known_kind("haos.summary"), known_key("heroes")))
    }

    fn is_shown(&self, kind: &EventType) -> bool {
        shown::is_shown(kind.as_str())
    }

    fn shown(&self, state: &RoomState<'_>) -> Result<RoomPatch, NotRead> {
        shown::shown(state)
    }

    fn is_beginning(&self, kind: &EventType) -> Option<bool> {
        Some(kind.as_str() == "m.room.create")
    }

    fn is_unsettled(&self, event: &Event) -> bool {
        redaction::is_unsettled(event)
    }

    fn relation(&self, event: &Event, state: &RoomState<'_>) -> Result<Option<Relation>, NotRead> {
        redaction::relation(event, state)
    }

    fn is_later(&self, entry: &StateEntry, held: &StateEntry) -> bool {
        let time = |entry: &StateEntry| -> Option<i64> {
            entry.value.member("origin_server_ts").and_then(|time| time.parse().ok())
        };
        entry.kind.as_str() == "m.room.member" && time(entry) > time(held)
    }

    fn read_marker(&self, row: &Pending) -> Option<StateEntry> {
        // A receipt alone, which may be private or of a thread, moves no marker.
        let event = row.content.text(FULLY_READ).filter(|_| row.kind.as_str() == RECEIPT)?;
        Some(StateEntry {
            scope: Scope::Room(row.room.clone()),
            kind: known_kind(FULLY_READ),
            key: known_key(""),
            event_id: None,
            value: Json::of(&json!({ "event_id": event })).ok()?,
        })
    }

    fn read_upto(&self, entry: &StateEntry) -> Option<EventId> {
        let is_marker = entry.kind.as_str() == FULLY_READ && matches!(entry.scope, Scope::Room(_));
        EventId::new(entry.value.text("event_id").filter(|_| is_marker)?).ok()
    }

    fn space_link(&self, entry: &StateEntry) -> Option<SpaceLink> {
        space::space_link(entry)
    }

    fn is_linked(&self, value: &Json) -> bool {
        space::is_linked(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haos_queue::{apply_page, apply_sync};
    use haos_store_api::{
        Direction, MemoryStore, RoomId, Scope, StorageAdapter as _, StorageAdapterExt as _, TxnId, UserId,
    };

    use crate::{Account, parse_messages, parse_sync};

    fn row(kind: &str, content: &str) -> Pending {
        let (kind, content) = (EventType::new(kind).unwrap(), Json::new(content).unwrap());
        Pending::new(TxnId::new("t").unwrap(), RoomId::new("!r").unwrap(), kind, content, 0)
    }

    #[test]
    fn a_receipt_moves_the_marker_where_it_says_so() {
        let moved = |kind: &str, content: &str| {
            let entry = MatrixProtocol.read_marker(&row(kind, content))?;
            assert_eq!((entry.kind.as_str(), entry.key.as_str()), (FULLY_READ, ""));
            MatrixProtocol.read_upto(&entry).map(|event| event.to_string())
        };
        for receipt in ["m.read", "m.read.private"] {
            let content = format!(r#"{{"m.fully_read":"$a","{receipt}":"$b"}}"#);
            assert_eq!(moved(RECEIPT, &content).as_deref(), Some("$a"));
        }
        for (kind, content) in [
            (RECEIPT, r#"{"m.read":"$a"}"#),
            (RECEIPT, r#"{"m.read.private":"$a","thread_id":"$t"}"#),
            (RECEIPT, r#"{"m.fully_read":""}"#),
            (RECEIPT, r#"{"m.fully_read":7}"#),
            ("m.room.message", r#"{"m.fully_read":"$a"}"#),
        ] {
            assert_eq!(moved(kind, content), None, "{content}");
        }
    }

    /// A member event of Bob's in a room.
    fn bob(id: &str, time: i64, name: &str) -> String {
        format!(
            r#"{{"event_id":"{id}","sender":"@bob:x","state_key":"@bob:x","type":"m.room.member",
                "origin_server_ts":{time},"content":{{"membership":"join","displayname":"{name}"}}}}"#
        )
    }

    #[tokio::test]
    async fn a_page_tells_the_name_that_a_limited_sync_left_out_and_none_of_before() {
        let (store, room) = (MemoryStore::new(), RoomId::new("!r").unwrap());
        let account = Account::of(UserId::new("@me:x").unwrap());
        let text = r#"{"event_id":"$t","sender":"@me:x","type":"m.room.message","origin_server_ts":9,
            "content":{"body":"hi"}}"#;
        for (next, timeline, state) in [
            ("s1", bob("$e2", 2, "Bob"), String::new()),
            ("s2", text.to_owned(), r#","limited":true,"prev_batch":"p""#.to_owned()),
        ] {
            let timeline = format!(r#"{{"events":[{timeline}]{state}}}"#);
            let answer =
                format!(r#"{{"next_batch":"{next}","rooms":{{"join":{{"!r":{{"timeline":{timeline}}}}}}}}}"#);
            let delta = parse_sync(answer.as_bytes(), &account).unwrap();
            apply_sync(&store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
        }
        let name = async || {
            let (kind, key) = (known_kind("m.room.member"), known_key("@bob:x"));
            let held = store.state_value(Scope::Room(room.clone()), &kind, &key).await.unwrap();
            held.and_then(|held| held.member("content")?.text("displayname"))
        };
        // The later of two changes first, as pages come.
        for (chunk, told) in [
            ([bob("$e4", 4, "Bobby"), bob("$e3", 3, "Robert")], "Bobby"),
            ([bob("$e1", 1, "B"), bob("$e0", 0, "")], "Bobby"),
        ] {
            let gap = store.gaps(&room).await.unwrap().pop().unwrap();
            let page = format!(r#"{{"chunk":[{}],"start":"p","end":"q"}}"#, chunk.join(","));
            let page = parse_messages(page.as_bytes(), &room, Direction::Older).unwrap();
            apply_page(&store, &gap, &page, None, &MatrixProtocol).await.unwrap();
            assert_eq!(name().await.as_deref(), Some(told));
        }
    }

    #[test]
    fn an_edit_carries_its_new_content_twice() {
        let kind = EventType::new("m.room.message").unwrap();
        let content =
            r#"{"body":"better","m.relates_to":{"m.in_reply_to":{"event_id":"$x"}},"msgtype":"m.text"}"#;
        let target = EventId::new("~t1").unwrap();
        let (_, edit) = MatrixProtocol.edit(&target, &kind, &Json::new(content).unwrap(), None).unwrap();
        let edit: Value = edit.parse().unwrap();
        assert_eq!(edit["body"], "* better");
        assert_eq!(edit["m.new_content"], json!({ "body": "better", "msgtype": "m.text" }));
        assert_eq!(edit["m.relates_to"], json!({ "rel_type": "m.replace", "event_id": "~t1" }));
    }

    #[test]
    fn an_edit_calls_those_whom_the_message_did_not_call() {
        let kind = EventType::new("m.room.message").unwrap();
        let target = EventId::new("$m").unwrap();
        let (ada, both) = (r#"{"user_ids":["@ada:x"]}"#, r#"{"user_ids":["@ada:x","@bob:x"],"room":true}"#);
        for (before, new, called) in [
            (Some(ada), both, json!({ "user_ids": ["@bob:x"], "room": true })),
            (Some(both), ada, json!({})),
            (Some(both), both, json!({})),
            (Some("{}"), ada, json!({ "user_ids": ["@ada:x"] })),
            (None, ada, json!({ "user_ids": ["@ada:x"] })),
        ] {
            let content = |mentions: &str| Json::new(format!(r#"{{"m.mentions":{mentions}}}"#)).unwrap();
            let was = before.map(content);
            let (_, edit) = MatrixProtocol.edit(&target, &kind, &content(new), was.as_ref()).unwrap();
            let edit: Value = edit.parse().unwrap();
            assert_eq!(edit["m.mentions"], called, "{before:?} {new}");
            let new: Value = serde_json::from_str(new).unwrap();
            assert_eq!(edit["m.new_content"]["m.mentions"], new, "{before:?}");
        }
        let (_, edit) = MatrixProtocol.edit(&target, &kind, &Json::empty(), None).unwrap();
        let edit: Value = edit.parse().unwrap();
        assert_eq!((&edit["m.mentions"], &edit["m.new_content"]), (&json!({}), &json!({})));
    }

    #[test]
    fn an_answer_outlives_what_it_answers_and_a_reaction_does_not() {
        let reply = r#"{"m.relates_to":{"m.in_reply_to":{"event_id":"~t1"}},"body":"yes"}"#;
        let reaction = r#"{"m.relates_to":{"rel_type":"m.annotation","event_id":"~t1","key":"+"}}"#;
        let edit = r#"{"m.relates_to":{"rel_type":"m.replace","event_id":"~t1"}}"#;
        assert!(MatrixProtocol.outlives_parent(&row("m.room.message", reply)));
        assert!(MatrixProtocol.outlives_parent(&row("m.room.message", "{}")));
        assert!(!MatrixProtocol.outlives_parent(&row("m.reaction", reaction)));
        assert!(!MatrixProtocol.outlives_parent(&row("m.room.message", edit)));
        assert!(!MatrixProtocol.outlives_parent(&row("m.room.redaction", "{}")));
    }

    #[test]
    fn what_kinds_mean() {
        let kind = |kind: &str| EventType::new(kind).unwrap();
        for (of, repeated, beginning, is_shown) in [
            ("m.room.create", None, true, true),
            ("m.room.member", Some(("haos.summary", "heroes")), false, true),
            ("m.room.name", None, false, true),
            ("m.room.canonical_alias", None, false, true),
            ("haos.summary", None, false, true),
            ("m.room.topic", None, false, true),
            ("m.room.avatar", None, false, true),
            ("m.room.message", None, false, false),
            ("m.space.child", None, false, false),
        ] {
            let found = MatrixProtocol.repeated_in(&kind(of));
            let found = found.as_ref().map(|(kind, key)| (kind.as_str(), key.as_str()));
            assert_eq!(found, repeated, "{of}");
            assert_eq!(MatrixProtocol.is_beginning(&kind(of)), Some(beginning), "{of}");
            assert_eq!(MatrixProtocol.is_shown(&kind(of)), is_shown, "{of}");
        }
        assert_eq!(MatrixProtocol.repeats(), Some(RelationKind::Other("replaces_state".to_owned())));
        let copy = Json::new(r#"{"unsigned":{"prev_content":{},"x":1}}"#).unwrap();
        let without = MatrixProtocol.without_repeated(&copy).unwrap();
        assert_eq!(without.as_str(), r#"{"unsigned":{"x":1}}"#);
    }
}
