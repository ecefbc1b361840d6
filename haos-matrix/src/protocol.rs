use haos_queue::Protocol;
use haos_store_api::{EventId, EventType, Json, Pending, RelationKind, Result};
use serde_json::{Map, Value, json};

use crate::MatrixRules;
use crate::parse::members::Members;
use crate::parse::relation::relation;

/// What the outbox must know of Matrix to edit and take back what is on its way (specification,
/// client-server API, "Event replacements", "Redactions").
impl Protocol for MatrixRules {
    fn edit(&self, target: &EventId, kind: &EventType, content: &Json) -> Result<(EventType, Json)> {
        let new: Map<String, Value> = content.parse()?;
        // What clients show that know no edits: the new content, its text marked.
        let mut event = new.clone();
        for text in ["body", "formatted_body"] {
            if let Some(Value::String(text)) = event.get_mut(text) {
                text.insert_str(0, "* ");
            }
        }
        // A replacement has no relation of its own.
        let mut new = new;
        new.remove("m.relates_to");
        event.insert("m.new_content".to_owned(), Value::Object(new));
        let relates = json!({ "rel_type": "m.replace", "event_id": target.as_str() });
        event.insert("m.relates_to".to_owned(), relates);
        Ok((kind.clone(), Json::of(&event)?))
    }

    fn redaction(&self) -> Result<(EventType, Json)> {
        Ok((EventType::new("m.room.redaction")?, Json::empty()))
    }

    fn outlives_parent(&self, row: &Pending) -> bool {
        if row.kind.as_str() == "m.room.redaction" {
            return false;
        }
        let relation =
            Members::of_text(row.content.as_str()).and_then(|content| relation(&row.kind, &content));
        matches!(
            relation.map(|relation| relation.kind),
            None | Some(RelationKind::Reply | RelationKind::Thread | RelationKind::Other(_))
        )
    }

    fn rights(&self) -> &[&'static str] {
        &["m.room.power_levels"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haos_store_api::{RoomId, TxnId};

    fn row(kind: &str, content: &str) -> Pending {
        let (kind, content) = (EventType::new(kind).unwrap(), Json::new(content).unwrap());
        Pending::new(TxnId::new("t").unwrap(), RoomId::new("!r").unwrap(), kind, content, 0)
    }

    #[test]
    fn an_edit_carries_its_new_content_twice() {
        let kind = EventType::new("m.room.message").unwrap();
        let content =
            r#"{"body":"better","m.relates_to":{"m.in_reply_to":{"event_id":"$x"}},"msgtype":"m.text"}"#;
        let target = EventId::new("~t1").unwrap();
        let (_, edit) = MatrixRules.edit(&target, &kind, &Json::new(content).unwrap()).unwrap();
        let edit: Value = edit.parse().unwrap();
        assert_eq!(edit["body"], "* better");
        assert_eq!(edit["m.new_content"], json!({ "body": "better", "msgtype": "m.text" }));
        assert_eq!(edit["m.relates_to"], json!({ "rel_type": "m.replace", "event_id": "~t1" }));
    }

    #[test]
    fn an_answer_outlives_what_it_answers_and_a_reaction_does_not() {
        let reply = r#"{"m.relates_to":{"m.in_reply_to":{"event_id":"~t1"}},"body":"yes"}"#;
        let reaction = r#"{"m.relates_to":{"rel_type":"m.annotation","event_id":"~t1","key":"+"}}"#;
        let edit = r#"{"m.relates_to":{"rel_type":"m.replace","event_id":"~t1"}}"#;
        assert!(MatrixRules.outlives_parent(&row("m.room.message", reply)));
        assert!(MatrixRules.outlives_parent(&row("m.room.message", "{}")));
        assert!(!MatrixRules.outlives_parent(&row("m.reaction", reaction)));
        assert!(!MatrixRules.outlives_parent(&row("m.room.message", edit)));
        assert!(!MatrixRules.outlives_parent(&row("m.room.redaction", "{}")));
    }
}
