//! The name of a room.

use haos_queue::{NotRead, RoomState};
use haos_store_api::Json;
use serde_json::value::RawValue;

use crate::parse::members::{Members, text as text_of};
use crate::parse::number::count;
use crate::shown::{content_text, text};

/// How many people a name is made of at most.
const NAMED: usize = 5;
const MEMBER: &str = "m.room.member";

/// A room's name as the specification calculates it ("Calculating the display name for a room"): its name, else
/// its canonical alias, else the people in it. Those are the summary's heroes, or without heroes the stored
/// members but the own, by id; of an invite, who invites. None if nothing of that is known.
pub(crate) fn display_name(state: &RoomState<'_>) -> Result<Option<String>, NotRead> {
    if let Some(name) = text(state, "m.room.name", "name")? {
        return Ok(Some(name));
    }
    if let Some(alias) = text(state, "m.room.canonical_alias", "alias")? {
        return Ok(Some(alias));
    }
    let others = others(state)?;
    let heroes = heroes(state)?;
    let (people, known) = if heroes.is_empty() { members(state)? } else { (named(state, heroes)?, None) };
    Ok(match (people.is_empty(), others.or(known)) {
        (true, Some(0)) if others.is_some() => Some("Empty room".to_owned()),
        (true, _) => None,
        (false, Some(0)) => Some(format!("Empty room (was {})", joined(people, 0))),
        (false, others) => Some(joined(people, others.unwrap_or_default())),
    })
}

/// How many take part or are invited besides the own user, as the server counts them.
fn others(state: &RoomState<'_>) -> Result<Option<u64>, NotRead> {
    let of = |name| {
        let value = state.entry("haos.summary", name)?;
        Ok(value.and_then(|value| value.parse::<Box<RawValue>>().ok()).and_then(|raw| count(&raw)))
    };
    let (joined, invited) = (of("m.joined_member_count")?, of("m.invited_member_count")?);
    let all = joined.map(|joined| joined.saturating_add(invited.unwrap_or_default()));
    Ok(all.map(|all| all.saturating_sub(1)))
}

/// Those whom the server names a room without a name after: their ids.
fn heroes(state: &RoomState<'_>) -> Result<Vec<String>, NotRead> {
    let Some(heroes) = state.entry("haos.summary", "m.heroes")? else { return Ok(Vec::new()) };
    let own = state.own().map(haos_store_api::UserId::as_str);
    let heroes = items(heroes, |raw| Some(text_of(raw)?.into_owned()).filter(|id| !id.is_empty()));
    Ok(heroes.into_iter().filter(|id| Some(id.as_str()) != own).take(NAMED).collect())
}

/// People by their ids, with their names: as their member events say, or else the list that sliding sync brings.
fn named(state: &RoomState<'_>, ids: Vec<String>) -> Result<Vec<Person>, NotRead> {
    let mut people = Vec::new();
    for id in ids {
        let mut name = state.entry(MEMBER, &id)?.and_then(|event| content_text(event, "displayname"));
        if name.is_none()
            && let Some(hints) = state.entry("haos.summary", "heroes")?
        {
            let hint = |raw: &RawValue| {
                let hero = Members::of(raw).filter(|hero| hero.text("user_id").as_deref() == Some(&*id))?;
                hero.text("displayname").filter(|name| !name.trim().is_empty()).map(Into::into)
            };
            name = items(hints, hint).into_iter().next();
        }
        people.push(Person { id, name });
    }
    Ok(people)
}

/// The stored members but the own, and how many of them are in the room; where all have left, those who were.
fn members(state: &RoomState<'_>) -> Result<(Vec<Person>, Option<u64>), NotRead> {
    let Some(own) = state.own() else { return Ok((Vec::new(), None)) };
    let (mut here, mut gone) = (Vec::new(), Vec::new());
    let members = state.entries(MEMBER)?;
    for (id, event) in members.iter().filter(|(id, _)| **id != own.as_str()) {
        let list = match content_text(event, "membership").as_deref() {
            Some("join" | "invite") => &mut here,
            Some("leave" | "ban") => &mut gone,
            _ => continue,
        };
        list.push(Person { id: (*id).to_owned(), name: content_text(event, "displayname") });
    }
    let inviter = || {
        let event = members.get(own.as_str())?;
        let invites = content_text(event, "membership").as_deref() == Some("invite");
        event.text("sender").filter(|sender| invites && sender != own.as_str())
    };
    if here.is_empty()
        && let Some(id) = inviter()
    {
        return Ok((named(state, vec![id])?, Some(1)));
    }
    let known = here.len() as u64;
    let mut people = if here.is_empty() { gone } else { here };
    people.truncate(NAMED);
    Ok((people, Some(known)))
}

/// Somebody in a room.
struct Person {
    id: String,
    name: Option<String>,
}

/// "Ada, Bob and 3 others". Of those who share a name, each with the id.
fn joined(people: Vec<Person>, others: u64) -> String {
    let same = |name: &str| people.iter().filter(|person| person.name.as_deref() == Some(name)).count();
    let mut names: Vec<String> = people
        .iter()
        .map(|person| match &person.name {
            Some(name) if same(name) > 1 => format!("{name} ({})", person.id),
            Some(name) => name.clone(),
            None => person.id.clone(),
        })
        .collect();
    match others.saturating_sub(names.len() as u64) {
        0 => {}
        1 => names.push("1 other".to_owned()),
        more => names.push(format!("{more} others")),
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The readable items of a list.
fn items<T>(value: &Json, read: impl Fn(&RawValue) -> Option<T>) -> Vec<T> {
    let items: Vec<&RawValue> = serde_json::from_str(value.as_str()).unwrap_or_default();
    items.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use haos_store_api::{RoomId, Scope, StateEntry, StateKey, UserId};

    use super::*;
    use crate::parse::known_kind;

    fn entry(kind: &'static str, key: &str, value: &str) -> Cow<'static, StateEntry> {
        Cow::Owned(StateEntry {
            scope: Scope::Room(RoomId::new("!r").unwrap()),
            kind: known_kind(kind),
            key: StateKey::new(key).unwrap(),
            event_id: None,
            value: Json::new(value).unwrap(),
        })
    }

    fn member(id: &str, membership: &str, name: &str) -> Cow<'static, StateEntry> {
        let content = format!(r#"{{"membership":"{membership}","displayname":"{name}"}}"#);
        entry(MEMBER, id, &format!(r#"{{"sender":"@bob:x","content":{content}}}"#))
    }

    fn summary(heroes: &str, joined: u64, invited: u64) -> [Cow<'static, StateEntry>; 3] {
        [
            entry("haos.summary", "m.heroes", heroes),
            entry("haos.summary", "m.joined_member_count", &joined.to_string()),
            entry("haos.summary", "m.invited_member_count", &invited.to_string()),
        ]
    }

    fn name(entries: &[Cow<'_, StateEntry>]) -> Option<String> {
        let own = UserId::new("@me:x").unwrap();
        display_name(&RoomState::new(Some(&own), entries, None)).unwrap()
    }

    #[test]
    fn the_name_goes_before_the_alias_and_the_alias_before_people() {
        let named = |name: &str| entry("m.room.name", "", &format!(r#"{{"content":{{"name":{name}}}}}"#));
        let alias =
            |content: &str| entry("m.room.canonical_alias", "", &format!(r#"{{"content":{content}}}"#));
        let people = [&summary(r#"["@bob:x"]"#, 2, 0)[..], &[member("@bob:x", "join", "Bob")]].concat();
        let told = |entries: &[Cow<'static, StateEntry>]| name(&[entries, &people[..]].concat()).unwrap();
        let has_alias = || alias(r##"{"alias":"#r:x"}"##);
        for (entries, expected) in [
            (vec![named(r#""Lobby""#), has_alias()], "Lobby"),
            (vec![named(r#""Lobby""#)], "Lobby"),
            (vec![has_alias()], "#r:x"),
            (vec![named(r#""""#), has_alias()], "#r:x"),
            (vec![named(r#"" ""#), has_alias()], "#r:x"),
            (vec![named("7"), has_alias()], "#r:x"),
            (vec![named(r#""""#), alias(r#"{"alias":""}"#)], "Bob"),
            (vec![alias(r##"{"alt_aliases":["#other:x"]}"##)], "Bob"),
            (vec![], "Bob"),
        ] {
            assert_eq!(told(&entries), expected);
        }
        assert_eq!(name(&[named(r#""Lobby""#)]).as_deref(), Some("Lobby"), "whoever is there");
    }

    #[test]
    fn a_direct_chat_whose_other_person_left_tells_who_it_was() {
        let bob = |membership| [member("@me:x", "join", "Me"), member("@bob:x", membership, "Bob")];
        for (membership, heroes, joined, invited, expected) in [
            ("join", r#"["@bob:x"]"#, 2, 0, "Bob"),
            ("invite", r#"["@bob:x"]"#, 1, 1, "Bob"),
            ("leave", r#"["@bob:x"]"#, 1, 0, "Empty room (was Bob)"),
            ("ban", r#"["@bob:x"]"#, 1, 0, "Empty room (was Bob)"),
            ("leave", "[]", 1, 0, "Empty room (was Bob)"),
        ] {
            let entries = [&bob(membership)[..], &summary(heroes, joined, invited)[..]].concat();
            assert_eq!(name(&entries).as_deref(), Some(expected), "{membership} {heroes}");
        }
        let two = summary(r#"["@bob:x","@ada:x"]"#, 1, 0);
        let gone = [&bob("leave")[..], &[member("@ada:x", "ban", "Ada")], &two[..]].concat();
        assert_eq!(name(&gone).as_deref(), Some("Empty room (was Bob and Ada)"));
    }

    #[test]
    fn heroes_by_their_names() {
        let members = [
            member("@bob:x", "join", "Bob"),
            member("@bo:y", "invite", "Bob"),
            member("@me:x", "join", "Me"),
            member("@blank:x", "join", " "),
        ];
        let named = |heroes, joined, invited| {
            name(&[&members[..], &summary(heroes, joined, invited)].concat()).unwrap()
        };
        assert_eq!(named(r#"["@bob:x"]"#, 2, 0), "Bob");
        assert_eq!(named(r#"["@me:x","@bob:x"]"#, 2, 0), "Bob", "the own user is nobody's name");
        assert_eq!(named(r#"["@bob:x","@blank:x"]"#, 3, 0), "Bob and @blank:x");
        assert_eq!(named(r#"["@bob:x","@bo:y"]"#, 2, 1), "Bob (@bob:x) and Bob (@bo:y)");
        assert_eq!(named(r#"["@bob:x","@unknown:x"]"#, 4, 0), "Bob, @unknown:x and 1 other");
        assert_eq!(named(r#"["@bob:x", 3, {}]"#, 1000, 1), "Bob and 999 others");
        assert_eq!(named(r#"["@bob:x"]"#, 1, 0), "Empty room (was Bob)");
        assert_eq!(named(r#"["1","2","3","4","5","6"]"#, 7, 0), "1, 2, 3, 4, 5 and 1 other");
        let hints = entry("haos.summary", "heroes", r#"[{"user_id":"@z:x","displayname":"Zoe"},7]"#);
        assert_eq!(name(&[&[hints], &summary(r#"["@z:x"]"#, 2, 0)[..]].concat()).as_deref(), Some("Zoe"));
    }

    #[test]
    fn without_heroes_the_members() {
        assert_eq!(name(&[]), None);
        assert_eq!(name(&[member("@me:x", "join", "Me")]), None, "others may not be loaded");
        assert_eq!(
            name(&[&[member("@me:x", "join", "Me")], &summary("[]", 1, 0)[..]].concat()).as_deref(),
            Some("Empty room")
        );
        let ada =
            [member("@me:x", "join", "Me"), member("@ada:x", "join", "Ada"), member("@b:x", "leave", "Bob")];
        assert_eq!(name(&ada).as_deref(), Some("Ada"));
        assert_eq!(name(&[ada[0].clone(), ada[2].clone()]).as_deref(), Some("Empty room (was Bob)"));
        assert_eq!(name(&[member("@me:x", "invite", "Me")]).as_deref(), Some("@bob:x"), "who invites");
        assert_eq!(display_name(&RoomState::new(None, &ada, None)), Ok(None), "which of them is the user?");
    }

    #[test]
    fn what_is_not_read_is_asked_for() {
        let read = haos_queue::StateRead::default();
        let part = display_name(&RoomState::new(None, &[], Some(&read))).unwrap_err();
        assert_eq!((part.kind.as_str(), part.key.unwrap().as_str()), ("m.room.name", ""));
    }
}
