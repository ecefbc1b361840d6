//! What the account's data says of rooms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, UserId,
    state_kind,
};
use serde_json::Value;

use crate::base::gathered;

/// What the account's data says of rooms: direct chats, favourites, rooms marked as unread, muted ones.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// As it was read, so that the large values are read again only where they changed.
    raw: [Option<Json>; 2],
    me: Option<UserId>,
    direct: Arc<BTreeMap<RoomId, Vec<UserId>>>,
    muted: Arc<BTreeSet<RoomId>>,
    favourites: BTreeMap<RoomId, Option<f64>>,
    marked: BTreeSet<RoomId>,
}

impl Account {
    /// Returns the other people of a direct chat; none of another room.
    pub(super) fn direct(&self, room: &RoomId) -> &[UserId] {
        self.direct.get(room).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_direct(&self, room: &RoomId) -> bool {
        self.direct.contains_key(room)
    }

    /// Returns the order of a favourite, which may have none.
    pub(super) fn favourite(&self, room: &RoomId) -> Option<Option<f64>> {
        self.favourites.get(room).copied()
    }

    pub(super) fn is_muted(&self, room: &RoomId) -> bool {
        self.muted.contains(room)
    }

    pub(super) fn is_marked_unread(&self, room: &RoomId) -> bool {
        self.marked.contains(room)
    }

    /// Returns the direct chats and the favourites, each once.
    pub(super) fn listed(&self) -> BTreeSet<&RoomId> {
        gathered(self.direct.keys().chain(self.favourites.keys()))
    }

    /// Returns the rooms that only one of both has marked as unread.
    pub(super) fn marked_otherwise<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a RoomId> {
        self.marked.symmetric_difference(&other.marked)
    }

    /// Reads the data again, for the own user.
    pub(super) async fn read(&self, store: &dyn StorageAdapter, me: Option<&UserId>) -> Result<Self> {
        let query = |kind| Ok(StateQuery::kind(Scope::Account, EventType::new(kind)?));
        let one = |kind| Ok(StateQuery { key: Some(StateKey::new("")?), ..query(kind)? });
        let queries = vec![
            one("m.direct")?,
            one("m.push_rules")?,
            query(state_kind::TAGS)?,
            query(state_kind::MARKED_UNREAD)?,
        ];
        let mut lists = store.states(queries).await?.into_iter();
        let [direct, rules, tags, marked] = [(); 4].map(|()| lists.next().unwrap_or_default());
        let raw = [direct, rules].map(|entries| entries.into_iter().next().map(|entry| entry.value));
        let direct = match raw[0] == self.raw[0] && me == self.me.as_ref() {
            true => self.direct.clone(),
            false => raw[0].as_ref().map(|content| direct_chats(content, me)).unwrap_or_default().into(),
        };
        let muted = match raw[1] == self.raw[1] {
            true => self.muted.clone(),
            false => raw[1].as_ref().map(muted_rooms).unwrap_or_default().into(),
        };
        let room = |entry: &StateEntry| RoomId::new(&entry.key).ok();
        let tagged = tags.iter().filter_map(|entry| Some((room(entry)?, favourite(&entry.value)?)));
        let marked = marked.iter().filter(|entry| is_unread(&entry.value)).filter_map(room);
        Ok(Self {
            direct,
            muted,
            favourites: gathered(tagged),
            marked: gathered(marked),
            raw,
            me: me.cloned(),
        })
    }
}

/// Reads `m.direct`: the rooms of each user but the own.
fn direct_chats(content: &Json, me: Option<&UserId>) -> BTreeMap<RoomId, Vec<UserId>> {
    let mut chats: BTreeMap<RoomId, BTreeSet<UserId>> = BTreeMap::new();
    let users: BTreeMap<String, Value> = content.parse().unwrap_or_default();
    for (user, rooms) in users {
        let (Ok(user), Value::Array(rooms)) = (UserId::new(user), rooms) else { continue };
        if Some(&user) == me {
            continue;
        }
        for room in rooms.iter().filter_map(|room| RoomId::new(room.as_str()?).ok()) {
            chats.entry(room).or_default().insert(user.clone());
        }
    }
    gathered(chats.into_iter().map(|(room, users)| (room, users.into_iter().collect())))
}

/// Reads `m.push_rules` for the rooms that do not notify: by an override rule for the room alone, or else by a room
/// rule, as clients mute with either (specification, client-server API, "Push notifications").
fn muted_rooms(content: &Json) -> BTreeSet<RoomId> {
    let rules = |kind| {
        let list =
            content.member("global").and_then(|global| global.member(kind)?.parse::<Vec<Value>>().ok());
        list.unwrap_or_default().into_iter().filter(|rule| rule["enabled"] != false)
    };
    let overriding = rules("override").filter_map(|rule| {
        let [condition] = rule["conditions"].as_array()?.as_slice() else { return None };
        let is_room = condition["kind"] == "event_match" && condition["key"] == "room_id";
        Some((RoomId::new(condition["pattern"].as_str().filter(|_| is_room)?).ok()?, notifies(&rule)))
    });
    let of_rooms = rules("room")
        .filter_map(|rule| Some((RoomId::new(rule["rule_id"].as_str()?).ok()?, notifies(&rule))));
    // The first rule for a room decides.
    let mut decided = BTreeMap::new();
    for (room, notifies) in overriding.chain(of_rooms) {
        decided.entry(room).or_insert(notifies);
    }
    gathered(decided.into_iter().filter(|(_, notifies)| !notifies).map(|(room, _)| room))
}

fn notifies(rule: &Value) -> bool {
    let actions = rule["actions"].as_array();
    // The second one notifies in older versions of the specification.
    actions.is_some_and(|actions| actions.iter().any(|action| action == "notify" || action == "coalesce"))
}

/// Reads the tags of a room for the order of a favourite. Some clients write it as a text.
fn favourite(content: &Json) -> Option<Option<f64>> {
    let tag = content.member("tags")?.member("m.favourite")?;
    let order = tag.member("order").and_then(|order| match order.parse::<Value>().ok()? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    });
    Some(order.filter(|order| order.is_finite()))
}

fn is_unread(content: &Json) -> bool {
    content.member("unread").is_some_and(|unread| unread.as_str() == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::new(text).unwrap()
    }

    #[test]
    fn direct_chats_are_read_room_by_room() {
        let me = UserId::new("@me:x").unwrap();
        let chats = direct_chats(
            &json(r#"{"@b:x":["!1","!2",7,""],"@a:x":["!1"],"@c:x":"!3","":["!4"],"@me:x":["!1","!5"]}"#),
            Some(&me),
        );
        let told: Vec<String> = chats.iter().map(|(room, users)| format!("{room} {users:?}")).collect();
        assert_eq!(told, [r#"!1 ["@a:x", "@b:x"]"#, r#"!2 ["@b:x"]"#]);
        assert!(direct_chats(&json("[]"), None).is_empty());
    }

    #[test]
    fn the_first_rule_for_a_room_alone_mutes_it() {
        let rule = |pattern: &str, rest: &str| {
            format!(r#"{{"conditions":[{{"kind":"event_match","key":"room_id","pattern":"{pattern}"}}{rest}"#)
        };
        let overriding = [
            rule("!off", r#"],"actions":[]}"#),
            rule("!old", r#"],"actions":["dont_notify"],"enabled":true}"#),
            rule("!disabled", r#"],"actions":[],"enabled":false}"#),
            rule("!loud", r#"],"actions":["notify"]}"#),
            rule("!two", r#",{"kind":"contains_display_name"}],"actions":[]}"#),
            r#"{"conditions":[],"actions":[]}"#.to_owned(),
            r#"{"conditions":[{"kind":"event_match","key":"sender","pattern":"!sender"}],"actions":[]}"#
                .to_owned(),
            "7".to_owned(),
        ];
        let of_rooms = r#"{"rule_id":"!mentions","actions":[]},{"rule_id":"!loud","actions":[]},
            {"rule_id":"!all","actions":["notify",{"set_tweak":"sound"}]},{"actions":[]}"#;
        let rules = format!(r#"{{"global":{{"override":[{}],"room":[{of_rooms}]}}}}"#, overriding.join(","));
        let muted: Vec<String> = muted_rooms(&json(&rules)).iter().map(ToString::to_string).collect();
        assert_eq!(muted, ["!mentions", "!off", "!old"]);
        assert!(muted_rooms(&json(r#"{"global":{"room":7}}"#)).is_empty());
        assert!(muted_rooms(&json("null")).is_empty());
    }

    #[test]
    fn a_favourite_has_an_order_or_none() {
        for (tags, order) in [
            (r#"{"tags":{"m.favourite":{"order":0.25}}}"#, Some(Some(0.25))),
            (r#"{"tags":{"m.favourite":{"order":"0.5"}}}"#, Some(Some(0.5))),
            (r#"{"tags":{"m.favourite":{"order":"NaN"}}}"#, Some(None)),
            (r#"{"tags":{"m.favourite":{"order":[]}}}"#, Some(None)),
            (r#"{"tags":{"m.favourite":{},"u.work":{"order":1}}}"#, Some(None)),
            (r#"{"tags":{"u.work":{"order":1}}}"#, None),
            (r#"{"tags":7}"#, None),
            ("{}", None),
        ] {
            assert_eq!(favourite(&json(tags)), order, "{tags}");
        }
    }

    #[test]
    fn only_true_marks_as_unread() {
        let marked = [r#"{"unread":true}"#, r#"{"unread":false}"#, r#"{"unread":1}"#, "{}", "7"];
        assert_eq!(marked.map(|text| is_unread(&json(text))), [true, false, false, false, false]);
    }
}
