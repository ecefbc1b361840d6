//! A check that a store holds the server's timeline.

use std::collections::{BTreeMap, HashSet};

use haos_cli::parts::{Error, Fields, Result};
use haos_store_api::state_kind::IMPORT;
use haos_store_api::{
    Item, Maintenance, Page, Progress, RoomId, RoomQuery, Scope, StateQuery, StorageAdapter,
};
use sha2::{Digest as _, Sha256};

use super::truth::{Slot, Timelines};

/// Whole timelines by room, oldest first.
pub(super) type Stored = BTreeMap<RoomId, Vec<Item>>;

/// Every timeline of the store.
pub(super) async fn timelines(store: &dyn StorageAdapter) -> Result<Stored> {
    const PAGE: usize = 1000;
    let mut stored = Stored::new();
    for room in store.rooms(RoomQuery::default()).await? {
        let mut items = Vec::new();
        let mut page = Page::oldest(PAGE);
        loop {
            let slice = store.timeline(&room.id, page).await?;
            let (more, next) = (slice.more, slice.newer());
            items.extend(slice.items);
            match next {
                Some(next) if more => page = Page::newer_than(next, PAGE),
                _ => break,
            }
        }
        stored.insert(room.id, items);
    }
    Ok(stored)
}

/// Fails with the first event that is missing, doubled or misplaced.
pub(super) fn same(expected: &Timelines<'_>, stored: &Stored) -> Result<()> {
    let fault = |room: &str, what: String| Err(Error::Failed(format!("WRONG in room {room}: {what}")));
    if let Some(room) = stored.keys().find(|room| !expected.contains_key(room.as_str())) {
        return fault(room.as_str(), "the server has no such room".to_owned());
    }
    for (room, expected) in expected {
        let found = stored.iter().find(|(id, _)| id.as_str() == *room).map(|(_, items)| slots(items));
        let Some(found) = found else { return fault(room, "it is missing".to_owned()) };
        if let Some(what) = difference(expected, &found) {
            return fault(room, what);
        }
    }
    Ok(())
}

fn slots(items: &[Item]) -> Vec<Slot<'_>> {
    items.iter().map(slot).collect()
}

fn slot(item: &Item) -> Slot<'_> {
    item.as_message().map_or(Slot::Gap, |message| Slot::Event(message.id.as_str()))
}

fn difference(expected: &[Slot<'_>], found: &[Slot<'_>]) -> Option<String> {
    let mut seen = HashSet::new();
    for slot in found {
        if let Slot::Event(event) = slot
            && !seen.insert(slot)
        {
            return Some(format!("event {event} is there twice"));
        }
    }
    let longest = expected.len().max(found.len());
    let at = (0..longest).find(|&at| expected.get(at) != found.get(at))?;
    Some(match (expected.get(at), found.get(at)) {
        (Some(Slot::Event(event)), _) if !seen.contains(&Slot::Event(event)) => {
            format!("event {event} is missing at place {at}")
        }
        (Some(Slot::Event(event)), Some(Slot::Gap)) => {
            format!("a gap stands before event {event}, where the server left nothing out")
        }
        (Some(Slot::Event(event)), _) => format!("event {event} is not at its place {at}"),
        (Some(Slot::Gap), Some(Slot::Event(event))) => {
            format!("no gap stands before event {event}, where the server left events out")
        }
        (Some(Slot::Gap), _) => "a gap is missing at the end".to_owned(),
        (None, Some(Slot::Event(event))) => format!("event {event} is more than the server has"),
        (None, _) => "a gap stands at the end, where the server left nothing out".to_owned(),
    })
}

/// How many messages and gaps.
pub(super) fn count(stored: &Stored) -> (u64, u64) {
    let items = || stored.values().flatten();
    let messages = items().filter(|item| item.as_message().is_some()).count();
    (messages as u64, (items().count() - messages) as u64)
}

/// Reads every row of the store and checks it; the rows.
pub(super) async fn sound(store: &dyn StorageAdapter) -> Result<u64> {
    let report = store.maintain(Maintenance::Check, Progress::none()).await?;
    match report.findings.first() {
        None => Ok(report.rows),
        Some(finding) => Err(Error::Failed(format!("WRONG: the store is not sound: {finding}"))),
    }
}

/// A hash over all that is stored: rooms, timelines, gaps, state. Left out is what counts commits: the
/// revisions and the records of imports.
pub(super) async fn digest(store: &dyn StorageAdapter) -> Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut scopes = vec![Scope::Account];
    for mut room in store.rooms(RoomQuery::default()).await? {
        room.revision = haos_store_api::Revision::ZERO;
        hash.update(format!("{room:?}"));
        scopes.push(Scope::Room(room.id));
    }
    for item in timelines(store).await?.values().flatten() {
        match item {
            Item::Message(message) => hash.update(json(&Fields::from(message))?),
            Item::Gap(gap) => hash.update(format!("{} {:?}", gap.position, gap.token)),
        }
    }
    for scope in scopes {
        for entry in store.state(StateQuery::all(scope)).await? {
            if entry.kind.as_str() != IMPORT {
                let key = format!("{:?} {:?} {:?} {:?} ", entry.scope, entry.kind, entry.key, entry.event_id);
                hash.update(key);
                hash.update(entry.value.as_str());
            }
        }
    }
    Ok(hash.finalize().into())
}

fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::Failed(format!("a message cannot be printed: {e}")))
}

#[cfg(test)]
mod tests {
    use super::Slot::{Event, Gap};
    use super::*;

    #[test]
    fn every_difference_is_named() {
        let truth = [Event("a"), Gap, Event("b"), Event("c")];
        let told = |found: &[Slot<'_>]| difference(&truth, found).unwrap_or_default();
        assert_eq!(told(&truth), "");
        assert_eq!(told(&[Event("a"), Gap, Event("c")]), "event b is missing at place 2");
        assert_eq!(told(&[Event("a"), Gap, Event("b")]), "event c is missing at place 3");
        assert_eq!(told(&[Event("a"), Gap, Event("b"), Event("b")]), "event b is there twice");
        assert_eq!(told(&[Event("a"), Gap, Event("c"), Event("b")]), "event b is not at its place 2");
        assert!(told(&[Event("a"), Event("b"), Event("c")]).starts_with("no gap stands before event b"));
        assert!(told(&[Gap, Event("a"), Event("b"), Event("c")]).starts_with("a gap stands before event a"));
        assert!(told(&[Event("a"), Gap, Event("b"), Event("c"), Event("d")]).contains("event d is more"));
        assert!(told(&[Event("a"), Gap, Event("b"), Event("c"), Gap]).contains("at the end"));
    }
}
