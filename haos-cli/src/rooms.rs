//! `haos rooms`: the room list.

use std::io::Write as _;

use haos_store_api::{Membership, Room, RoomQuery, StorageAdapter};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::args::RoomsArgs;
use crate::error::Result;
use crate::find;
use crate::open::Target;
use crate::out::Out;
use crate::text::{clean, number, plural, shorten, time};

/// A room as the list shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) membership: Membership,
    pub(crate) spaces: Vec<String>,
    pub(crate) unread: u64,
    pub(crate) highlights: u64,
    pub(crate) messages: u64,
    pub(crate) gaps: u64,
    pub(crate) last_activity_ms: i64,
    pub(crate) last_activity: String,
}

impl Row {
    pub(crate) async fn read(store: &dyn StorageAdapter, room: Room) -> Result<Self> {
        Ok(Self {
            messages: store.count(&room.id, None).await?,
            gaps: store.gaps(&room.id).await?.len() as u64,
            id: room.id.to_string(),
            name: room.name,
            topic: room.topic,
            kind: room.kind.map(|kind| kind.to_string()),
            membership: room.membership,
            spaces: room.spaces.iter().map(ToString::to_string).collect(),
            unread: room.unread.notifications,
            highlights: room.unread.highlights,
            last_activity_ms: room.last_activity_ms,
            last_activity: time(room.last_activity_ms),
        })
    }

    /// The membership as one word.
    pub(crate) fn membership(&self) -> &'static str {
        match self.membership {
            Membership::Join => "join",
            Membership::Invite => "invite",
            Membership::Knock => "knock",
            Membership::Leave => "leave",
            Membership::Ban => "ban",
            _ => "other",
        }
    }
}

pub(crate) async fn run(store: &Target, args: &RoomsArgs, out: &mut Out) -> Result<()> {
    let opened = store.existing().await?;
    let store = &*opened.store;
    let space = match &args.space {
        Some(space) => Some(find::room(store, space).await?.id),
        None => None,
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut rows = Vec::new();
    for room in store.rooms(RoomQuery { space, ..RoomQuery::latest(limit) }).await? {
        rows.push(Row::read(store, room).await?);
    }
    opened.store.close().await?;
    out.tell(&rows, |out| table(&rows, out))
}

fn table(rows: &[Row], out: &mut Out) -> Result<()> {
    const HEAD: [&str; 7] = ["ROOM", "MEMBER", "UNREAD", "MESSAGES", "GAPS", "LAST ACTIVITY", "ID"];
    let mut lines = vec![HEAD.map(str::to_owned)];
    for row in rows {
        let name = row.name.as_deref().map(clean).filter(|name| !name.is_empty());
        lines.push([
            shorten(name.as_deref().unwrap_or("(no name)"), 32),
            row.membership().to_owned(),
            match row.highlights {
                0 => number(row.unread),
                highlights => format!("{} ({}!)", number(row.unread), number(highlights)),
            },
            number(row.messages),
            number(row.gaps),
            row.last_activity.clone(),
            clean(&row.id),
        ]);
    }
    let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    for line in &lines {
        for (at, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Names may be in characters that take two columns.
            let space = " ".repeat(width.saturating_sub(cell.width()));
            match at {
                2..=4 => write!(out, "{space}{cell}  ")?,
                6 => writeln!(out, "{cell}")?,
                _ => write!(out, "{cell}{space}  ")?,
            }
        }
    }
    writeln!(out, "{}", plural(rows.len() as u64, "room"))?;
    Ok(())
}
