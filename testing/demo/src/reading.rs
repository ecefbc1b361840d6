//! Reading without a network.

use std::time::Instant;

use haos_cli::parts::{Error, Result, body, clean, label, number, shorten};
use haos_store_api::{
    MessageView, Page, Room, RoomQuery, StorageAdapter, StorageAdapterExt as _, View, ViewItem,
};

use super::story::Story;

const PAGE: usize = 50;

pub(super) async fn run(store: &dyn StorageAdapter, story: &mut Story<'_>) -> Result<()> {
    let begun = Instant::now();
    let rooms = store.rooms(RoomQuery::default()).await?;
    let (n, took) = (rooms.len(), millis(begun));
    story.say(format_args!("   room list: {n} rooms in {took} ms"))?;
    let (room, events) = largest(store, rooms).await?;
    story.say(format_args!("   largest room: {}, {} events", label(&room), number(events)))?;

    let begun = Instant::now();
    let newest = store.timeline_view(&room.id, Page::newest(PAGE)).await?;
    let took = millis(begun);
    story.say(format_args!("   newest page: {} in {took} ms", shown(&newest)))?;

    let walked = walk(store, &room).await?;
    let begun = Instant::now();
    let deep = match walked.middle.clone() {
        Some(cursor) => store.timeline_view(&room.id, Page::older_than(cursor, PAGE)).await?,
        None => store.timeline_view(&room.id, Page::oldest(PAGE)).await?,
    };
    let took = millis(begun);
    story.say(format_args!("   a page half way down: {} in {took} ms", shown(&deep)))?;
    story.say(format_args!(
        "   the whole room, page by page: {} messages shown in {} ms; {} edited, {} reactions, {} removed",
        number(walked.shown),
        walked.took,
        number(walked.edited),
        number(walked.reactions),
        number(walked.removed)
    ))?;
    if let Some(sample) = walked.sample {
        story.say(format_args!("   such as: {sample}"))?;
    }
    Ok(store.close().await?)
}

async fn largest(store: &dyn StorageAdapter, rooms: Vec<Room>) -> Result<(Room, u64)> {
    let mut largest = None;
    for room in rooms {
        let events = store.count(&room.id, None).await?;
        if largest.as_ref().is_none_or(|(_, most)| events > *most) {
            largest = Some((room, events));
        }
    }
    largest.ok_or_else(|| Error::Failed("WRONG: the store has no rooms".to_owned()))
}

#[derive(Default)]
struct Walked {
    shown: u64,
    edited: u64,
    reactions: u64,
    removed: u64,
    sample: Option<String>,
    middle: Option<haos_store_api::Cursor>,
    took: String,
}

impl Walked {
    fn message(&mut self, view: &MessageView) {
        self.shown += 1;
        self.edited += u64::from(view.edit.is_some());
        self.reactions += view.reactions.iter().map(|group| group.count).sum::<u64>() + view.more_reactions;
        self.removed += u64::from(view.is_redacted());
        if self.sample.is_none() && view.edit.is_some() && !view.reactions.is_empty() {
            let text = shorten(&clean(&body(view).unwrap_or_default()), 60);
            let keys: Vec<String> =
                view.reactions.iter().map(|group| format!("{} {}", clean(&group.key), group.count)).collect();
            let sender = clean(view.message.sender.as_str());
            self.sample = Some(format!("{sender}: {text} (edited) [{}]", keys.join(", ")));
        }
    }
}

/// The whole room as people would scroll through it.
async fn walk(store: &dyn StorageAdapter, room: &Room) -> Result<Walked> {
    let begun = Instant::now();
    let mut walked = Walked::default();
    let mut cursors = Vec::new();
    let mut page = Page::newest(PAGE);
    loop {
        let view = store.timeline_view(&room.id, page).await?;
        for item in &view.items {
            if let ViewItem::Message(message) = item {
                walked.message(message);
            }
        }
        match view.older {
            Some(older) if view.more => {
                cursors.push(older.clone());
                page = Page::older_than(older, PAGE);
            }
            _ => break,
        }
    }
    walked.middle = cursors.get(cursors.len() / 2).cloned();
    walked.took = millis(begun);
    Ok(walked)
}

fn shown(view: &View) -> String {
    let gaps = view.items.iter().filter(|item| matches!(item, ViewItem::Gap(_))).count();
    let gaps = if gaps > 0 { format!(" and {gaps} gaps") } else { String::new() };
    let messages = view.items.iter().filter(|item| matches!(item, ViewItem::Message(_))).count();
    format!("{messages} messages{gaps}")
}

fn millis(begun: Instant) -> String {
    format!("{:.1}", begun.elapsed().as_secs_f64() * 1000.0)
}
