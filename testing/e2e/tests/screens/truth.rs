use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use haos_e2e::screen::{Line, Quoted};
use haos_e2e::{Happening, Plain};
use serde_json::Value;

/// What a screen is to show of a room, of what the server says: by rules that are written down here once more.
pub(crate) async fn lines(plain: &Plain, room: &str) -> Vec<Line> {
    let history = plain.history(room).await.unwrap();
    let edits = edits(&history);
    let members = || history.iter().filter(|event| event.kind == "m.room.member");
    // Who had no name yet has the one of today.
    let today: HashMap<_, _> =
        members().map(|event| (event.state_key.as_deref(), text(&event.content, "displayname"))).collect();
    let mut names: HashMap<&str, Option<String>> = HashMap::new();
    let mut said: HashMap<&str, Quoted> = HashMap::new();
    let mut lines: Vec<Line> = Vec::new();
    for event in &history {
        if event.kind == "m.room.member" {
            names.insert(event.state_key.as_deref().unwrap(), text(&event.content, "displayname"));
        }
        if matches!(&*event.kind, "m.reaction" | "m.room.redaction") || related(event, "m.replace").is_some()
        {
            continue;
        }
        let is_redacted = event.event.pointer("/unsigned/redacted_because").is_some();
        let edit = edits.get(&*event.event_id).filter(|_| !is_redacted);
        let content = edit.map_or(&event.content, |edit| &edit.content["m.new_content"]);
        let line = Line {
            id: event.event_id.clone(),
            sender: event.sender.clone(),
            name: names.get(&*event.sender).or_else(|| today.get(&Some(&*event.sender))).cloned().flatten(),
            kind: event.kind.clone(),
            text: event.state_key.is_none().then(|| text(content, "body").unwrap_or_default()),
            is_edited: edit.is_some(),
            is_redacted,
            reactions: if is_redacted { Vec::new() } else { reactions(&history, &event.event_id) },
            ..Line::default()
        };
        let quoted = Quoted {
            id: line.id.clone(),
            sender: Some(line.sender.clone()),
            // A quote shows who they are today.
            name: today.get(&Some(&*event.sender)).cloned().flatten(),
            text: line.text.clone().filter(|_| !is_redacted),
        };
        said.insert(&event.event_id, quoted);
        lines.push(line);
    }
    // An answer quotes what was said as it is now.
    for (line, event) in
        lines.iter_mut().zip(history.iter().filter(|event| said.contains_key(&*event.event_id)))
    {
        let target = event.content.pointer("/m.relates_to/m.in_reply_to/event_id").and_then(Value::as_str);
        let quoted = |target: &str| {
            let unknown = || Quoted { id: target.to_owned(), ..Quoted::default() };
            said.get(target).cloned().unwrap_or_else(unknown)
        };
        line.quote = target.filter(|_| !line.is_redacted).map(quoted);
    }
    lines
}

fn text(content: &Value, name: &str) -> Option<String> {
    content[name].as_str().map(str::to_owned)
}

/// The event that an event relates to in this way.
fn related<'a>(event: &'a Happening, how: &str) -> Option<&'a str> {
    let relates = &event.content["m.relates_to"];
    relates["event_id"].as_str().filter(|_| relates["rel_type"] == how)
}

/// The latest edit of each event, by its sender.
fn edits(history: &[Happening]) -> HashMap<&str, &Happening> {
    let senders: HashMap<&str, &str> =
        history.iter().map(|event| (&*event.event_id, &*event.sender)).collect();
    let mut edits: HashMap<&str, &Happening> = HashMap::new();
    for event in history {
        let Some(target) = related(event, "m.replace") else { continue };
        if senders.get(target) != Some(&&*event.sender) {
            continue;
        }
        let age = |edit: &Happening| (edit.timestamp_ms, edit.event_id.clone());
        if edits.get(target).is_none_or(|other| age(other) < age(event)) {
            edits.insert(target, event);
        }
    }
    edits
}

/// The reactions to an event: keys in the order in which they came, and each person once.
fn reactions(history: &[Happening], target: &str) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    for event in history.iter().filter(|event| related(event, "m.annotation") == Some(target)) {
        let key = event.content["m.relates_to"]["key"].as_str().unwrap();
        let senders = match keys.iter_mut().find(|(known, _)| known == key) {
            Some((_, senders)) => senders,
            None => {
                keys.push((key.to_owned(), Vec::new()));
                &mut keys.last_mut().unwrap().1
            }
        };
        if !senders.contains(&event.sender) {
            senders.push(event.sender.clone());
        }
    }
    keys
}

/// Each text is there once at most, and those that were taken and not touched are there; says how many are.
pub(crate) fn once(
    history: &[Happening],
    taken: &BTreeMap<String, String>,
    touched: &HashSet<String>,
) -> usize {
    let mut bodies: HashMap<&str, usize> = HashMap::new();
    let redacted = |event: &&Happening| event.event.pointer("/unsigned/redacted_because").is_some();
    let originals = history.iter().filter(|event| {
        event.kind == "m.room.message" && related(event, "m.replace").is_none() && event.body().is_some()
    });
    for event in originals {
        *bodies.entry(event.body().unwrap()).or_default() += 1;
    }
    let twice: Vec<_> = bodies.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "sent twice: {twice:?}");
    // One that a moderator took back is there, and says nothing.
    let gone = history.iter().filter(|event| event.kind == "m.room.message").filter(redacted).count();
    let missing: Vec<_> = taken
        .iter()
        .filter(|(item, body)| !touched.contains(*item) && !bodies.contains_key(&***body))
        .collect();
    assert!(missing.len() <= gone, "{gone} were taken back, and these are missing: {missing:?}");
    bodies.len()
}

/// The server has the bytes of every file that was sent; says of how many.
pub(crate) async fn files(plain: &Plain, history: &[Happening], folder: &Path) -> usize {
    let mut count = 0;
    for event in history {
        let Some(uri) = event.content["url"].as_str() else { continue };
        let sent = std::fs::read(folder.join(event.body().unwrap())).unwrap();
        assert!(plain.download(uri).await.unwrap() == sent, "{event:?} has other bytes");
        count += 1;
    }
    count
}
