//! `haos timeline`: a page of a room.

use std::io::Write as _;

use haos_store_api::{
    EventId, MessageView, Page, Room, RoomId, StorageAdapter, StorageAdapterExt as _, View, ViewItem,
};
use serde::Serialize;

use crate::args::{Place, TimelineArgs};
use crate::chat::{self, RowFields};
use crate::error::{Error, Result};
use crate::find;
use crate::message::{ItemFields, print};
use crate::open::Target;
use crate::out::Out;
use crate::text::clean;

/// A page, for programs.
#[derive(Serialize)]
struct PageFields<'a> {
    room_id: &'a str,
    items: Vec<ItemFields<'a>>,
    /// For `--before`; none if nothing older is stored.
    older: Option<String>,
    /// For `--after`; none if nothing newer is stored.
    newer: Option<String>,
    /// The unconfirmed messages, if the page reaches the end of the timeline.
    outbox: Vec<RowFields<'a>>,
}

pub(crate) async fn run(store: &Target, args: &TimelineArgs, out: &mut Out) -> Result<()> {
    let opened = store.existing().await?;
    let store = &*opened.store;
    let room = find::room(store, &args.room).await?;
    let mut read = read(store, &room.id, &args.place, args.limit).await?;
    read.items.retain(|item| !matches!(item, ViewItem::Message(view) if is_spent(view)));
    // Items beyond the page are asked for, not guessed: a page knows of its own direction only.
    let beyond = |page| async { Ok::<_, Error>(!store.timeline(&room.id, page).await?.items.is_empty()) };
    let older = match read.older.clone() {
        Some(cursor) if beyond(Page::older_than(cursor.clone(), 1)).await? => Some(cursor.to_string()),
        _ => None,
    };
    let newer = match read.newer.clone() {
        Some(cursor) if beyond(Page::newer_than(cursor.clone(), 1)).await? => Some(cursor.to_string()),
        _ => None,
    };
    let rows = match newer {
        Some(_) => Vec::new(),
        None => chat::shown_rows(store, &room).await?,
    };
    opened.store.close().await?;
    if !out.json {
        show(&room, &read, (older, newer), out)?;
        return rows.iter().try_for_each(|row| chat::print_row(row, out));
    }
    let items = read.items.iter().map(|item| match item {
        ViewItem::Message(view) => ItemFields::from(&**view),
        ViewItem::Gap(gap) => ItemFields::from(gap),
    });
    let (items, outbox) = (items.collect(), rows.iter().map(RowFields::from).collect());
    Ok(out.json(&PageFields { room_id: room.id.as_str(), items, older, newer, outbox })?)
}

async fn read(store: &dyn StorageAdapter, room: &RoomId, place: &Place, limit: usize) -> Result<View> {
    let page = match place {
        Place { before: Some(cursor), .. } => Page::older_than(cursor.clone(), limit),
        Place { after: Some(cursor), .. } => Page::newer_than(cursor.clone(), limit),
        Place { oldest: true, .. } => Page::oldest(limit),
        Place { around: Some(event), .. } => return around(store, room, event, limit).await,
        _ => Page::newest(limit),
    };
    Ok(store.timeline_view(room, page).await?)
}

async fn around(store: &dyn StorageAdapter, room: &RoomId, event: &EventId, limit: usize) -> Result<View> {
    let rest = limit.saturating_sub(1);
    let (before, after) = (rest.div_ceil(2), rest / 2);
    let Some(slice) = store.around(room, event, before, after).await? else {
        return Err(Error::Input(format!("the room has no event {event} that is stored: check its id")));
    };
    Ok(store.view_of(room, slice).await?)
}

/// A reaction or a redaction that was taken back and never seen before: what it was about went with its content.
fn is_spent(view: &MessageView) -> bool {
    view.is_redacted() && matches!(view.message.kind.as_str(), "m.reaction" | "m.room.redaction")
}

fn show(
    room: &Room,
    read: &View,
    (older, newer): (Option<String>, Option<String>),
    out: &mut Out,
) -> Result<()> {
    writeln!(out, "{}", find::label(room))?;
    if let Some(cursor) = &older {
        writeln!(out, "older: --before '{}'", clean(cursor))?;
    }
    for item in &read.items {
        match item {
            ViewItem::Message(view) => print(view, out)?,
            ViewItem::Gap(_) => writeln!(out, "⋯ gap: older messages not fetched ⋯")?,
        }
    }
    if read.items.is_empty() {
        writeln!(out, "(nothing stored here)")?;
    }
    if let Some(cursor) = &newer {
        writeln!(out, "newer: --after '{}'", clean(cursor))?;
    }
    Ok(())
}
