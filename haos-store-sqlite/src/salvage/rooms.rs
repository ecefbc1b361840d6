//! Rooms, and those whose rows are lost.

use std::collections::BTreeMap;
use std::convert::Infallible;

use haos_store_api::backend::native::LostRooms;
use haos_store_api::backend::{Codec, Key};
use haos_store_api::{Collection, Membership, Result, Room, RoomId, Scope};

use super::carry::Carry;
use super::row;
use crate::db::{Db, signed};
use crate::pages::{Index, Shape, Step, Told, Value};
use crate::slot;

/// The rooms of the fresh store by their numbers, which are those of the damaged one.
pub(super) type Rooms = BTreeMap<i64, (RoomId, Key)>;

impl Carry<'_> {
    /// Carries rooms over, and makes rows for those that other rows name.
    pub(super) fn rooms(&mut self) -> Result<()> {
        let damaged = self.damaged;
        damaged.visit(Shape::Room, &mut |step| match step {
            Step::Row(nr, record) => match row::room(self.db().codec, record) {
                Some((room, revision)) if slot::check_room(nr).is_ok() => {
                    self.salvage.see(revision);
                    self.room(nr, room, Collection::Rooms)
                }
                _ => self.lose(Collection::Rooms),
            },
            Step::Unreadable(_) => self.lose(Collection::Rooms),
            Step::Torn => Ok(()),
        })?;
        let mut lost = LostRooms::default();
        let by_key = damaged.index(Index::RoomKey, &mut |values| {
            if let [key, Value::Int(nr)] = values
                && !self.rooms.contains_key(nr)
                && let Some(key) = key.bytes().and_then(|key| key.try_into().ok())
            {
                lost.want(Key::from_bytes(key), *nr);
            }
        });
        let [by_activity] = damaged.told([Index::RoomActivity]);
        self.salvage.named(Collection::Rooms, Told::most(&[by_key, by_activity]));
        if lost.is_open() {
            self.ask(&mut lost);
            for (nr, id) in lost.found() {
                self.bare_room(nr, id)?;
            }
        }
        Ok(())
    }

    /// Offers every room id that a readable row names.
    fn ask(&self, lost: &mut LostRooms) {
        let codec = self.db().codec;
        for shape in [Shape::Gap, Shape::State, Shape::Pending, Shape::Media, Shape::Room] {
            self.damaged.each(shape, &mut |step| {
                if let Step::Row(id, record) = step
                    && lost.is_open()
                {
                    let named = match (shape, lost.key_of(slot::room(id))) {
                        // The key opens a gap, which names its room.
                        (Shape::Gap, Some(key)) => row::gap_in(codec, &key, id, record).into_iter().collect(),
                        _ => names(codec, shape, id, record),
                    };
                    named.iter().for_each(|room| lost.offer(codec, room));
                }
                Ok::<_, Infallible>(())
            });
        }
    }

    /// Makes a row of which the id alone is known; the next sync completes it.
    fn bare_room(&mut self, nr: i64, id: RoomId) -> Result<()> {
        if slot::check_room(nr).is_err() || self.rooms.contains_key(&nr) {
            return Ok(());
        }
        tracing::warn!(room = %id, "the row of a room is lost: it is made of its id");
        let key = self.db().codec.room_key(&id);
        let room = Room { revision: self.salvage.revision, ..Room::new(id.clone(), Membership::Join) };
        insert(self.db(), nr, &room)?;
        self.rooms.insert(nr, (id, key));
        self.bare.insert(nr, room);
        self.pen.step(1)
    }

    /// Gives the rooms without a row of their own the time of their latest message.
    pub(super) fn date_rooms(&mut self) -> Result<()> {
        for (nr, room) in std::mem::take(&mut self.bare) {
            self.db().update_room(nr, &room)?;
        }
        Ok(())
    }

    /// Makes the row of a room that a state entry names, under a number of its own.
    pub(super) fn room_of(&mut self, scope: &Scope) -> Result<()> {
        let Scope::Room(id) = scope else { return Ok(()) };
        if self.db().room_nr(id)?.is_some() {
            return Ok(());
        }
        let next = self.rooms.last_key_value().map_or(1, |(nr, _)| nr + 1);
        self.salvage.lost(Collection::Rooms);
        self.bare_room(next, id.clone())
    }

    fn room(&mut self, nr: i64, room: Room, of: Collection) -> Result<()> {
        let key = self.db().codec.room_key(&room.id);
        if insert(self.db(), nr, &room)? == 0 {
            return self.lose(of);
        }
        self.rooms.insert(nr, (room.id, key));
        self.salvage.carried(of);
        self.pen.step(1)
    }
}

fn insert(db: Db<'_>, nr: i64, room: &Room) -> Result<usize> {
    let row = db.codec.room_row(room)?;
    let sql = "INSERT INTO room (nr, key, last_activity_ms, revision, payload)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let (key, payload) = (row.key.as_bytes(), db.bind(&row.payload));
    db.run(sql, (nr, key, room.last_activity_ms, signed(room.revision.0), payload))
}

/// Lists the rooms that a row names.
fn names(codec: &Codec, shape: Shape, id: i64, record: &[u8]) -> Vec<RoomId> {
    match shape {
        Shape::State => match row::state(codec, record).map(|(entry, _)| entry.scope) {
            Some(Scope::Room(room)) => vec![room],
            _ => Vec::new(),
        },
        Shape::Pending => row::pending(codec, id, record).map(|row| vec![row.room]).unwrap_or_default(),
        Shape::Media => row::media(codec, id, record).map(|((info, _), _)| info.rooms).unwrap_or_default(),
        Shape::Gap => Vec::new(),
        _ => row::room(codec, record).map(|(room, _)| room.spaces).unwrap_or_default(),
    }
}
