//! The people whom a message calls.

use std::collections::BTreeSet;

use haos_store_api::{Json, UserId};
use serde::Serialize;
use serde_json::{Value, json};

/// The member of a content that names whom it calls.
pub(crate) const MENTIONS: &str = "m.mentions";

/// The people whom a message calls (specification, client-server API, "User and room mentions").
///
/// ```
/// use haos_matrix::Mentions;
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
        let member = content.member(MENTIONS);
        let mentions: Value = member.and_then(|mentions| mentions.parse().ok()).unwrap_or_default();
        let users = mentions["user_ids"].as_array().into_iter().flatten();
        let user = |user: &Value| UserId::new(user.as_str()?).ok();
        let mut called = Self { users: BTreeSet::new(), room: mentions["room"] == true };
        called.users.extend(users.filter_map(user));
        called
    }

    /// Makes the mentions of one person.
    pub fn user(user: UserId) -> Self {
        let mut called = Self::default();
        called.users.insert(user);
        called
    }

    /// Returns those whom this calls and `before` does not.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self { users: &self.users - &before.users, room: self.room && !before.room }
    }

    /// Tells if a user is called, alone or with the whole room.
    pub fn calls(&self, user: &UserId) -> bool {
        self.room || self.users.contains(user)
    }

    /// Returns it as the value of `m.mentions`.
    pub fn value(&self) -> Value {
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
            assert_eq!(mentions.since(&Mentions::default()), mentions, "{content}");
            assert_eq!(mentions.since(&mentions), Mentions::default(), "{content}");
            let again = Json::of(&json!({ "m.mentions": mentions.value() })).unwrap();
            assert_eq!(Mentions::of(&again), mentions, "{content}");
        }
    }
}
