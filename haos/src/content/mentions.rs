//! The people whom a message calls.

use std::collections::BTreeSet;

use haos_store_api::{Json, UserId, without_lone_surrogates};
use serde::Serialize;
use serde_json::{Value, json};

use super::read::{Object, string};

/// The people whom a message calls (specification, client-server API, "User and room mentions").
///
/// ```
/// use haos::content::Mentions;
/// use haos_store_api::{Json, UserId};
///
/// # fn main() -> haos_store_api::Result<()> {
/// let content = Json::new(r#"{"body":"Ada!","m.mentions":{"user_ids":["@ada:example.org"]}}"#)?;
/// assert!(Mentions::of(&content).calls(&UserId::new("@ada:example.org")?));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mentions {
    /// The people who are called by their ids.
    pub users: BTreeSet<UserId>,
    /// True if everybody in the room is called.
    pub room: bool,
}

impl Mentions {
    /// Reads `m.mentions` of a content. Without that member nobody is called, whatever the text says.
    pub fn of(content: &Json) -> Self {
        let content = without_lone_surrogates(content.as_str());
        let mentions = Object::of(&content).object("m.mentions");
        let users = mentions.list("user_ids").unwrap_or_default();
        let user = |json| UserId::new(string(json)?).ok();
        Self { users: users.into_iter().filter_map(user).collect(), room: mentions.is_true("room") }
    }

    /// Tells if a user is called, alone or with the whole room.
    pub fn calls(&self, user: &UserId) -> bool {
        self.room || self.users.contains(user)
    }

    /// Returns it as the value of `m.mentions`.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({});
        if !self.users.is_empty() {
            value["user_ids"] = self.users.iter().map(UserId::as_str).collect();
        }
        if self.room {
            value["room"] = true.into();
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called() {
        for (content, users, room) in [
            (r#"{"body":"@room @ada:x"}"#, &[][..], false),
            (r#"{"m.mentions":{}}"#, &[], false),
            (r#"{"m.mentions":{"user_ids":["@b:x","@a:x","@b:x"]}}"#, &["@a:x", "@b:x"], false),
            (r#"{"m.mentions":{"user_ids":["@a:x",3,"",null],"room":true}}"#, &["@a:x"], true),
            (r#"{"m.mentions":{"user_ids":"@a:x","room":"true"}}"#, &[], false),
            (r#"{"m.mentions":[]}"#, &[], false),
            (r#"[]"#, &[], false),
        ] {
            let mentions = Mentions::of(&Json::new(content).unwrap());
            assert_eq!(mentions.users.iter().map(UserId::as_str).collect::<Vec<_>>(), users, "{content}");
            assert_eq!(mentions.room, room, "{content}");
            let again = Json::of(&json!({ "m.mentions": mentions.value() })).unwrap();
            assert_eq!(Mentions::of(&again), mentions, "{content}");
        }
    }
}
