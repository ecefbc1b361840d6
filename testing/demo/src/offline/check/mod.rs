//! The outbox's promise, held against what the server has.

mod store;

use std::collections::BTreeMap;
use std::path::Path;

use haos_cli::parts::{Error, Result, number, plural};
use serde_json::Value;

use super::super::story::Story;
use super::super::verify;
use super::book::Book;
use super::part::open;
use super::script::{SCRIPT, Write};
use super::server::{Held, Place, Sent, Server};

/// The messages that arrived, by place in the script.
type Arrived<'a> = BTreeMap<usize, &'a Sent>;

fn wrong<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::Failed(format!("WRONG: {what}")))
}

pub(super) async fn run(
    folder: &Path,
    book: &Book,
    server: &impl Server,
    story: &mut Story<'_>,
) -> Result<()> {
    let store = open(folder).await?;
    let held = server.held(&store).await?;
    let arrived = arrived(book, server.places(), &held)?;
    story.figures.outbox.delivered = arrived.len() as u64;
    story.say(format_args!(
        "   {}: every one there, once, in its room in the order in which they were written",
        plural(arrived.len() as u64, "message")
    ))?;
    for (at, sent) in &arrived {
        content(*at, sent, book, &arrived)?;
    }
    story.say(format_args!("   edit, reaction and answers name the server's ids of what they are about"))?;
    for (_, write) in SCRIPT {
        if let Write::TakeBack(of) = write {
            let name = SCRIPT[of].1.name();
            let end = if book.is_cancelled(of) { "never arrived" } else { "arrived, and is redacted" };
            story.say(format_args!("   {name}, taken back: {end}"))?;
        }
    }
    let size = store::media(&*store, server, held.files, &arrived).await?;
    story.figures.outbox.media_bytes = size;
    story.say(format_args!(
        "   file and thumbnail: {} bytes, {}, the same on the server and, under its uri, in the store",
        number(size),
        if held.files.is_some() { "uploaded once" } else { "downloaded again" }
    ))?;
    let events = store::same(&*store, &held).await?;
    let shown = store::shown(&*store, server.places(), &arrived).await?;
    let sound = verify::sound(&*store).await?;
    store.close().await?;
    story.say(format_args!(
        "   the store's timelines are the server's: {}, no gap; outbox empty, {} sound",
        plural(events, "event"),
        plural(sound, "row")
    ))?;
    story.say(format_args!("   such as: {shown}"))
}

/// Every acknowledged message once, in its room, in order; and no others.
fn arrived<'a>(book: &Book, places: &[Place], held: &'a Held) -> Result<Arrived<'a>> {
    let rows: BTreeMap<_, _> = book.expected().map(|(at, taken)| (&taken.txn, (at, taken.seq))).collect();
    let mut arrived = Arrived::new();
    for (id, events) in &held.rooms {
        let mut last = 0;
        for sent in events.iter().filter(|sent| sent.own) {
            let row = sent.event.txn_id.as_ref().and_then(|txn| rows.get(txn));
            let Some((at, seq)) = row else {
                return wrong(format_args!("{} in {id} arrived, and nobody wants it there", sent.event.id));
            };
            let (room, write) = SCRIPT[*at];
            let name = write.name();
            if arrived.insert(*at, sent).is_some() {
                return wrong(format_args!("{name} arrived twice"));
            }
            if places[room].id != *id || *seq <= last {
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

/// Checks that the server has each text as written, about the message that it was written about.
fn content(at: usize, sent: &Sent, book: &Book, arrived: &Arrived<'_>) -> Result<()> {
    let (_, write) = SCRIPT[at];
    let content: Value = sent.event.content.parse()?;
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
            sent.event.redacted_by.is_some() || content["body"] == *reworded.unwrap_or(body)
        }
        Write::Reword(of, body) | Write::Edit(of, body) => edits(of, body),
        Write::React(to, key) => is(&relates["event_id"], to) && relates["key"] == *key,
        Write::Answer(to, body) => is(&relates["m.in_reply_to"]["event_id"], to) && content["body"] == *body,
        Write::TakeBack(of) => arrived.get(&of).is_some_and(|of| of.event.redacted_by.is_some()),
        Write::File(name) => content["body"] == *name,
    };
    if good { Ok(()) } else { wrong(format_args!("{} has another content: {content}", write.name())) }
}

#[cfg(test)]
mod tests {
    use haos_sim::ModelServer;
    use haos_store_api::{EventType, Json, Pending, RoomId, TxnId};

    use super::super::model;
    use super::super::part::Said;
    use super::super::script::{rooms, session};
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

    /// The findings of a check on a server that took these lines of the script, in this order.
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
        let place = |id: RoomId| Place { label: String::new(), id };
        let places: Vec<Place> = rooms().unwrap().into_iter().map(place).collect();
        let held = model::held(&model);
        arrived(&book(), &places, &held).map_or_else(|e| e.to_string(), |arrived| arrived.len().to_string())
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
