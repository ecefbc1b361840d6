use std::collections::BTreeMap;
use std::sync::Arc;

use haos_queue::SyncDelta;
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

    /// Takes from an answer who is typing.
    pub(super) fn note_typing(&self, delta: &SyncDelta) {
        let told = delta.rooms.iter().filter_map(|room| Some((&room.id, room.typing.as_ref()?)));
        let told: Vec<_> = told.collect();
        if told.is_empty() {
            return;
        }
        self.change_typing(|rooms| {
            for (room, users) in told {
                let others =
                    users.iter().filter(|user| **user != self.inner.user).cloned().collect::<Vec<_>>();
                match others.is_empty() {
                    true => drop(rooms.remove(room)),
                    false => drop(rooms.insert(room.clone(), others)),
                }
            }
        });
    }

    pub(super) fn nobody_types(&self) {
        self.change_typing(BTreeMap::clear);
    }

    fn change_typing(&self, change: impl FnOnce(&mut BTreeMap<RoomId, Vec<UserId>>)) {
        self.inner.typing.send_if_modified(|held| {
            let mut rooms = BTreeMap::clone(held);
            change(&mut rooms);
            let changed = rooms != **held;
            if changed {
                *held = Arc::new(rooms);
            }
            changed
        });
    }
}
