//! What an event says, as plain types over its JSON; and what a user says, as JSON.
//!
//! ```
//! use haos::content::Content;
//! use haos_store_api::{EventType, Json, StateKey, UserId};
//!
//! # fn main() -> haos_store_api::Result<()> {
//! let ada = UserId::new("@ada:example.org")?;
//! let hello = Json::new(r#"{"msgtype":"m.text","body":"hello"}"#)?;
//! let hello = Content::of(&EventType::new("m.room.message")?, &ada, None, &hello, None);
//! assert_eq!(hello.plain(), "hello");
//!
//! let (room, lobby) = (StateKey::new("")?, Json::new(r#"{"name":"Lobby"}"#)?);
//! let named = Content::of(&EventType::new("m.room.name")?, &ada, Some(&room), &lobby, None);
//! let Content::State(change) = named else { unreachable!() };
//! assert_eq!(change.sentence("Ada", None), "Ada changed the room's name to “Lobby”");
//! # Ok(()) }
//! ```

mod fallback;
mod file;
#[cfg(feature = "html")]
mod html;
#[cfg(any(feature = "html", feature = "markdown"))]
mod link;
#[cfg(feature = "markdown")]
mod markdown;
mod member;
mod message;
mod poll;
mod read;
mod state;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "html")]
mod tidy;
mod unreadable;

use haos_store_api::{EventType, Json, Message, StateKey, UserId, without_lone_surrogates};
use serde::Serialize;

pub use file::{File, Thumbnail};
pub use haos_matrix::Mentions;
pub use member::{MemberAction, MemberChange, NameChange};
pub use poll::{Answer, Poll, PollEnd, Vote};
pub use state::StateChange;
pub use text::Text;
pub use unreadable::Unreadable;

use read::Object;

/// What an event says. Texts are at most 64 KiB; what is malformed counts as absent. The event's own JSON has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text {
        /// Its plain text.
        body: String,
        /// The same as HTML that nobody has made safe: show [`Content::html`] instead.
        formatted: Option<String>,
    },
    /// A text of a bot.
    Notice {
        /// Its plain text.
        body: String,
        /// The same as HTML that nobody has made safe: show [`Content::html`] instead.
        formatted: Option<String>,
    },
    /// What the sender does, told after their name.
    Emote {
        /// Its plain text.
        body: String,
        /// The same as HTML that nobody has made safe: show [`Content::html`] instead.
        formatted: Option<String>,
    },
    /// A picture.
    Image(File),
    /// A video.
    Video(File),
    /// A sound.
    Audio(File),
    /// A sound that the sender spoke for this room.
    Voice(File),
    /// A file of any other kind.
    File(File),
    /// A picture that stands for a mood. Its name describes it.
    Sticker(File),
    /// A place.
    Location {
        /// Where it is, as a `geo:` uri.
        geo_uri: String,
        /// Its description.
        body: Option<String>,
    },
    /// A poll.
    Poll(Poll),
    /// A vote in a poll. It is counted and not shown.
    Vote(Vote),
    /// The end of a poll.
    PollEnd(PollEnd),
    /// A message that is not decrypted.
    Encrypted {
        /// The algorithm that encrypted it.
        algorithm: Option<String>,
        /// Why it is not, as far as it was tried.
        unreadable: Option<Unreadable>,
    },
    /// A change of the room's state.
    State(StateChange),
    /// Anything that this version does not know, or that lacks what its kind needs.
    Unknown {
        /// Its plain text, if it has one.
        body: Option<String>,
    },
}

impl Content {
    /// Reads the content of an event. A state event has a key, and may come with the content `prev` that it replaced
    /// (`unsigned.prev_content`), which tells who was kicked and who only left.
    pub fn of(
        kind: &EventType,
        sender: &UserId,
        state_key: Option<&StateKey>,
        content: &Json,
        prev: Option<&Json>,
    ) -> Self {
        let Some(key) = state_key else { return Self::of_message(kind, content) };
        let content = without_lone_surrogates(content.as_str());
        let prev = prev.map(|prev| without_lone_surrogates(prev.as_str()));
        let prev = prev.as_deref().map(Object::of);
        Self::State(StateChange::of(kind, sender, key, &Object::of(&content), prev.as_ref()))
    }

    /// Adds why a stored message could not be decrypted, if it is one and that is known.
    #[must_use]
    pub fn stored_as(mut self, message: &Message) -> Self {
        if let Self::Encrypted { unreadable, .. } = &mut self {
            *unreadable = Unreadable::of(message.extra.as_ref());
        }
        self
    }

    /// Reads the content of an event that is no state, sent or not.
    pub fn of_message(kind: &EventType, content: &Json) -> Self {
        let content = without_lone_surrogates(content.as_str());
        let content = Object::of(&content);
        let known = match kind.as_str() {
            "m.room.message" => Some(message::message(&content)),
            "m.sticker" => Some(message::sticker(&content)),
            "m.room.encrypted" => {
                Some(Self::Encrypted { algorithm: content.name("algorithm"), unreadable: None })
            }
            "m.poll.start" | "org.matrix.msc3381.poll.start" => Poll::of(&content).map(Self::Poll),
            "m.poll.response" | "org.matrix.msc3381.poll.response" => Vote::of(&content).map(Self::Vote),
            "m.poll.end" | "org.matrix.msc3381.poll.end" => PollEnd::of(&content).map(Self::PollEnd),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown { body: poll::text(&content) })
    }

    /// Returns it as plain text, for previews, quotes and notifications; in English where it has no words of its own,
    /// and empty for what is not shown.
    pub fn plain(&self) -> String {
        let file = |file: &File, kind: &str| file.label().unwrap_or(kind).to_owned();
        match self {
            Self::Text { body, .. } | Self::Notice { body, .. } | Self::Emote { body, .. } => body.clone(),
            Self::Image(image) => file(image, "Picture"),
            Self::Video(video) => file(video, "Video"),
            Self::Audio(audio) => file(audio, "Sound"),
            Self::Voice(voice) => file(voice, "Voice message"),
            Self::File(other) => file(other, "File"),
            Self::Sticker(sticker) => file(sticker, "Sticker"),
            Self::Location { geo_uri, body } => body.as_ref().unwrap_or(geo_uri).clone(),
            Self::Poll(poll) => poll.question.clone(),
            Self::Vote(_) => String::new(),
            Self::PollEnd(end) => end.body.clone().unwrap_or_else(|| "The poll has ended".to_owned()),
            Self::Encrypted { unreadable: Some(reason), .. } => format!("Encrypted message: {reason}"),
            Self::Encrypted { .. } => "Encrypted message".to_owned(),
            Self::State(change) => change.plain(),
            Self::Unknown { body } => body.clone().unwrap_or_default(),
        }
    }

    /// Returns it as HTML that is safe to show: of the formatted text, the elements and attributes that the
    /// specification lists ("m.room.message msgtypes"), nested at most 100 deep; else the plain text. None if it has no
    /// text.
    ///
    /// ```
    /// use haos::content::Content;
    ///
    /// let hello = |formatted: Option<&str>| Content::Text {
    ///     body: "hello <you>".to_owned(),
    ///     formatted: formatted.map(str::to_owned),
    /// };
    /// let html = hello(Some("<b onclick=steal()>hello</b><script>steal()</script>")).html();
    /// assert_eq!(html.as_deref(), Some("<b>hello</b>"));
    /// assert_eq!(hello(None).html().as_deref(), Some("hello &lt;you&gt;"));
    /// ```
    #[cfg(feature = "html")]
    pub fn html(&self) -> Option<String> {
        let formatted = self.formatted().and_then(html::sanitized);
        formatted
            .or_else(|| Some(self.plain()).filter(|text| !text.is_empty()).map(|text| html::escaped(&text)))
    }

    /// Returns its HTML as it came.
    #[cfg(feature = "html")]
    fn formatted(&self) -> Option<&str> {
        match self {
            Self::Text { formatted, .. } | Self::Notice { formatted, .. } | Self::Emote { formatted, .. } => {
                formatted.as_deref()
            }
            Self::Image(file)
            | Self::Video(file)
            | Self::Audio(file)
            | Self::Voice(file)
            | Self::File(file) => file.formatted.as_deref(),
            _ => None,
        }
    }
}
