//! The change feed: the items that each commit touched, without content.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use crate::backend::{SortedMap, SortedSet};
use crate::{EventId, Gap, MediaKey, Op, Prune, Revision, RoomId, Scope, TxnId, WriteBatch};

/// An item that a commit touched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Touched {
    /// A room's row, messages or gaps.
    Room(RoomId),
    /// Beside the room's own entry: of its timeline, the commit may have changed these messages and nothing else. Without
    /// it, the commit may have changed anything there.
    Messages(RoomId, Arc<[EventId]>),
    /// An outbox row.
    Pending(TxnId),
    /// A media item.
    Media(MediaKey),
    /// Media items that a policy removed.
    MediaEvicted,
    /// State of a scope.
    State(Scope),
}

/// One step of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// One commit.
    Commit {
        /// The store's revision after it.
        revision: Revision,
        /// The items it touched, each once.
        touched: Arc<[Touched]>,
    },
    /// Commits were missed (a slow subscriber, or another process wrote): read all shown data again.
    Resync {
        /// The store's revision now.
        revision: Revision,
    },
}

impl Change {
    /// Returns the store's revision after the change.
    pub fn revision(&self) -> Revision {
        match self {
            Self::Commit { revision, .. } | Self::Resync { revision } => *revision,
        }
    }
}

/// The most messages of a room that a commit names.
const MAX_NAMED: usize = 64;

/// Lists the items that a batch may touch.
pub fn touched(batch: &WriteBatch) -> BTreeSet<Touched> {
    let mut set = named_messages(batch);
    for op in batch.ops() {
        match op {
            Op::PutRoom(room) => drop(set.insert(Touched::Room(room.id.clone()))),
            Op::RemoveRoom(room) => {
                set.insert(Touched::Room(room.clone()));
                set.insert(Touched::State(Scope::Room(room.clone())));
            }
            Op::RemoveMessage(room, _) | Op::RemoveGap(room, _) | Op::Renumber(room, _) => {
                set.insert(Touched::Room(room.clone()));
            }
            Op::PutMessage(message) => drop(set.insert(Touched::Room(message.room.clone()))),
            Op::Redact(redact) => drop(set.insert(Touched::Room(redact.room.clone()))),
            Op::Prune(prune) => drop(set.insert(Touched::Room(prune.room.clone()))),
            Op::PutGap(gap) => drop(set.insert(Touched::Room(gap.room.clone()))),
            Op::PutPending(pending) => drop(set.insert(Touched::Pending(pending.txn_id.clone()))),
            Op::RemovePending(txn_id) => drop(set.insert(Touched::Pending(txn_id.clone()))),
            Op::PutMedia(info, _) => drop(set.insert(Touched::Media(info.key.clone()))),
            Op::AppendMedia { key, .. } | Op::PinMedia(key, _) | Op::RemoveMedia(key) => {
                set.insert(Touched::Media(key.clone()));
            }
            Op::RenameMedia(from, to) => {
                set.extend([Touched::Media(from.clone()), Touched::Media(to.clone())]);
            }
            Op::TouchMedia(keys, _) => set.extend(keys.iter().cloned().map(Touched::Media)),
            Op::EvictMedia(..) => drop(set.insert(Touched::MediaEvicted)),
            Op::PutState(entry) => drop(set.insert(Touched::State(entry.scope.clone()))),
            Op::RemoveState(scope, ..) => drop(set.insert(Touched::State(scope.clone()))),
        }
    }
    set
}

/// Names the messages of the rooms of which a batch changes few messages and no gap.
fn named_messages(batch: &WriteBatch) -> BTreeSet<Touched> {
    let mut rooms: SortedMap<&RoomId, Option<SortedSet<&EventId>>> = SortedMap::new();
    for op in batch.ops() {
        let (room, event) = match op {
            Op::PutRoom(room) => (&room.id, None),
            Op::PutMessage(message) => (&message.room, Some(&message.id)),
            Op::RemoveMessage(room, event) => (room, Some(event)),
            Op::Redact(redact) => (&redact.room, Some(&redact.target)),
            Op::RemoveRoom(room) | Op::RemoveGap(room, _) | Op::Renumber(room, _) => {
                rooms.insert(room, None);
                continue;
            }
            Op::Prune(Prune { room, .. }) | Op::PutGap(Gap { room, .. }) => {
                rooms.insert(room, None);
                continue;
            }
            _ => continue,
        };
        let named = rooms.or_insert_with(room, || Some(SortedSet::new()));
        if let Some(events) = named {
            events.extend(event);
            if events.len() > MAX_NAMED {
                *named = None;
            }
        }
    }
    let named = rooms.into_iter().filter_map(|(room, events)| {
        Some(Touched::Messages(room.clone(), events?.into_iter().cloned().collect()))
    });
    // Put one by one: to collect them would bring code that sorts them.
    let mut set = BTreeSet::new();
    set.extend(named);
    set
}

/// The sending side of the feed, held by a backend.
#[derive(Debug, Clone)]
pub struct ChangeHub {
    sender: broadcast::Sender<Change>,
    latest: Arc<Mutex<Revision>>,
}

impl ChangeHub {
    /// Makes a hub that keeps `capacity` changes for slow subscribers, starting at the store's revision.
    pub fn new(capacity: usize, revision: Revision) -> Self {
        Self { sender: broadcast::Sender::new(capacity), latest: Arc::new(Mutex::new(revision)) }
    }

    /// Tells whether it has subscribers.
    pub fn has_subscribers(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Returns the latest published revision.
    pub fn latest(&self) -> Revision {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes one commit, in commit order.
    pub fn publish(&self, revision: Revision, touched: BTreeSet<Touched>) {
        self.send(Change::Commit { revision, touched: touched.into_iter().collect() });
    }

    /// Tells subscribers to read again, after commits that are not known one by one.
    pub fn resync(&self, revision: Revision) {
        self.send(Change::Resync { revision });
    }

    fn send(&self, change: Change) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = change.revision();
        // An error means that there is no subscriber.
        let _ = self.sender.send(change);
    }

    /// Makes a subscription, without a gap from [`Changes::start`] on.
    pub fn subscribe(&self) -> Changes {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        Changes { receiver: self.sender.subscribe(), start: *latest, hub: self.latest.clone() }
    }
}

/// The receiving side of the feed.
///
/// It tells of every commit after [`Changes::start`], in order. Subscribe first, read the data to show, then follow:
/// that data is at least at `start`. A subscriber that falls behind gets one [`Change::Resync`].
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Change>,
    start: Revision,
    hub: Arc<Mutex<Revision>>,
}

impl Changes {
    /// Returns the revision after which no commit is missed.
    pub fn start(&self) -> Revision {
        self.start
    }

    /// Waits for the next change; `None` once the store is closed.
    pub async fn next(&mut self) -> Option<Change> {
        match self.receiver.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Closed) => None,
            Err(broadcast::error::RecvError::Lagged(_)) => Some(self.resync()),
        }
    }

    /// Returns the next queued change, if any.
    pub fn try_next(&mut self) -> Option<Change> {
        match self.receiver.try_recv() {
            Ok(change) => Some(change),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(self.resync()),
            Err(_) => None,
        }
    }

    /// Turns the feed into a stream.
    pub fn into_stream(self) -> impl futures_core::Stream<Item = Change> {
        futures_util::stream::unfold(self, |mut changes| async {
            changes.next().await.map(|change| (change, changes))
        })
    }

    /// Skips the queued changes: the reader starts over at the revision told.
    fn resync(&mut self) -> Change {
        let latest = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = self.receiver.resubscribe();
        Change::Resync { revision: *latest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn slow_subscriber_is_told() {
        let hub = ChangeHub::new(2, Revision(7));
        let mut changes = hub.subscribe();
        assert_eq!(changes.start(), Revision(7));
        for n in 8..20 {
            hub.publish(Revision(n), BTreeSet::new());
        }
        assert_eq!(changes.next().await, Some(Change::Resync { revision: Revision(19) }));
        assert_eq!(changes.try_next(), None);
        hub.publish(Revision(20), BTreeSet::new());
        assert_eq!(changes.next().await.map(|c| c.revision()), Some(Revision(20)));
        drop(hub);
        assert_eq!(changes.next().await, None);
    }
}
