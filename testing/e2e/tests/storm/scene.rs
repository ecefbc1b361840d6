use haos_e2e::{Plain, Synapse, SynapseOptions};
use serde_json::json;

/// The password of both users.
pub(crate) const PASSWORD: &str = "secret";

/// Every other room is encrypted, by its number.
pub(crate) fn is_encrypted(number: usize) -> bool {
    number % 2 == 1
}

/// A server, its users, and the rooms that both are in.
pub(crate) struct Scene {
    pub(crate) synapse: Synapse,
    pub(crate) ada: Plain,
    pub(crate) bob: Plain,
    pub(crate) rooms: Vec<String>,
}

impl Scene {
    pub(crate) async fn set(rooms: usize) -> Self {
        let synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
        let ada = Plain::register(synapse.address(), "ada", PASSWORD).await.unwrap();
        let bob = Plain::register(synapse.address(), "bob", PASSWORD).await.unwrap();
        let mut scene = Self { synapse, ada, bob, rooms: Vec::new() };
        for n in 0..rooms {
            let room = scene.ada.create_room(&format!("Room {n}"), &[scene.bob.user_id()]).await.unwrap();
            if is_encrypted(n) {
                let content = json!({ "algorithm": "m.megolm.v1.aes-sha2" });
                scene.ada.set_state(&room, "m.room.encryption", "", &content).await.unwrap();
            }
            scene.bob.join(&room).await.unwrap();
            scene.rooms.push(room);
        }
        scene
    }
}
