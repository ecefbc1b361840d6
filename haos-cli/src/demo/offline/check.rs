//! The outbox's promise, held against what the server has.

use std::collections::BTreeMap;
use std::path::Path;

use haos_queue::sim::{Kept, LoopbackServer, ModelServer};
use haos_store_api::{
    ByteRange, MediaFormat, MediaKey, MediaQuery, MediaUri, Page, PendingQuery, StorageAdapter,
    StorageAdapterExt as _, ViewItem,
};
use serde_json::Value;

use super::super::story::Story;
use super::super::truth::{Slot, Timelines};
use super::super::verify;
use super::book::Book;
use super::part::open;
use super::script::{FILE, SCRIPT, THUMBNAIL, Write, bytes, rooms, session};
use crate::error::{Error, Result};
use crate::text;

/// What arrived, by place in the script.
type Arrived<'a> = BTreeMap<usize, &'a Kept>;

fn wrong<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::Failed(format!("WRONG: {what}")))
}

/// The own events of the server.
pub(super) fn own(model: &ModelServer) -> impl Iterator<Item = &Kept> {
    model.rooms.values().flat_map(|room| &room.events).filter(|kept| kept.device.is_some())
}

pub(super) async fn run(
    folder: &Path,
    book: &Book,
    server: &LoopbackServer,
    story: &mut Story<'_>,
) -> Result<()> {
    let model = server.model().clone();
    let arrived = arrived(book, &model)?;
    story.figures.outbox.delivered = arrived.len() as u64;
    story.say(format_args!(
        "   {}: every one there, once, in its room in the order in which they were written",
        text::plural(arrived.len() as u64, "message")
    ))?;
    for (at, kept) in &arrived {
        content(*at, kept, book, &arrived)?;
    }
    story.say(format_args!("   edit, reaction and answers name the server's ids of what they are about"))?;
    for (_, write) in SCRIPT {
        if let Write::TakeBack(of) = write {
            let name = SCRIPT[of].1.name();
            let end = if book.is_cancelled(of) { "never arrived" } else { "arrived, and is redacted" };
            story.say(format_args!("   {name}, taken back: {end}"))?;
        }
    }
    let store = open(folder).await?;
    let size = media(&*store, &model, &arrived).await?;
    story.figures.outbox.media_bytes = size;
    story.say(format_args!(
        "   file and thumbnail: {} bytes, uploaded once, the same on the server and, under its uri, in the store",
        text::number(size)
    ))?;
    let events = same(&*store, &model).await?;
    let shown = shown(&*store, &arrived).await?;
    let sound = verify::sound(&*store).await?;
    store.close().await?;
    story.say(format_args!(
        "   the store's timelines are the server's: {}, no gap; outbox empty, {} sound",
        text::plural(events, "event"),
        text::plural(sound, "row")
    ))?;
    story.say(format_args!("   such as: {shown}"))
}

/// Every acknowledged message once, in its room, in order; and no others.
fn arrived<'a>(book: &Book, model: &'a ModelServer) -> Result<Arrived<'a>> {
    let rows: BTreeMap<_, _> = book.expected().map(|(at, taken)| (&taken.txn, (at, taken.seq))).collect();
    let places = rooms()?;
    let mut arrived = Arrived::new();
    for (id, room) in &model.rooms {
        let mut last = 0;
        for kept in room.events.iter().filter(|kept| kept.device.is_some()) {
            let row = kept.event.txn_id.as_ref().and_then(|txn| rows.get(txn));
            let Some((at, seq)) = row else {
                return wrong(format_args!("{} in {id} arrived, and nobody wants it there", kept.event.id));
            };
            let (room, write) = SCRIPT[*at];
            let name = write.name();
            if arrived.insert(*at, kept).is_some() {
                return wrong(format_args!("{name} arrived twice"));
            }
            if places[room] != *id || *seq <= last {
                return wrong(format_args!("{name} is not at its place in {id}"));
            }
            last = *seq;
        }
    }
    match rows.values().find(|(at, _)| !arrived.contains_key(at)) {
        Some((at, _)) => wrong(format_args!("{} was acknowledged and did not arrive", SCRIPT[*at].1.name())),
        None => Ok(arrived),
    }
}

/// Whether the server has what was written, about what it was written about.
fn content(at: usize, kept: &Kept, book: &Book, arrived: &Arrived<'_>) -> Result<()> {
    let (_, write) = SCRIPT[at];
    let content: Value = kept.event.content.parse()?;
    let relates = &content["m.relates_to"];
    let is = |value: &Value, of: usize| {
        arrived.get(&of).is_some_and(|of| value.as_str() == Some(of.event.id.as_str()))
    };
    let edits = |of, body: &str| {
        is(&relates["event_id"], of)
            && relates["rel_type"] == "m.replace"
            && content["m.new_content"]["body"] == *body
    };
    let good = match write {
        Write::Text(body) => {
            let reworded = SCRIPT.iter().enumerate().find_map(|(by, (_, write))| match write {
                Write::Reword(of, body) if *of == at && book.row(by).is_none() => Some(*body),
                _ => None,
            });
            kept.event.redacted_by.is_some() || content["body"] == *reworded.unwrap_or(body)
        }
        Write::Reword(of, body) | Write::Edit(of, body) => edits(of, body),
        Write::React(to, key) => is(&relates["event_id"], to) && relates["key"] == *key,
        Write::Answer(to, body) => is(&relates["m.in_reply_to"]["event_id"], to) && content["body"] == *body,
        Write::TakeBack(of) => arrived.get(&of).is_some_and(|of| of.event.redacted_by.is_some()),
        Write::File(name) => content["body"] == *name,
    };
    if good { Ok(()) } else { wrong(format_args!("{} has another content: {content}", write.name())) }
}

/// The bytes are on the server once, and in the store under the server's name; how many.
async fn media(store: &dyn StorageAdapter, model: &ModelServer, arrived: &Arrived<'_>) -> Result<u64> {
    let (mut size, mut files) = (0, 0);
    for (at, kept) in arrived {
        let Write::File(name) = SCRIPT[*at].1 else { continue };
        let content: Value = kept.event.content.parse()?;
        for (uri, bytes) in
            [(&content["url"], bytes(FILE)), (&content["info"]["thumbnail_url"], bytes(THUMBNAIL))]
        {
            let uri = MediaUri::new(uri.as_str().unwrap_or_default())?;
            if model.media.get(&uri).and_then(Option::as_ref) != Some(&bytes) {
                return wrong(format_args!("the server has other bytes of {name} at {uri}"));
            }
            let key = MediaKey { uri, format: MediaFormat::new("")? };
            let held = store.media(&key, ByteRange::ALL).await?;
            if held.is_none_or(|held| held.bytes != bytes) {
                return wrong(format_args!("the store has other bytes of {name} at {}", key.uri));
            }
            (size, files) = (size + bytes.len() as u64, files + 1);
        }
    }
    if model.media.values().flatten().count() != files {
        return wrong("bytes were uploaded twice");
    }
    match store
        .media_index(MediaQuery::default())
        .await?
        .iter()
        .find(|info| !info.key.uri.as_str().starts_with("mxc:"))
    {
        Some(info) => wrong(format_args!("{} is left in the store", info.key.uri)),
        None => Ok(size),
    }
}

/// The store's timelines are the server's, and its outbox is empty; how many events.
async fn same(store: &dyn StorageAdapter, model: &ModelServer) -> Result<u64> {
    let mut expected = Timelines::new();
    for (id, room) in &model.rooms {
        let slots = room.events.iter().map(|kept| Slot::Event(kept.event.id.as_str()));
        expected.insert(id.as_str(), slots.collect());
    }
    let stored = verify::timelines(store).await?;
    verify::same(&expected, &stored)?;
    for message in stored.values().flatten().filter_map(|item| item.as_message()) {
        let sent = model.event(&session()?, &message.room, &message.id);
        if sent.is_none_or(|sent| sent.content != message.content) {
            return wrong(format_args!("{} has another content in the store", message.id));
        }
    }
    if !store.pending(PendingQuery::default()).await?.is_empty() {
        return wrong("rows are left in the outbox");
    }
    Ok(verify::count(&stored).0)
}

/// How the edited text and the one with a reaction show.
async fn shown(store: &dyn StorageAdapter, arrived: &Arrived<'_>) -> Result<String> {
    let mut lines = Vec::new();
    for (room, write) in SCRIPT {
        let (Write::Edit(of, _) | Write::React(of, _)) = write else { continue };
        let view = store.timeline_view(&rooms()?[room], Page::newest(1000)).await?;
        let found = view.items.iter().find_map(|item| match item {
            ViewItem::Message(view) if arrived.get(&of).is_some_and(|of| of.event.id == view.message.id) => {
                Some(view)
            }
            _ => None,
        });
        let Some(view) = found else { return wrong(format_args!("{} does not show", SCRIPT[of].1.name())) };
        let body = crate::message::body(view).unwrap_or_default();
        lines.push(match write {
            Write::Edit(_, new) if view.edit.is_some() && body == new => format!("“{body}” (edited)"),
            Write::React(_, key) if view.reactions.iter().any(|group| group.key == key) => {
                format!("“{body}” [{key} 1]")
            }
            _ => return wrong(format_args!("{} does not show", write.name())),
        });
    }
    Ok(lines.join(", "))
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, Json, Pending, TxnId};

    use super::super::part::Said;
    use super::*;

    fn txn(at: usize) -> TxnId {
        TxnId::new(format!("t{at}")).unwrap()
    }

    /// All of the script is acknowledged; the text that is reworded and the one that is taken back are
    /// changed in the outbox.
    fn book() -> Book {
        let mut book = Book::default();
        for (at, (_, write)) in SCRIPT.into_iter().enumerate() {
            let said = match write {
                Write::Reword(..) | Write::TakeBack(_) => Said::Changed { write: at },
                _ => Said::Taken { write: at, txn: txn(at), seq: at as u64 + 1 },
            };
            book.note(said).unwrap();
        }
        book
    }

    /// What a check says of a server that took these lines of the script, in this order.
    fn told(lines: &[usize]) -> String {
        let mut model = ModelServer::new(session().unwrap().user);
        model.device = Some(session().unwrap().device);
        rooms().unwrap().into_iter().for_each(|room| model.create_room(room));
        for &at in lines {
            let (room, _) = SCRIPT[at];
            let kind = EventType::new("m.room.message").unwrap();
            let row = Pending::new(txn(at), rooms().unwrap()[room].clone(), kind, Json::empty(), 0);
            model.send(&session().unwrap(), &row, 0).unwrap();
            // As if it did not know transaction ids.
            model.forget();
        }
        arrived(&book(), &model).map_or_else(|e| e.to_string(), |arrived| arrived.len().to_string())
    }

    #[test]
    fn what_is_lost_doubled_or_misplaced_is_named() {
        let all: Vec<usize> = book().expected().map(|(at, _)| at).collect();
        assert_eq!(told(&all), "17");
        let without: Vec<_> = all.iter().copied().filter(|at| *at != 3).collect();
        assert_eq!(told(&without), "WRONG: “The pump is dry again.” was acknowledged and did not arrive");
        let mut twice = all.clone();
        twice.push(18);
        assert_eq!(told(&twice), "WRONG: “I lock up now.” arrived twice");
        let mut turned = all.clone();
        turned.swap(0, 4);
        assert_eq!(
            told(&turned),
            "WRONG: “The boat leaves at nine.” is not at its place in !family:haos.demo"
        );
        let mut unwanted = all;
        unwanted.push(10);
        assert!(told(&unwanted).ends_with("in !shed:haos.demo arrived, and nobody wants it there"));
    }
}
