//! A room by what people call it.

use haos_store_api::{Room, RoomId, RoomQuery, StorageAdapter};

use crate::error::{Error, Result};
use crate::text::{clean, shorten};

/// The room with this id or name, or the only one whose id or name begins so (in any case).
pub(crate) async fn room(store: &dyn StorageAdapter, wanted: &str) -> Result<Room> {
    if let Ok(id) = RoomId::new(wanted)
        && let Some(room) = store.room(&id).await?
    {
        return Ok(room);
    }
    pick(store.rooms(RoomQuery::default()).await?, wanted)
}

fn pick(rooms: Vec<Room>, wanted: &str) -> Result<Room> {
    let (exact, others): (Vec<Room>, Vec<Room>) =
        rooms.into_iter().partition(|room| room.name.as_deref() == Some(wanted));
    let begins = |room: &Room| {
        let folded = wanted.to_lowercase();
        let name = room.name.as_deref().unwrap_or_default().to_lowercase();
        name.starts_with(&folded) || room.id.as_str().starts_with(wanted)
    };
    let mut found = if exact.is_empty() { others.into_iter().filter(begins).collect() } else { exact };
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::Input(format!(
            "no room has an id or a name that begins with {:?}: `haos rooms` lists them",
            clean(wanted)
        ))),
        n => {
            let some: Vec<String> = found.iter().take(5).map(label).collect();
            let rest = if n > some.len() { ", …" } else { "" };
            let (wanted, some) = (clean(wanted), some.join(", "));
            Err(Error::Input(format!("{wanted:?} means {n} rooms, write more of it: {some}{rest}")))
        }
    }
}

/// The name of a room and its id.
pub fn label(room: &Room) -> String {
    match &room.name {
        Some(name) => format!("{} ({})", shorten(&clean(name), 60), clean(room.id.as_str())),
        None => clean(room.id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::Membership;

    use super::*;

    fn rooms() -> Vec<Room> {
        [("!a", Some("General")), ("!b", Some("general talk")), ("!bc", None), ("!d", Some("Dogs"))]
            .map(|(id, name)| {
                let room = Room::new(RoomId::new(id).unwrap(), Membership::Join);
                Room { name: name.map(str::to_owned), ..room }
            })
            .into()
    }

    #[test]
    fn names_and_starts() {
        let found = |wanted| pick(rooms(), wanted).map(|room| room.id.to_string());
        assert_eq!(found("General").unwrap(), "!a", "a whole name wins");
        assert_eq!(found("general t").unwrap(), "!b");
        assert_eq!(found("dog").unwrap(), "!d");
        assert_eq!(found("!bc").unwrap(), "!bc");
        let error = found("gen").unwrap_err();
        assert_eq!(error.code(), 3);
        assert!(error.to_string().contains("means 2 rooms"), "{error}");
        assert!(found("x").unwrap_err().to_string().contains("haos rooms"));
    }
}
