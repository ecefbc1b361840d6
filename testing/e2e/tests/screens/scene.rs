use haos_e2e::{Plain, StoreKind, Synapse, SynapseOptions};
use serde_json::json;
use tempfile::TempDir;

use crate::person::{PASSWORD, Person};

const ROOMS: usize = 3;

/// A server, two people with chats, and somebody who is in all rooms and has none.
pub(crate) struct Scene {
    pub(crate) people: [Person; 2],
    pub(crate) cora: Plain,
    pub(crate) rooms: Vec<String>,
    /// For files that are sent.
    pub(crate) folder: TempDir,
    _synapse: Synapse,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cora = Plain::register(synapse.address(), "cora", PASSWORD).await.unwrap();
        let ada = Person::start("ada", StoreKind::Sqlite, &synapse, folder.path(), 600).await;
        // What bert lacks, nobody fetches unasked.
        let bert = Person::start("bert", StoreKind::SealedSqlite, &synapse, folder.path(), 0).await;
        let mut scene = Self { people: [ada, bert], cora, rooms: Vec::new(), folder, _synapse: synapse };
        for n in 0..ROOMS {
            let users: Vec<&str> = scene.people.iter().map(Person::user).collect();
            let room = scene.cora.create_room(&format!("Room {n}"), &users).await.unwrap();
            let powers = json!({ "users": { users[0]: 100 } });
            scene.cora.set_state(&room, "m.room.power_levels", "", &powers).await.unwrap();
            for person in &scene.people {
                person.plain.join(&room).await.unwrap();
            }
            scene.rooms.push(room);
        }
        let rooms = scene.rooms.clone();
        for person in &mut scene.people {
            person.watch(&rooms).await;
        }
        scene
    }
}
