//! `haos show`: everything about a room or a message.

use std::collections::BTreeMap;
use std::io::Write as _;

use haos_store_api::{EventId, Message, RelationQuery, Room, Scope, StateQuery, StorageAdapter};
use serde::Serialize;

use crate::args::ShowArgs;
use crate::clean::escape;
use crate::error::{Error, Result};
use crate::find;
use crate::message::{Fields, relation_name};
use crate::open::Target;
use crate::out::Out;
use crate::rooms::Row;
use crate::text::clean;

/// A room, for programs.
#[derive(Serialize)]
struct RoomFields {
    #[serde(flatten)]
    row: Row,
    avatar: Option<String>,
    revision: u64,
    /// How many state entries of each kind.
    state: BTreeMap<String, u64>,
}

/// A message and what relates to it, for programs.
#[derive(Serialize)]
struct MessageFields<'a> {
    room_id: &'a str,
    #[serde(flatten)]
    fields: Fields<'a>,
    related: Vec<Fields<'a>>,
}

pub(crate) async fn run(store: &Target, args: &ShowArgs, out: &mut Out) -> Result<()> {
    let opened = store.existing().await?;
    let store = &*opened.store;
    let room = find::room(store, &args.room).await?;
    match &args.event {
        Some(event) => message(store, &room, event, out).await?,
        None => self::room(store, room, out).await?,
    }
    Ok(opened.store.close().await?)
}

async fn room(store: &dyn StorageAdapter, room: Room, out: &mut Out) -> Result<()> {
    let mut state = BTreeMap::new();
    for entry in store.state(StateQuery::all(Scope::Room(room.id.clone()))).await? {
        *state.entry(entry.kind.to_string()).or_insert(0) += 1;
    }
    let (avatar, revision) = (room.avatar.clone(), room.revision.0);
    let shown = RoomFields { row: Row::read(store, room).await?, avatar, revision, state };
    if out.json {
        return Ok(out.json(&shown)?);
    }
    let row = &shown.row;
    let text = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), clean);
    let spaces: Vec<String> = row.spaces.iter().map(|id| clean(id)).collect();
    let fields = [
        ("id", clean(&row.id)),
        ("name", text(&row.name)),
        ("topic", text(&row.topic)),
        ("avatar", text(&shown.avatar)),
        ("kind", text(&row.kind)),
        ("membership", row.membership().to_owned()),
        ("spaces", if spaces.is_empty() { "-".to_owned() } else { spaces.join(", ") }),
        ("unread", format!("{}, {} of them mention you", row.unread, row.highlights)),
        ("messages", row.messages.to_string()),
        ("gaps", row.gaps.to_string()),
        ("last activity", row.last_activity.clone()),
        ("revision", shown.revision.to_string()),
    ];
    for (name, value) in fields {
        writeln!(out, "{name:14} {value}")?;
    }
    writeln!(out, "state entries:")?;
    for (kind, n) in &shown.state {
        writeln!(out, "  {n:6}  {}", clean(kind))?;
    }
    Ok(())
}

async fn message(store: &dyn StorageAdapter, room: &Room, event: &EventId, out: &mut Out) -> Result<()> {
    let Some(message) = store.message(&room.id, event).await? else {
        return Err(Error::Input(format!("the room has no event {event} that is stored: check its id")));
    };
    let related = store.related(RelationQuery::of(&room.id, event)).await?;
    if out.json {
        let fields = Fields::from(&message);
        let related = related.iter().map(Fields::from).collect();
        return Ok(out.json(&MessageFields { room_id: room.id.as_str(), fields, related })?);
    }
    print(&message, out)?;
    writeln!(out, "{}", if related.is_empty() { "nothing relates to it" } else { "related to it:" })?;
    for other in &related {
        let fields = Fields::from(other);
        let relation = fields.relation.as_ref();
        let (kind, key) = relation.map_or(("", None), |relation| (relation.kind, relation.key));
        let (kind, key) = (clean(kind), key.map_or(String::new(), |key| format!(" {}", clean(key))));
        writeln!(
            out,
            "  {kind}{key}  {}  {}  {}",
            fields.time,
            clean(fields.sender),
            clean(fields.event_id)
        )?;
    }
    Ok(())
}

fn print(message: &Message, out: &mut Out) -> Result<()> {
    let text = |text: Option<&str>| text.map_or("-".to_owned(), clean);
    let relation = message.relation.as_ref().map(|relation| {
        let key = relation.key.as_deref().unwrap_or_default();
        format!("{} of {} {key}", relation_name(&relation.kind), relation.target)
    });
    let fields = Fields::from(message);
    let shown = [
        ("event", clean(fields.event_id)),
        ("sender", clean(fields.sender)),
        ("time", format!("{} ({} ms)", fields.time, fields.timestamp_ms)),
        ("kind", clean(fields.kind)),
        ("state key", fields.state_key.map_or("-".to_owned(), |key| format!("{:?}", clean(key)))),
        ("relation", text(relation.as_deref())),
        ("transaction", text(fields.txn_id)),
        ("removed by", text(fields.redacted_by)),
        ("provisional", if fields.provisional { "yes" } else { "no" }.to_owned()),
        ("position", format!("{} ({})", fields.position, message.position)),
        ("content", escape(fields.content.as_str()).into_owned()),
        ("other members", text(fields.extra.map(|extra| extra.as_str()))),
    ];
    for (name, value) in shown {
        writeln!(out, "{name:14} {value}")?;
    }
    Ok(())
}
