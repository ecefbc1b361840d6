use haos_queue::{Event, NotRead, RoomPatch, RoomState, Rules, SpaceLink};
use haos_store_api::state_kind::UNREADABLE;
use haos_store_api::{EventId, EventType, Json, Relation, RelationKind, StateEntry, StateKey};

use crate::parse::members::{Members, json, object};
use crate::parse::relation::REPLACES;
use crate::parse::{known_key, known_kind, without_copy};
use crate::{shown, space};

/// Redaction as the Matrix specification has it, room version 11 ("Redactions"), with what older versions
/// kept in addition: `aliases` of `m.room.aliases` (versions 1 to 5). The server's copy, which later syncs
/// bring, is exact for the room's own version.
///
/// | type | kept |
/// |---|---|
/// | `m.room.create` | all |
/// | `m.room.member` | `membership`, `join_authorised_via_users_server`, `third_party_invite.signed` |
/// | `m.room.join_rules` | `join_rule`, `allow` |
/// | `m.room.power_levels` | `ban`, `events`, `events_default`, `invite`, `kick`, `redact`, `state_default`, `users`, `users_default` |
/// | `m.room.history_visibility` | `history_visibility` |
/// | `m.room.redaction` | `redacts` |
/// | `m.room.aliases` | `aliases` |
/// | any other | nothing |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MatrixRules;

impl Rules for MatrixRules {
    fn redacted(&self, kind: &EventType, content: &Json) -> Json {
        let keys: &[&str] = match kind.as_str() {
            "m.room.create" => return content.clone(),
            "m.room.member" => &["membership", "join_authorised_via_users_server", "third_party_invite"],
            "m.room.join_rules" => &["join_rule", "allow"],
            "m.room.power_levels" => &[
                "ban",
                "events",
                "events_default",
                "invite",
                "kick",
                "redact",
                "state_default",
                "users",
                "users_default",
            ],
            "m.room.history_visibility" => &["history_visibility"],
            "m.room.redaction" => &["redacts"],
            "m.room.aliases" => &["aliases"],
            _ => return Json::empty(),
        };
        Members::of_text(content.as_str()).map_or_else(Json::empty, |members| kept(&members, keys))
    }

    /// The value is the event's JSON: its content is emptied as above, the rest stands. Of anything else
    /// nothing is left.
    fn redacted_state(&self, kind: &EventType, value: &Json) -> Json {
        let is_readable = kind.as_str() != UNREADABLE;
        let event =
            Members::of_text(value.as_str()).filter(|event| is_readable && event.get("content").is_some());
        let Some(event) = event else { return Json::empty() };
        let members: Vec<_> = event
            .iter()
            .map(|member| match member.name() {
                "content" => (member.key, self.redacted(kind, &json(member.value))),
                _ => (member.key, json(member.value)),
            })
            .collect();
        object(members.iter().map(|(key, value)| (*key, value.as_str())))
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
        event.kind.as_str() == "m.room.redaction"
            && event.extra.as_ref().is_some_and(|extra| extra.text("redacts").is_some())
            && event.content.text("redacts").is_some()
    }

    /// Of two `redacts`, that beside the content counts up to room version 10, where the sender could write
    /// anything into the content, and the content's from 11 on (specification, room version 11). A room without a
    /// version is of version 1; where nothing is known of the room, the newer rule holds.
    fn relation(&self, event: &Event, state: &RoomState<'_>) -> Result<Option<Relation>, NotRead> {
        let version = state.entry("m.room.create", "")?.map(|create| {
            create
                .member("content")
                .and_then(|content| content.text("room_version"))
                .unwrap_or("1".to_owned())
        });
        let is_old = version.is_some_and(|version| matches!(version.parse(), Ok(1..=10_u32)));
        let beside = || event.extra.as_ref()?.text("redacts").and_then(|id| EventId::new(id).ok());
        let target = beside().filter(|_| is_old);
        Ok(match target {
            Some(target) => Some(Relation { kind: RelationKind::Redaction, target, key: None }),
            None => event.relation.clone(),
        })
    }

    fn space_link(&self, entry: &StateEntry) -> Option<SpaceLink> {
        space::space_link(entry)
    }

    fn is_linked(&self, value: &Json) -> bool {
        space::is_linked(value)
    }
}

fn kept(content: &Members<'_>, keys: &[&str]) -> Json {
    let members = content.iter().filter(|member| keys.contains(&member.name()));
    let members: Vec<_> = members
        .filter_map(|member| match member.name() {
            "third_party_invite" => {
                let signed = Members::of(member.value)?.get("signed")?;
                Some((member.key, object([("\"signed\"", signed.get())])))
            }
            _ => Some((member.key, json(member.value))),
        })
        .collect();
    object(members.iter().map(|(key, value)| (*key, value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(kind: &str, content: &str) -> String {
        let kind = EventType::new(kind).unwrap();
        MatrixRules.redacted(&kind, &Json::new(content).unwrap()).as_str().to_owned()
    }

    #[test]
    fn contents() {
        let member = r#"{"membership":"join","displayname":"x","join_authorised_via_users_server":"@a",
            "third_party_invite":{"display_name":"y","signed":{"token": 1.50}}}"#;
        assert_eq!(
            redacted("m.room.member", member),
            r#"{"membership":"join","join_authorised_via_users_server":"@a","third_party_invite":{"signed":{"token": 1.50}}}"#
        );
        assert_eq!(redacted("m.room.member", r#"{"third_party_invite":{}}"#), "{}");
        assert_eq!(redacted("m.room.create", r#"{"x": 1}"#), r#"{"x": 1}"#);
        assert_eq!(
            redacted("m.room.power_levels", r#"{"users":{"@a":1e2},"x":1,"notifications":{},"invite":0}"#),
            r#"{"users":{"@a":1e2},"invite":0}"#
        );
        assert_eq!(
            redacted("m.room.join_rules", r#"{"join_rule":"x","allow":[],"y":1}"#),
            r#"{"join_rule":"x","allow":[]}"#
        );
        assert_eq!(redacted("m.room.redaction", r#"{"reason":"x","redacts":"$a"}"#), r#"{"redacts":"$a"}"#);
        assert_eq!(redacted("m.room.name", r#"{"name":"x"}"#), "{}");
        assert_eq!(redacted("m.room.member", "[1]"), "{}");
    }

    #[test]
    fn state_values() {
        let kind = EventType::new("m.room.name").unwrap();
        let value = Json::new(r#"{"content":{"name":"x"},"sender":"@a","type":"m.room.name"}"#).unwrap();
        assert_eq!(
            MatrixRules.redacted_state(&kind, &value).as_str(),
            r#"{"content":{},"sender":"@a","type":"m.room.name"}"#
        );
        assert_eq!(MatrixRules.redacted_state(&kind, &Json::new("3").unwrap()), Json::empty());
    }
}
