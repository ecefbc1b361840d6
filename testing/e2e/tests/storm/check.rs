use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use haos_e2e::worker::{Dump, Entry};
use haos_e2e::{Happening, Plain};

use crate::device::{Device, Line};
use crate::scene::is_encrypted;

/// The type of a message that nobody has read.
const ENCRYPTED: &str = "m.room.encrypted";

/// A message as the server has it, with its text.
struct Said {
    happening: Happening,
    body: String,
}

/// The server has every message that was taken once, and each that was not at most once, in its room, by its
/// sender, in the order in which the device wrote it there; and nothing else. Says how many. What a message of an
/// encrypted room says, the devices tell.
pub(crate) async fn truth(plain: &Plain, devices: &[Arc<Device>], dumps: &[Dump], rooms: &[String]) -> usize {
    let mut count = 0;
    for (number, room) in rooms.iter().enumerate() {
        let messages = said(plain, dumps, (number, room)).await;
        count += messages.len();
        let mut of: HashMap<&str, Vec<&str>> = HashMap::new();
        for message in &messages {
            let device = devices.iter().find(|device| message.body.starts_with(&device.name)).unwrap();
            let happening = &message.happening;
            assert!(happening.sender.starts_with(&format!("@{}:", device.user)), "{happening:?}");
            of.entry(&device.name).or_default().push(&message.body);
            answers_something(message, &messages);
        }
        for device in devices {
            let sent = of.remove(&*device.name).unwrap_or_default();
            in_order(&device.books[number].lock().unwrap(), &sent)
                .unwrap_or_else(|e| panic!("{} in {room}: {e}; the server has {sent:#?}", device.name));
        }
    }
    count
}

/// The messages of a room. In an encrypted one none is in clear, no index of a session has two of them, and all
/// devices read the same.
async fn said(plain: &Plain, dumps: &[Dump], (number, room): (usize, &str)) -> Vec<Said> {
    if !is_encrypted(number) {
        let messages = plain.messages(room).await.unwrap().into_iter();
        return messages
            .map(|happening| Said { body: happening.body().unwrap().to_owned(), happening })
            .collect();
    }
    let read: Vec<HashMap<_, _>> = dumps.iter().map(|dump| bodies(dump, room)).collect();
    let mut messages = Vec::new();
    for happening in plain.history(room).await.unwrap() {
        assert_ne!(happening.kind, "m.room.message", "in clear: {happening:?}");
        if happening.kind != ENCRYPTED {
            continue;
        }
        let of: Vec<_> = read.iter().map(|bodies| bodies.get(&*happening.event_id).copied()).collect();
        let body = of[0].filter(|_| of.iter().all(|body| *body == of[0]));
        let body = body.unwrap_or_else(|| panic!("{room}: the devices read {of:?} in {happening:?}"));
        messages.push(Said { body: body.to_owned(), happening });
    }
    let indexes: HashSet<_> = messages.iter().map(|said| said.happening.megolm_index().unwrap()).collect();
    assert_eq!(indexes.len(), messages.len(), "{room}: an index of a session was used twice");
    messages
}

/// The texts that a device has read in a room, by their events.
fn bodies<'a>(dump: &'a Dump, room: &str) -> HashMap<&'a str, &'a str> {
    let text = |entry: &'a Entry| match entry {
        Entry::Event { id, kind, body: Some(body), .. } if kind == "m.room.message" => Some((&**id, &**body)),
        _ => None,
    };
    dump.rooms[room].iter().filter_map(text).collect()
}

/// Compares a device's lines in a room with those that arrived.
fn in_order(book: &[Line], sent: &[&str]) -> Result<(), String> {
    let mut sent = sent.iter().peekable();
    for line in book {
        if sent.next_if(|body| **body == line.body).is_none() && line.taken.is_some() {
            return Err(format!("{line:?} is missing, twice, or in the wrong place"));
        }
    }
    sent.next().map_or(Ok(()), |body| Err(format!("{body} is too much, or in the wrong place")))
}

/// An answer names the event's real id.
fn answers_something(Said { happening, .. }: &Said, messages: &[Said]) {
    if let Some(target) = happening.content.pointer("/m.relates_to/m.in_reply_to/event_id") {
        let place = |id: &str| messages.iter().position(|other| other.happening.event_id == id);
        let (target, own) = (place(target.as_str().unwrap()), place(&happening.event_id));
        assert!(target.is_some() && target < own, "{happening:?} answers nothing before it");
    }
}

/// A client's timelines are the server's.
pub(crate) async fn timelines(plain: &Plain, device: &Device, dump: &Dump, rooms: &[String]) {
    assert_eq!(dump.rows, [], "{}", device.name);
    let mut listed: Vec<_> = dump.rooms.keys().collect();
    let mut wanted: Vec<_> = rooms.iter().collect();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted, "{}", device.name);
    for room in rooms {
        for entry in &dump.rooms[room] {
            let whole = matches!(entry, Entry::Event { provisional: false, .. });
            assert!(whole, "{} in {room}: {entry:?}", device.name);
            let is_readable = !matches!(entry, Entry::Event { kind, .. } if kind == ENCRYPTED);
            assert!(is_readable, "{} cannot read in {room}: {entry:?}", device.name);
        }
        let stored: Vec<_> = dump.ids(room).collect();
        let history = plain.history(room).await.unwrap();
        let there: Vec<_> = history.iter().map(|happening| &*happening.event_id).collect();
        if let Some(at) = (0..stored.len().max(there.len())).find(|at| stored.get(*at) != there.get(*at)) {
            let near = |ids: &[&str]| {
                ids.iter().skip(at.saturating_sub(3)).take(8).map(|s| (*s).to_owned()).collect::<Vec<_>>()
            };
            panic!(
                "{} in {room}: {} events, the server has {}; they differ from {at} on: {:#?} and {:#?}",
                device.name,
                stored.len(),
                there.len(),
                near(&stored),
                near(&there),
            );
        }
    }
}
