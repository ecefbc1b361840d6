use std::collections::HashMap;
use std::sync::Arc;

use haos_e2e::worker::{Dump, Entry};
use haos_e2e::{Happening, Plain};

use crate::device::{Device, Line};

/// The server has every message that was taken once, and each that was not at most once, in its room, by its
/// sender, in the order in which the device wrote it there; and nothing else. Says how many.
pub(crate) async fn truth(plain: &Plain, devices: &[Arc<Device>], rooms: &[String]) -> usize {
    let mut count = 0;
    for (number, room) in rooms.iter().enumerate() {
        let messages = plain.messages(room).await.unwrap();
        count += messages.len();
        let mut of: HashMap<&str, Vec<&Happening>> = HashMap::new();
        for message in &messages {
            let body = message.body().unwrap();
            let device = devices.iter().find(|device| body.starts_with(&device.name)).unwrap();
            assert!(message.sender.starts_with(&format!("@{}:", device.user)), "{message:?}");
            of.entry(&device.name).or_default().push(message);
            answers_something(message, &messages);
        }
        for device in devices {
            let sent: Vec<_> =
                of.remove(&*device.name).unwrap_or_default().iter().map(|m| m.body().unwrap()).collect();
            in_order(&device.books[number].lock().unwrap(), &sent)
                .unwrap_or_else(|e| panic!("{} in {room}: {e}; the server has {sent:#?}", device.name));
        }
    }
    count
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
fn answers_something(message: &Happening, messages: &[Happening]) {
    if let Some(target) = message.content.pointer("/m.relates_to/m.in_reply_to/event_id") {
        let place = |id: &str| messages.iter().position(|other| other.event_id == id);
        let (target, own) = (place(target.as_str().unwrap()), place(&message.event_id));
        assert!(target.is_some() && target < own, "{message:?} answers nothing before it");
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
