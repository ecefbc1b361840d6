use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use haos::{RoomFilter, Timeline, TimelineItem, TimelineItemKind};

use super::client::{Followed, Watcher};
use super::line::{Line, RoomLine, Screen};
use crate::worker::odd;
use crate::{Error, Result};

type Items = Vec<Arc<TimelineItem>>;

/// The items of a page on the way to a room's beginning.
const PAGE: usize = 40;
/// More pages than any test writes.
const MOST_PAGES: usize = 300;
/// How long a mirror may lag behind.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

impl Watcher {
    /// Reads what shows from the beginning on, and compares it with fresh readings.
    pub(super) async fn screen(&self) -> Result<Screen> {
        let mut screen = Screen::default();
        let timelines: Vec<_> =
            self.timelines.lock().await.iter().map(|(room, found)| (room.clone(), found.clone())).collect();
        for (room, followed) in timelines {
            let mut found = Vec::new();
            let live = self.settled(&followed, &mut found).await?;
            let count = live.iter().filter(|item| is_lasting(item)).count().max(1);
            let fresh = self.chat.room(&room).timeline(count).await.map_err(odd)?;
            let items = fresh.items().await.map_err(odd)?.to_vec();
            ends_equal(&live, &items, "beside a fresh timeline", &mut found);
            // What is quoted may be far away: nothing is compared before all is there.
            self.whole(&fresh, None, &mut Vec::new()).await?;
            fresh.to_live(count).await;
            let kept = self.whole(&followed.list, Some(&followed), &mut found).await?;
            let read = self.whole(&fresh, None, &mut found).await?;
            equal(&kept, &read, "beside a fresh walk", &mut found);
            screen
                .timelines
                .insert(room.to_string(), kept.iter().filter_map(|item| Line::of(item)).collect());
            screen.differences.extend(found.into_iter().map(|difference| format!("{room}: {difference}")));
        }
        let fresh = self.chat.rooms(RoomFilter::joined()).now().await.map_err(odd)?.to_vec();
        let mut found = Vec::new();
        let mut changes = self.rooms.mirror.changes();
        if tokio::time::timeout(PATIENCE, changes.until(|items| *items == *fresh)).await.is_err() {
            equal(&self.rooms.mirror.items(), &fresh, "the rooms beside a fresh list", &mut found);
        }
        found.extend(self.rooms.mirror.fault());
        screen.rooms = self.rooms.mirror.items().iter().map(|room| RoomLine::of(room)).collect();
        screen.differences.extend(found);
        Ok(screen)
    }

    /// The mirror of a timeline once it is what the timeline reads.
    async fn settled(
        &self,
        followed: &Followed<Timeline, Arc<TimelineItem>>,
        found: &mut Vec<String>,
    ) -> Result<Items> {
        let began = tokio::time::Instant::now();
        loop {
            let items = followed.list.items().await.map_err(odd)?.to_vec();
            let shown = followed.mirror.items();
            if shown == items {
                found.extend(followed.mirror.fault());
                return Ok(shown);
            }
            if began.elapsed() > PATIENCE {
                equal(&shown, &items, "the steps beside the timeline", found);
                return Ok(items);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Walks to the beginning of a room; what shows on the way, as one list.
    async fn whole(
        &self,
        timeline: &Timeline,
        followed: Option<&Followed<Timeline, Arc<TimelineItem>>>,
        found: &mut Vec<String>,
    ) -> Result<Items> {
        let (mut whole, mut stopped): (Items, Vec<String>) = (Vec::new(), Vec::new());
        for _ in 0..MOST_PAGES {
            let items = match followed {
                Some(followed) => self.settled(followed, found).await?,
                None => timeline.items().await.map_err(odd)?.to_vec(),
            };
            if let Some(gap) = items.iter().find(|item| matches!(item.kind, TimelineItemKind::Gap)) {
                stopped.extend(timeline.fill(gap).await.map_err(odd)?.stopped);
                continue;
            }
            join(&mut whole, &items, found);
            let reach = timeline.older(PAGE).await.map_err(odd)?;
            stopped.extend(reach.stopped);
            if reach.is_end {
                let items = timeline.items().await.map_err(odd)?.to_vec();
                join(&mut whole, &items, found);
                return Ok(whole);
            }
        }
        Err(Error::new("the way to the beginning", format!("it has no end: {stopped:?}")))
    }
}

/// Tells if an item stands wherever a window begins or ends.
fn is_lasting(item: &TimelineItem) -> bool {
    matches!(item.kind, TimelineItemKind::Event(_) | TimelineItemKind::Gap)
}

/// Puts an older window before what showed of newer ones; what both have is the same.
fn join(whole: &mut Items, window: &Items, found: &mut Vec<String>) {
    let known: HashMap<&str, &Arc<TimelineItem>> = whole.iter().map(|item| (&*item.id, item)).collect();
    let lasting: Vec<_> = window.iter().filter(|item| is_lasting(item)).collect();
    let older: Items = lasting
        .iter()
        .take_while(|item| !known.contains_key(&*item.id))
        .map(|item| Arc::clone(item))
        .collect();
    for item in &lasting[older.len()..] {
        match known.get(&*item.id) {
            Some(known) if *known == *item => {}
            other => found.push(format!("an older window shows {item:?}, and a newer one {other:?}")),
        }
    }
    // A gap that was filled shows no more.
    let shown: Items = whole.drain(..).filter(|item| !matches!(item.kind, TimelineItemKind::Gap)).collect();
    *whole = older.into_iter().chain(shown).collect();
}

/// Compares two lists from their ends on, as far as both go.
fn ends_equal(one: &Items, other: &Items, what: &str, found: &mut Vec<String>) {
    let lasting = |items: &Items| items.iter().filter(|item| is_lasting(item)).cloned().collect::<Items>();
    let (one, other) = (lasting(one), lasting(other));
    // Those who have read what stands before the shorter one do not show at its first item.
    let both = one.len().min(other.len()).saturating_sub(1);
    equal(&one[one.len() - both..], &other[other.len() - both..], what, found);
}

/// Notes the first place where two lists differ.
fn equal<T: PartialEq + Debug>(one: &[T], other: &[T], what: &str, found: &mut Vec<String>) {
    if let Some(at) = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at)) {
        found.push(format!(
            "{what}: {} and {} items, at {at} {:?} is {:?}",
            one.len(),
            other.len(),
            one.get(at),
            other.get(at)
        ));
    }
}
