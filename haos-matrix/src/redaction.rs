//! Redaction, as the specification of Matrix has it.

use haos_queue::{Event, NotRead, RoomState};
use haos_store_api::state_kind::UNREADABLE;
use haos_store_api::{EventId, EventType, Json, Relation, RelationKind};

use crate::parse::members::{Members, json, object};

/// Returns what stands of a redacted content (specification, room version 11, "Redactions"), with what older
/// versions kept in addition: `aliases` of `m.room.aliases` (versions 1 to 5). The server's copy, which later syncs
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
pub(crate) fn content(kind: &EventType, content: &Json) -> Json {
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

/// Returns what stands of a redacted state entry. The value is the event's JSON: its content is emptied as above, the rest stands. Of anything else
/// nothing is left.
pub(crate) fn state(kind: &EventType, value: &Json) -> Json {
    let is_readable = kind.as_str() != UNREADABLE;
    let event =
        Members::of_text(value.as_str()).filter(|event| is_readable && event.get("content").is_some());
    let Some(event) = event else { return Json::empty() };
    let members: Vec<_> = event
        .iter()
        .map(|member| match member.name() {
            "content" => (member.key, content(kind, &json(member.value))),
            _ => (member.key, json(member.value)),
        })
        .collect();
    object(members.iter().map(|(key, value)| (*key, value.as_str())))
}

/// Tells if a redaction names two targets.
pub(crate) fn is_unsettled(event: &Event) -> bool {
    event.kind.as_str() == "m.room.redaction"
        && event.extra.as_ref().is_some_and(|extra| extra.text("redacts").is_some())
        && event.content.text("redacts").is_some()
}

/// Returns what a redaction with two targets relates to. Of two `redacts`, that beside the content counts up to room version 10, where the sender could write
/// anything into the content, and the content's from 11 on (specification, room version 11). A room without a
/// version is of version 1; where nothing is known of the room, the newer rule holds.
pub(crate) fn relation(event: &Event, state: &RoomState<'_>) -> Result<Option<Relation>, NotRead> {
    let version = state.entry("m.room.create", "")?.map(|create| {
        create.member("content").and_then(|content| content.text("room_version")).unwrap_or("1".to_owned())
    });
    let is_old = version.is_some_and(|version| matches!(version.parse(), Ok(1..=10_u32)));
    let beside = || event.extra.as_ref()?.text("redacts").and_then(|id| EventId::new(id).ok());
    let target = beside().filter(|_| is_old);
    Ok(match target {
        Some(target) => Some(Relation { kind: RelationKind::Redaction, target, key: None }),
        None => event.relation.clone(),
    })
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
    use std::borrow::Cow;

    use haos_queue::Protocol as _;
    use haos_store_api::{RoomId, Scope, StateEntry};

    use super::*;
    use crate::MatrixProtocol;
    use crate::parse::known_key;

    fn redacted(kind: &str, content: &str) -> String {
        let kind = EventType::new(kind).unwrap();
        MatrixProtocol.redacted(&kind, &Json::new(content).unwrap()).as_str().to_owned()
    }

    /// Every member that any type keeps, and one that none does.
    const MEMBERS: [&str; 18] = [
        "aliases",
        "allow",
        "ban",
        "body",
        "events",
        "events_default",
        "history_visibility",
        "invite",
        "join_authorised_via_users_server",
        "join_rule",
        "kick",
        "membership",
        "redact",
        "redacts",
        "state_default",
        "third_party_invite",
        "users",
        "users_default",
    ];

    #[test]
    fn each_type_keeps_its_own_members() {
        let content = |names: &[&str]| {
            let member = |name: &&str| match *name {
                "third_party_invite" => r#""third_party_invite":{"signed":{"token": 1.50}}"#.to_owned(),
                name => format!(r#""{name}":"1e2 of {name}""#),
            };
            format!("{{{}}}", names.iter().map(member).collect::<Vec<_>>().join(","))
        };
        let all = content(&MEMBERS);
        let spoken = all.replace(r#"{"signed""#, r#"{"display_name":"y","signed""#);
        for (kind, kept) in [
            ("m.room.member", &["join_authorised_via_users_server", "membership", "third_party_invite"][..]),
            ("m.room.join_rules", &["allow", "join_rule"]),
            (
                "m.room.power_levels",
                &[
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
            ),
            ("m.room.history_visibility", &["history_visibility"]),
            ("m.room.redaction", &["redacts"]),
            ("m.room.aliases", &["aliases"]),
            ("m.room.name", &[]),
            ("m.room.message", &[]),
        ] {
            assert_eq!(redacted(kind, &spoken), content(kept), "{kind}");
            assert_eq!(redacted(kind, "[1]"), "{}", "{kind}");
        }
        assert_eq!(redacted("m.room.create", &spoken), spoken);
        for odd in [r#"{"third_party_invite":{}}"#, r#"{"third_party_invite":7}"#] {
            assert_eq!(redacted("m.room.member", odd), "{}", "{odd}");
        }
    }

    #[test]
    fn of_a_states_value_the_content_is_emptied() {
        let redacted = |kind: &str, value: &str| {
            let kind = EventType::new(kind).unwrap();
            MatrixProtocol.redacted_state(&kind, &Json::new(value).unwrap()).as_str().to_owned()
        };
        for (kind, value, left) in [
            ("m.x", r#"{"content":{"name":"x"},"sender":"@a"}"#, r#"{"content":{},"sender":"@a"}"#),
            (
                "m.room.member",
                r#"{"sender":"@a","content":{"displayname":"x","membership":"join"}}"#,
                r#"{"sender":"@a","content":{"membership":"join"}}"#,
            ),
            ("m.x", r#"{"content":"x","sender":"@a"}"#, r#"{"content":{},"sender":"@a"}"#),
            // Without a content it is no event that was understood.
            ("m.x", r#"{"content":null,"sender":"@a"}"#, "{}"),
            ("m.x", r#"{"sender":"@a"}"#, "{}"),
            ("m.x", "3", "{}"),
            (UNREADABLE, r#"{"content":{"name":"x"},"sender":7}"#, "{}"),
        ] {
            assert_eq!(redacted(kind, value), left, "{kind} {value}");
        }
    }

    #[test]
    fn which_of_two_targets_counts_is_settled_by_the_rooms_version() {
        let read = |kind: &str, inside: &str, beside: &str| {
            let json = format!(
                r#"{{"event_id":"$r","sender":"@a:x","type":"{kind}","redacts":{beside},"content":{{"redacts":{inside}}}}}"#
            );
            crate::parse_event(json.as_bytes()).unwrap()
        };
        let redaction = "m.room.redaction";
        let two = read(redaction, r#""$in""#, r#""$by""#);
        assert!(MatrixProtocol.is_unsettled(&two));
        for settled in [
            read("m.room.message", r#""$in""#, r#""$by""#),
            read(redaction, r#""$in""#, r#""$in""#),
            read(redaction, "null", r#""$by""#),
            read(redaction, r#""$in""#, "null"),
            read(redaction, r#""$in""#, "7"),
            read(redaction, "7", r#""$by""#),
        ] {
            assert!(!MatrixProtocol.is_unsettled(&settled), "{settled:?}");
        }
        for (create, target) in [
            (Some(r#"{"content":{"room_version":"1"}}"#), "$by"),
            (Some(r#"{"content":{"room_version":"9"}}"#), "$by"),
            (Some(r#"{"content":{"room_version":"10"}}"#), "$by"),
            (Some(r#"{"content":{"room_version":"11"}}"#), "$in"),
            (Some(r#"{"content":{"room_version":"0"}}"#), "$in"),
            (Some(r#"{"content":{"room_version":""}}"#), "$in"),
            (Some(r#"{"content":{"room_version":"-1"}}"#), "$in"),
            (Some(r#"{"content":{"room_version":"org.x"}}"#), "$in"),
            (Some(r#"{"content":{"room_version":7}}"#), "$by"),
            (Some(r#"{"content":{}}"#), "$by"),
            (Some("{}"), "$by"),
            (None, "$in"),
        ] {
            let changed = create.map(|value| {
                Cow::Owned(StateEntry {
                    scope: Scope::Room(RoomId::new("!r").unwrap()),
                    kind: EventType::new("m.room.create").unwrap(),
                    key: known_key(""),
                    event_id: None,
                    value: Json::new(value).unwrap(),
                })
            });
            let changed: Vec<_> = changed.into_iter().collect();
            let state = RoomState::new(None, &changed, None);
            let relation = MatrixProtocol.relation(&two, &state).unwrap().unwrap();
            assert_eq!(
                (relation.kind, relation.target.as_str()),
                (RelationKind::Redaction, target),
                "{create:?}"
            );
            // Anything beside the content but an id counts in no version.
            let empty = Event { extra: Some(Json::new(r#"{"redacts":""}"#).unwrap()), ..two.clone() };
            assert_eq!(MatrixProtocol.relation(&empty, &state).unwrap(), two.relation, "{create:?}");
        }
        let unread = haos_queue::StateRead::default();
        assert!(
            MatrixProtocol.relation(&two, &RoomState::new(None, &[], Some(&unread))).is_err(),
            "it is asked for"
        );
    }
}
