//! The rooms of the demo.

use haos_cli::parts::Result;
use haos_matrix::Homeserver;
use haos_store_api::Json;
use serde_json::json;

use super::super::script::ROOMS;
use super::super::server::Place;
use super::halt::{Halt, patiently};

/// How often leaving is tried: doing it twice does no harm.
const TRIES: u32 = 5;

/// Makes them; those that were made are there also if one was not.
pub(super) async fn make(server: &Homeserver, places: &mut Vec<Place>) -> Result<()> {
    for name in ROOMS {
        let what = format!("making the room {name}");
        let body = Json::of(&json!({ "name": name, "preset": "private_chat" }))?;
        let made = patiently(&what, 1, async || {
            server.create_room(&body).await.map_err(|answer| Halt::of(&what, &answer))
        });
        places.push(Place { id: made.await?, label: name.to_owned() });
    }
    Ok(())
}

/// Leaves them all; the first that could not be left is told.
pub(super) async fn leave(server: &Homeserver, places: &[Place]) -> Result<()> {
    let mut left = Ok(());
    for Place { id, .. } in places {
        let what = format!("leaving the room {id}");
        let leaving = patiently(&what, TRIES, async || {
            server.leave(id).await.map_err(|answer| Halt::of(&what, &answer))
        });
        left = left.and(leaving.await);
    }
    left
}
