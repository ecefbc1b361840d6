//! Rooms.

use haos_queue::Retries;
use haos_store_api::{Collection, Result, Room, StorageAdapter, WriteBatch};

use super::{ROWS, Restore};
use crate::kinds::{RESTORING, account};

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    pub(super) async fn rooms(&mut self, rooms: Vec<Room>) -> Result<()> {
        for rooms in rooms.chunks(ROWS) {
            self.some_rooms(rooms).await?;
        }
        Ok(())
    }

    /// Takes the rooms that the store lacks. Of those that it has, the row counts that it has; but the latest message
    /// of both stores will be in it.
    async fn some_rooms(&mut self, rooms: &[Room]) -> Result<()> {
        let mut retries = Retries::default();
        loop {
            let mut batch = WriteBatch::relaxed();
            let (mut new, mut merged) = (0, 0);
            for room in rooms {
                let stored = self.store.room(&room.id).await?;
                batch.expect_room(&room.id, stored.as_ref().map(|stored| stored.revision));
                match stored {
                    None => {
                        new += 1;
                        batch.put_room(room.clone());
                    }
                    Some(stored) if stored.last_activity_ms < room.last_activity_ms => {
                        merged += 1;
                        batch.put_room(Room { last_activity_ms: room.last_activity_ms, ..stored });
                    }
                    Some(_) => {}
                }
            }
            if self.fresh && !self.noted && new > 0 {
                batch.put_state(account(RESTORING, "", &true)?);
            }
            let Some(commit) = retries.committed(self.store.apply(batch).await)? else { continue };
            self.noted |= self.fresh && new > 0;
            self.changed |= commit.changed;
            self.done.new_rows(Collection::Rooms, new);
            self.done.merged_rows(Collection::Rooms, merged);
            self.done.unchanged_rows(Collection::Rooms, rooms.len() as u64 - new - merged);
            return Ok(());
        }
    }
}
