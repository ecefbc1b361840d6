use haos_queue::RoomDelta;
use haos_store_api::{Membership, RoomId};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::members::{Members, object, quoted, text};
use super::room::{membership, room};
use crate::Account;

/// The parts beside the rooms: account data and receipts, by room.
pub(crate) struct Extensions<'a> {
    account_data: Option<Members<'a>>,
    receipts: Option<Members<'a>>,
}

impl<'a> Extensions<'a> {
    pub(crate) fn of(body: &Members<'a>) -> Self {
        let rooms = |name| body.object("extensions")?.object(name)?.object("rooms");
        Self { account_data: rooms("account_data"), receipts: rooms("receipts") }
    }
}

/// A room of sliding sync, in the shape that a room of `GET /sync` has, read by what reads that.
pub(crate) fn sliding_room(
    id: RoomId,
    body: &Members<'_>,
    extensions: &Extensions<'_>,
    (account, budget): (&Account, &Budget),
) -> RoomDelta {
    let membership = own_membership(body, account);
    let mut members: Vec<(&str, String)> = Vec::new();
    let section = |raw: &RawValue| object([("\"events\"", raw.get())]).as_str().to_owned();
    let invite = if membership == Membership::Knock { "\"knock_state\"" } else { "\"invite_state\"" };
    let invited = ["invite_state", "stripped_state"].iter().find_map(|name| body.get(name));
    members.extend(invited.map(|raw| (invite, section(raw))));
    // The timeline's own state events are history here: what is current is said apart, or did not change.
    let nothing = || r#"{"events":[]}"#.to_owned();
    members.push(("\"state_after\"", body.get("required_state").map_or_else(nothing, section)));
    members.extend(timeline(body).map(|timeline| ("\"timeline\"", timeline)));
    members.push(("\"unread_notifications\"", counts(body)));
    members.push(("\"summary\"", summary(body)));
    let data = extensions.account_data.as_ref().and_then(|rooms| rooms.get(id.as_str()));
    members.extend(data.map(|raw| ("\"account_data\"", section(raw))));
    let receipts = extensions.receipts.as_ref().and_then(|rooms| rooms.get(id.as_str()));
    members.extend(receipts.map(|raw| ("\"ephemeral\"", format!(r#"{{"events":[{}]}}"#, raw.get()))));
    let json = object(members.iter().map(|(key, value)| (*key, value.as_str())));
    match serde_json::from_str::<&RawValue>(json.as_str()) {
        Ok(raw) => room(id, membership, raw, (account, budget)),
        Err(_) => RoomDelta::new(id, membership),
    }
}

/// The own membership: as the own member event says; of stripped state an invite, else joined.
fn own_membership(body: &Members<'_>, account: &Account) -> Membership {
    let own = |name: &str| {
        let events = body.list(name)?;
        events.into_iter().rev().filter_map(Members::of).find_map(|event| {
            let is_own = event.text("type")? == "m.room.member" && account.is(&event.text("state_key")?);
            is_own.then(|| membership(&event.object("content")?.text("membership")?)).flatten()
        })
    };
    let stripped = ["invite_state", "stripped_state"];
    match stripped.into_iter().find(|name| body.get(name).is_some()) {
        Some(name) => own("required_state").or_else(|| own(name)).unwrap_or(Membership::Invite),
        None => own("required_state").unwrap_or(Membership::Join),
    }
}

fn timeline(body: &Members<'_>) -> Option<String> {
    let events = body.get("timeline")?;
    let mut members = vec![("\"events\"", events.get())];
    for (name, key) in [("limited", "\"limited\""), ("prev_batch", "\"prev_batch\"")] {
        members.extend(body.get(name).map(|raw| (key, raw.get())));
    }
    Some(object(members).as_str().to_owned())
}

fn counts(body: &Members<'_>) -> String {
    let names =
        [("notification_count", "\"notification_count\""), ("highlight_count", "\"highlight_count\"")];
    let found = names.iter().filter_map(|(name, key)| Some((*key, body.get(name)?.get())));
    object(found).as_str().to_owned()
}

/// The summary, under the names that a sync has for its members.
fn summary(body: &Members<'_>) -> String {
    let names = [
        ("joined_count", "\"m.joined_member_count\""),
        ("invited_count", "\"m.invited_member_count\""),
        ("heroes", "\"heroes\""),
    ];
    let mut members: Vec<(&str, String)> =
        names.iter().filter_map(|(name, key)| Some((*key, body.get(name)?.get().to_owned()))).collect();
    if let Some(heroes) = body.list("heroes") {
        let id = |raw: &RawValue| Some(quoted(&text(Members::of(raw)?.get("user_id")?)?));
        let ids: Vec<String> = heroes.into_iter().filter_map(id).collect();
        members.push(("\"m.heroes\"", format!("[{}]", ids.join(","))));
    }
    object(members.iter().map(|(key, value)| (*key, value.as_str()))).as_str().to_owned()
}
