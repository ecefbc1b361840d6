//! Rooms that are made and joined: requests, which need the homeserver.

use haos_store_api::{Json, RoomId, UserId};
use serde_json::{Value, json};

use super::Chat;
use crate::error::Result;
use crate::room::Room;

/// A room to make. The default is a private one without a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// The people who are asked to join.
    pub invite: Vec<UserId>,
    /// True for a conversation with the invited, who see it as one.
    pub is_direct: bool,
    /// True if everybody may find and join it.
    pub is_public: bool,
}

impl NewRoom {
    fn body(&self) -> haos_store_api::Result<Json> {
        let preset = match (self.is_public, self.is_direct) {
            (true, _) => "public_chat",
            (false, true) => "trusted_private_chat",
            (false, false) => "private_chat",
        };
        let mut body = json!({
            "preset": preset,
            "visibility": if self.is_public { "public" } else { "private" },
            "invite": self.invite,
            "is_direct": self.is_direct,
        });
        for (name, text) in [("name", &self.name), ("topic", &self.topic)] {
            if let Some(text) = text {
                body[name] = Value::String(text.clone());
            }
        }
        Json::of(&body)
    }
}

impl Chat {
    /// Makes a room, at once: it needs the homeserver. The room's row comes with the next sync.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`](crate::Error::NotLoggedIn), and what the homeserver answers.
    pub async fn create_room(&self, room: &NewRoom) -> Result<Room> {
        let made = self.homeserver()?.create_room(&room.body()?).await?;
        Ok(self.room(&made))
    }

    /// Joins a room, by its id or an alias such as `#lobby:example.org`, at once: it needs the homeserver. The room's
    /// row comes with the next sync.
    ///
    /// # Errors
    /// As of [`Chat::create_room`].
    pub async fn join(&self, room: &str) -> Result<Room> {
        // The server in the name knows the room; ids of new room versions have none.
        let via: Vec<&str> = room.split_once(':').map(|(_, server)| server).into_iter().collect();
        let joined: RoomId = self.homeserver()?.join(room, &via).await?;
        Ok(self.room(&joined))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_made_as_it_is_described() {
        let plain: Value = NewRoom::default().body().unwrap().parse().unwrap();
        let private =
            json!({"preset": "private_chat", "visibility": "private", "invite": [], "is_direct": false});
        assert_eq!(plain, private);
        let room = NewRoom {
            name: Some("Tea".to_owned()),
            topic: Some("leaves".to_owned()),
            invite: vec![UserId::new("@bob:x").unwrap()],
            is_direct: true,
            is_public: false,
        };
        let body: Value = room.body().unwrap().parse().unwrap();
        assert_eq!(body["preset"], "trusted_private_chat");
        assert_eq!(
            (&body["name"], &body["topic"], &body["invite"]),
            (&json!("Tea"), &json!("leaves"), &json!(["@bob:x"]))
        );
        let public: Value = NewRoom { is_public: true, ..room }.body().unwrap().parse().unwrap();
        assert_eq!((&public["preset"], &public["visibility"]), (&json!("public_chat"), &json!("public")));
    }
}
