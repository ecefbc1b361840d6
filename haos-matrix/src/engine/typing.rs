use std::collections::BTreeMap;
use std::sync::Arc;

use haos_queue::{RoomDelta, SyncDelta};
use haos_store_api::{RoomId, UserId};
use tokio::sync::watch;

use super::Engine;

/// Who is typing, room by room: the own user is not among them, and rooms where nobody is are left out.
pub type Typing = Arc<BTreeMap<RoomId, Vec<UserId>>>;

impl Engine {
    /// Watches who is typing, if the [filter](super::SyncFilter::typing) asks for it. Nobody is while the engine does
    /// not hear of the server.
    pub fn typing(&self) -> watch::Receiver<Typing> {
        self.inner.typing.subscribe()
    }

    /// Tells if an answer says otherwise of who is typing than what is known.
    pub(super) fn types_anew(&self, delta: &SyncDelta) -> bool {
        let known = self.inner.typing.borrow();
        delta.rooms.iter().any(|room| {
            self.others(room).is_some_and(|others| others != known.get(&room.id).cloned().unwrap_or_default())
        })
    }

    /// Takes from an answer who is typing.
    pub(super) fn note_typing(&self, delta: &SyncDelta) {
        if !self.types_anew(delta) {
            return;
        }
        self.inner.typing.send_modify(|held| {
            let rooms = Arc::make_mut(held);
            for room in &delta.rooms {
                match self.others(room) {
                    Some(others) if others.is_empty() => drop(rooms.remove(&room.id)),
                    Some(others) => drop(rooms.insert(room.id.clone(), others)),
                    None => {}
                }
            }
        });
    }

    /// Forgets who is typing.
    pub(super) fn nobody_types(&self) {
        self.inner.typing.send_if_modified(|held| !std::mem::take(held).is_empty());
    }

    /// Who else is typing in a room, if an answer tells.
    fn others(&self, room: &RoomDelta) -> Option<Vec<UserId>> {
        let users = room.typing.as_ref()?.iter();
        Some(users.filter(|user| **user != self.inner.user).cloned().collect())
    }
}
