//! The server's timeline, read from the captures without any of the code that is shown.

use std::collections::{BTreeMap, HashMap, HashSet};

use haos_cli::parts::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::captures::{INITIAL, PAGES, SYNCS, UNLIMITED, text};

/// A place in a room's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Slot<'a> {
    Event(&'a str),
    Gap,
}

/// Timelines by room, oldest first.
pub(super) type Timelines<'a> = BTreeMap<&'a str, Vec<Slot<'a>>>;

pub(super) struct Truth {
    /// Every event of every room, up to the moment of the first sync.
    history: BTreeMap<String, Vec<Event>>,
    /// Those that the first sync brings.
    first: BTreeMap<String, Vec<Event>>,
    pages: Vec<Page>,
    syncs: Vec<Vec<(String, Timeline)>>,
}

#[derive(Deserialize)]
struct Event {
    event_id: String,
    content: Box<RawValue>,
}

struct Page {
    room: String,
    events: Vec<Event>,
    /// It reaches the beginning of the room.
    last: bool,
}

#[derive(Deserialize)]
struct Timeline {
    events: Vec<Event>,
    limited: bool,
}

#[derive(Deserialize)]
struct Sync {
    #[serde(default)]
    rooms: Sections,
}

#[derive(Deserialize, Default)]
struct Sections {
    #[serde(default)]
    join: BTreeMap<String, Joined>,
}

#[derive(Deserialize)]
struct Joined {
    timeline: Timeline,
}

#[derive(Deserialize)]
struct SyncLine {
    response: Sync,
}

#[derive(Deserialize)]
struct PageLine {
    room_id: String,
    response: Chunk,
}

#[derive(Deserialize)]
struct Chunk {
    chunk: Vec<Event>,
    end: Option<String>,
}

impl Truth {
    pub(super) fn read() -> Result<Self> {
        let timelines =
            |sync: Sync| sync.rooms.join.into_iter().map(|(room, joined)| (room, joined.timeline));
        let history = timelines(parse(&text(UNLIMITED)?)?).map(|(room, timeline)| (room, timeline.events));
        let first = timelines(parse(&text(INITIAL)?)?).map(|(room, timeline)| (room, timeline.events));
        let (history, first) = (history.collect(), first.collect());
        let pages = lines::<PageLine>(&text(PAGES)?)?.into_iter().map(|line| Page {
            room: line.room_id,
            events: line.response.chunk,
            last: line.response.end.is_none(),
        });
        let syncs =
            lines::<SyncLine>(&text(SYNCS)?)?.into_iter().map(|line| timelines(line.response).collect());
        Ok(Self { history, first, pages: pages.collect(), syncs: syncs.collect() })
    }

    /// The pages of backfill.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// The later syncs.
    pub(super) fn syncs(&self) -> usize {
        self.syncs.len()
    }

    /// Limited rooms of the later syncs that leave a hole; their first line is a sync of what is known.
    pub(super) fn holes(&self) -> usize {
        self.syncs[1..].iter().flatten().filter(|(_, timeline)| timeline.limited).count()
    }

    /// Events before the first sync.
    pub(super) fn history(&self) -> usize {
        self.history.values().map(Vec::len).sum()
    }

    /// Different events in all.
    pub(super) fn events(&self) -> usize {
        self.contents().len()
    }

    /// The content of each event as the server sent it first, byte for byte: not as in the sync with the
    /// whole history, which writes the same texts with other escapes.
    pub(super) fn contents(&self) -> HashMap<&str, &str> {
        let later = self.syncs.iter().flatten().flat_map(|(_, timeline)| &timeline.events);
        let pages = self.pages.iter().flat_map(|page| &page.events);
        let all = self.first.values().flatten().chain(pages).chain(later);
        let mut contents = HashMap::new();
        for event in all {
            contents.entry(event.event_id.as_str()).or_insert_with(|| event.content.get());
        }
        contents
    }

    /// The timeline of a store after the first sync, this number of pages and this number of later syncs.
    pub(super) fn after(&self, pages: usize, syncs: usize) -> Result<Timelines<'_>> {
        let mut held: HashMap<&str, (usize, bool)> =
            self.first.iter().map(|(room, events)| (room.as_str(), (events.len(), false))).collect();
        for page in &self.pages[..pages.min(self.pages.len())] {
            if let Some((events, whole)) = held.get_mut(page.room.as_str()) {
                *events += page.events.len();
                *whole |= page.last;
            }
        }
        let mut timelines = Timelines::new();
        for (room, history) in &self.history {
            let (events, whole) = held.get(room.as_str()).copied().unwrap_or_default();
            let newest = history.len().checked_sub(events).map(|from| &history[from..]);
            let newest = newest.ok_or_else(|| odd(room))?;
            let gap = (!whole).then_some(Slot::Gap);
            timelines.insert(room, gap.into_iter().chain(newest.iter().map(Event::slot)).collect());
        }
        let mut known: HashSet<&str> =
            self.history.values().flatten().map(|event| event.event_id.as_str()).collect();
        for (room, timeline) in self.syncs[..syncs.min(self.syncs.len())].iter().flatten() {
            let fresh: Vec<&Event> =
                timeline.events.iter().filter(|event| known.insert(&event.event_id)).collect();
            let met = timeline.events.len() - fresh.len();
            // The captures have no answer that is known in part: where its gap is would be another question.
            if met > 0 && !fresh.is_empty() {
                return Err(odd(room));
            }
            let order = timelines.entry(room).or_default();
            if timeline.limited && met == 0 {
                order.push(Slot::Gap);
            }
            order.extend(fresh.into_iter().map(Event::slot));
        }
        Ok(timelines)
    }
}

impl Event {
    fn slot(&self) -> Slot<'_> {
        Slot::Event(&self.event_id)
    }
}

fn odd(room: &str) -> Error {
    Error::Failed(format!("the captures of room {room} do not fit together: this build is damaged"))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::Failed(format!("a capture cannot be read: {e}")))
}

fn lines<T: DeserializeOwned>(text: &str) -> Result<Vec<T>> {
    text.lines().map(parse).collect()
}
