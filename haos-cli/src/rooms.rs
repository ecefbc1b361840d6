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

const HEAD: [&str; COLUMNS] = ["ROOM", "MEMBER", "UNREAD", "MESSAGES", "GAPS", "LAST ACTIVITY", "ID"];
const COLUMNS: usize = 7;
const ID: usize = COLUMNS - 1;
/// The most and the fewest columns of a terminal that a name takes, if it is long.
const NAME: (usize, usize) = (32, 14);

fn table(rows: &[Row], out: &mut Out) -> Result<()> {
    let mut lines = vec![HEAD.map(str::to_owned)];
    for row in rows {
        let name = row.name.as_deref().map(clean).filter(|name| !name.is_empty());
        lines.push([
            shorten(name.as_deref().unwrap_or("(no name)"), NAME.0),
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
    for line in laid_out(lines, out.columns()) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", plural(rows.len() as u64, "room"))?;
    Ok(())
}

/// Lays a table out, below its head, for a terminal of this many columns, or for a file. Where it is narrow, what says
/// least is left out, and then ids stand on lines of their own: they are never cut.
fn laid_out(mut lines: Vec<[String; COLUMNS]>, columns: Option<usize>) -> Vec<String> {
    let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
    let mut widths: [usize; COLUMNS] = std::array::from_fn(width);
    let columns = columns.unwrap_or(usize::MAX);
    let layouts: [&[usize]; 7] = [
        &[0, 1, 2, 3, 4, 5, ID],
        &[0, 1, 2, 3, 5, ID],
        &[0, 1, 2, 5, ID],
        &[0, 1, 2, ID],
        &[0, 1, 2, 5],
        &[0, 1, 2],
        &[0, 2],
    ];
    let rest = |layout: &[usize]| layout[1..].iter().map(|at| widths[*at] + 2).sum::<usize>();
    let fits = |layout: &&&[usize]| widths[0].min(NAME.1) + rest(layout) <= columns;
    let layout = *layouts.iter().find(fits).unwrap_or(&layouts[layouts.len() - 1]);
    widths[0] = widths[0].min(columns.saturating_sub(rest(layout)).max(HEAD[0].len()));
    let mut laid = Vec::with_capacity(lines.len());
    for (nr, line) in lines.iter_mut().enumerate() {
        line[0] = shorten(&line[0], widths[0]);
        let mut text = String::new();
        for at in layout {
            let (cell, gap) = (&line[*at], if *at == 0 { "" } else { "  " });
            // Names may be in characters that take two columns.
            let space = " ".repeat(widths[*at].saturating_sub(cell.width()));
            match at {
                2..=4 => text.extend([gap, &space, cell]),
                _ => text.extend([gap, cell, &space]),
            }
        }
        laid.push(text.trim_end().to_owned());
        if !layout.contains(&ID) && nr > 0 {
            laid.push(format!("  {}", line[ID]));
        }
    }
    laid
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, unread: &str, id: &str) -> [String; COLUMNS] {
        [name, "join", unread, "1,024", "1", "2026-11-22T15:52:59Z", id].map(str::to_owned)
    }

    fn lines() -> Vec<[String; COLUMNS]> {
        let id = "!abcdefghijklmnopqr:example.org";
        vec![
            HEAD.map(str::to_owned),
            line("General", "1,234 (3!)", id),
            line("會議改到下午三點會議改到下", "0", "!b"),
        ]
    }

    #[test]
    fn a_table_fits_its_terminal() {
        for columns in 40..200 {
            for line in laid_out(lines(), Some(columns)) {
                assert!(line.width() <= columns, "{columns}: {line}");
            }
        }
        let heads =
            [200, 104, 98, 80, 60, 40, 30].map(|columns| laid_out(lines(), Some(columns)).swap_remove(0));
        let words = heads.map(|head| head.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(
            words,
            [
                "ROOM MEMBER UNREAD MESSAGES GAPS LAST ACTIVITY ID",
                "ROOM MEMBER UNREAD MESSAGES LAST ACTIVITY ID",
                "ROOM MEMBER UNREAD LAST ACTIVITY ID",
                "ROOM MEMBER UNREAD ID",
                "ROOM MEMBER UNREAD LAST ACTIVITY",
                "ROOM MEMBER UNREAD",
                "ROOM UNREAD",
            ]
        );
    }

    #[test]
    fn a_file_gets_all_of_it_and_a_narrow_terminal_whole_ids() {
        assert_eq!(laid_out(lines(), None), laid_out(lines(), Some(500)));
        let narrow = laid_out(lines(), Some(38));
        assert_eq!(
            narrow,
            [
                "ROOM                MEMBER      UNREAD",
                "General             join    1,234 (3!)",
                "  !abcdefghijklmnopqr:example.org",
                "會議改到下午三點…   join             0",
                "  !b",
            ]
        );
    }
}
