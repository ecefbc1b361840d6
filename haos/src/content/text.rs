//! Texts to send.

use haos_matrix::compose;
use haos_queue::{About, Draft};
use haos_store_api::{Error, ErrorKind, Json, Result, RoomId, UserId};
use serde_json::{Value, json};

use super::Mentions;
use super::message::HTML;

/// A text to send.
///
/// ```
/// use haos::content::Text;
/// use haos_store_api::{EventId, RoomId, UserId};
///
/// # fn main() -> haos_store_api::Result<()> {
/// let hello = EventId::new("$hello")?;
/// let text = Text::new("hi Bob, too").reply_to(&hello).mention(&UserId::new("@bob:example.org")?);
/// let draft = text.draft(&RoomId::new("!lobby:example.org")?)?;
/// # let _ = draft;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a text is nothing until it is sent"]
pub struct Text {
    kind: &'static str,
    body: String,
    formatted: Option<String>,
    reply: Option<About>,
    thread: Option<About>,
    mentions: Mentions,
}

impl Text {
    /// A plain text.
    pub fn new(body: impl Into<String>) -> Self {
        Self {
            kind: "m.text",
            body: body.into(),
            formatted: None,
            reply: None,
            thread: None,
            mentions: Mentions::default(),
        }
    }

    /// A formatted text: `body` is what it says without its HTML. The HTML is sent as it is.
    pub fn html(body: impl Into<String>, html: impl Into<String>) -> Self {
        Self { formatted: Some(html.into()), ..Self::new(body) }
    }

    /// A text in Markdown, which is its plain text too. HTML within it is text.
    ///
    /// ```
    /// use haos::content::Text;
    ///
    /// # fn main() -> haos_store_api::Result<()> {
    /// let content = Text::markdown("**hi**").content()?;
    /// assert_eq!(content.text("body").as_deref(), Some("**hi**"));
    /// assert_eq!(content.text("formatted_body").as_deref(), Some("<strong>hi</strong>"));
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "markdown")]
    pub fn markdown(markdown: impl Into<String>) -> Self {
        let text = Self::new(markdown);
        Self { formatted: super::markdown::formatted(&text.body), ..text }
    }

    /// As a bot's text, which other bots leave alone.
    pub fn notice(self) -> Self {
        Self { kind: "m.notice", ..self }
    }

    /// As what the user does: "waves" shows as "Ada waves".
    pub fn emote(self) -> Self {
        Self { kind: "m.emote", ..self }
    }

    /// Answers a message, sent or not. [`Room::send`](crate::Room::send) calls its sender.
    pub fn reply_to(self, message: impl Into<About>) -> Self {
        Self { reply: Some(message.into()), ..self }
    }

    /// Belongs to the thread that a message began.
    pub fn in_thread(self, root: impl Into<About>) -> Self {
        Self { thread: Some(root.into()), ..self }
    }

    /// Calls a person.
    pub fn mention(mut self, user: &UserId) -> Self {
        self.mentions.users.insert(user.clone());
        self
    }

    /// Calls everybody in the room.
    pub fn mention_room(mut self) -> Self {
        self.mentions.room = true;
        self
    }

    /// Returns the message that it answers.
    pub(crate) fn answered(&self) -> Option<&About> {
        self.reply.as_ref()
    }

    /// Returns its content, as an edit takes it.
    ///
    /// # Errors
    /// `Invalid` for a message that cannot be named.
    pub fn content(&self) -> Result<Json> {
        Json::of(&self.value()?)
    }

    /// Returns it as a draft, which waits until the message that it answers is sent.
    ///
    /// # Errors
    /// `Invalid` for a message that cannot be named, and for an answer to an unsent message in a thread whose first one
    /// is unsent too.
    pub fn draft(&self, room: &RoomId) -> Result<Draft> {
        let draft = compose::message(room, &self.value()?)?;
        Ok(match self.about()? {
            Some(about) => draft.about(about.clone()),
            None => draft,
        })
    }

    /// Returns the message to wait for: a draft waits for one alone.
    fn about(&self) -> Result<Option<&About>> {
        match (&self.reply, &self.thread) {
            (Some(reply @ About::Unsent(_)), Some(root @ About::Unsent(_))) if reply != root => {
                Err(Error::new(
                    ErrorKind::Invalid,
                    "content",
                    "the thread's first message is not sent yet: answer it, or wait",
                ))
            }
            (Some(About::Event(_)), Some(root @ About::Unsent(_))) => Ok(Some(root)),
            (reply, root) => Ok(reply.as_ref().or(root.as_ref())),
        }
    }

    fn value(&self) -> Result<Value> {
        let mut content = compose::text_content(&self.body, &self.mentions);
        content["msgtype"] = self.kind.into();
        if let Some(html) = &self.formatted {
            content["format"] = HTML.into();
            content["formatted_body"] = html.as_str().into();
        }
        if let Some(relation) = self.relation()? {
            content["m.relates_to"] = relation;
        }
        Ok(content)
    }

    /// Returns what relates it. In a thread, clients without threads show it as an answer to the thread's first message
    /// (specification, client-server API, "Fallback for unthreaded clients").
    fn relation(&self) -> Result<Option<Value>> {
        let name = |about: &About| about.event_id().map(|id| id.to_string());
        let reply = self.reply.as_ref().map(name).transpose()?;
        let Some(root) = &self.thread else {
            return Ok(reply.map(|id| json!({ "m.in_reply_to": { "event_id": id } })));
        };
        let root = name(root)?;
        Ok(Some(json!({
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": reply.is_none(),
            "m.in_reply_to": { "event_id": reply.as_ref().unwrap_or(&root) },
        })))
    }
}

impl From<&str> for Text {
    fn from(body: &str) -> Self {
        Self::new(body)
    }
}

impl From<String> for Text {
    fn from(body: String) -> Self {
        Self::new(body)
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventId, TxnId};

    use super::*;

    fn event(id: &str) -> EventId {
        EventId::new(id).unwrap()
    }

    fn txn(id: &str) -> TxnId {
        TxnId::new(id).unwrap()
    }

    fn room() -> RoomId {
        RoomId::new("!r:x").unwrap()
    }

    #[test]
    fn contents() {
        let (ada, bob) = (UserId::new("@ada:x").unwrap(), UserId::new("@bob:x").unwrap());
        let reply = |id: &str| json!({ "event_id": id });
        for (text, expected) in [
            (Text::new("hi"), json!({ "msgtype": "m.text", "body": "hi", "m.mentions": {} })),
            ("hi".into(), json!({ "msgtype": "m.text", "body": "hi", "m.mentions": {} })),
            (Text::new("beep").notice(), json!({ "msgtype": "m.notice", "body": "beep", "m.mentions": {} })),
            (Text::new("waves").emote(), json!({ "msgtype": "m.emote", "body": "waves", "m.mentions": {} })),
            (
                Text::html("hi", "<b>hi</b>").mention_room(),
                json!({ "msgtype": "m.text", "body": "hi", "format": "org.matrix.custom.html",
                    "formatted_body": "<b>hi</b>", "m.mentions": { "room": true } }),
            ),
            (
                Text::new("hi").mention(&bob).mention(&ada).mention(&bob).reply_to(&event("$a")),
                json!({ "msgtype": "m.text", "body": "hi", "m.mentions": { "user_ids": ["@ada:x", "@bob:x"] },
                    "m.relates_to": { "m.in_reply_to": reply("$a") } }),
            ),
            (
                Text::new("hi").in_thread(&event("$root")),
                json!({ "msgtype": "m.text", "body": "hi", "m.mentions": {}, "m.relates_to": {
                    "rel_type": "m.thread", "event_id": "$root", "is_falling_back": true, "m.in_reply_to": reply("$root") } }),
            ),
            (
                Text::new("hi").in_thread(&event("$root")).reply_to(&txn("t1")),
                json!({ "msgtype": "m.text", "body": "hi", "m.mentions": {}, "m.relates_to": {
                    "rel_type": "m.thread", "event_id": "$root", "is_falling_back": false, "m.in_reply_to": reply("~t1") } }),
            ),
        ] {
            let content: Value = text.content().unwrap().parse().unwrap();
            assert_eq!(content, expected);
            assert!(text.draft(&room()).is_ok());
        }
    }

    #[test]
    fn a_draft_waits_for_the_unsent_message_that_it_names() {
        let (sent, unsent) = (event("$a"), txn("t1"));
        let about = |text: Text| text.about().map(|about| about.cloned());
        assert_eq!(about(Text::new("x")).unwrap(), None);
        assert_eq!(about(Text::new("x").reply_to(&sent)).unwrap(), Some(About::Event(sent.clone())));
        let unsent_root = Text::new("x").in_thread(&unsent);
        assert_eq!(about(unsent_root.clone()).unwrap(), Some(About::Unsent(unsent.clone())));
        assert_eq!(about(unsent_root.clone().reply_to(&sent)).unwrap(), Some(About::Unsent(unsent.clone())));
        assert_eq!(
            about(unsent_root.clone().reply_to(&unsent)).unwrap(),
            Some(About::Unsent(unsent.clone()))
        );
        let sent_root = Text::new("x").in_thread(&sent).reply_to(&unsent);
        assert_eq!(about(sent_root).unwrap(), Some(About::Unsent(unsent)));
        let error = about(unsent_root.reply_to(&txn("t2"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_message_with_a_name_too_long_cannot_be_answered() {
        let text = Text::new("x").reply_to(&txn(&"t".repeat(255)));
        assert_eq!(text.content().unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(text.draft(&room()).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
