//! Messages and stickers.

use super::Content;
use super::fallback::{is_reply, strip_html, strip_plain};
use super::file::File;
use super::poll::text;
use super::read::Object;

/// The format of messages that are HTML.
pub(super) const HTML: &str = "org.matrix.custom.html";

/// Reads a message (specification, client-server API, `m.room.message`). One of an unknown kind, or that lacks what its
/// kind needs, is its plain text.
pub(super) fn message(content: &Object<'_>) -> Content {
    let Words { body, formatted } = Words::of(content);
    let kind = content.text("msgtype");
    let file = |body| File::of(content, body, formatted.clone());
    match (kind.as_deref(), body) {
        (Some("m.text"), Some(body)) => Content::Text { body, formatted },
        (Some("m.notice"), Some(body)) => Content::Notice { body, formatted },
        (Some("m.emote"), Some(body)) => Content::Emote { body, formatted },
        (Some("m.image"), body) => Content::Image(file(body)),
        (Some("m.video"), body) => Content::Video(file(body)),
        (Some("m.audio"), body) => match is_voice(content) {
            true => Content::Voice(file(body)),
            false => Content::Audio(file(body)),
        },
        (Some("m.file"), body) => Content::File(file(body)),
        (Some("m.location"), body) => match geo_uri(content) {
            Some(geo_uri) => Content::Location { geo_uri, body },
            None => Content::Unknown { body },
        },
        (_, body) => Content::Unknown { body: body.or_else(|| text(content)) },
    }
}

/// Reads a sticker.
pub(super) fn sticker(content: &Object<'_>) -> Content {
    Content::Sticker(File::of(content, Words::of(content).body, None))
}

/// The text of a message, without the quote of what it answers.
struct Words {
    body: Option<String>,
    formatted: Option<String>,
}

impl Words {
    fn of(content: &Object<'_>) -> Self {
        let body = content.text("body");
        let formatted =
            content.text("formatted_body").filter(|_| content.text("format").as_deref() == Some(HTML));
        let (body, formatted) = match is_reply(content) {
            true => (body.map(|body| strip_plain(&body).to_owned()), formatted.map(|html| strip_html(&html))),
            false => (body, formatted),
        };
        Self { body, formatted: formatted.filter(|html| !html.trim().is_empty()) }
    }
}

/// Tells if a sound was spoken for this room (MSC3245).
fn is_voice(content: &Object<'_>) -> bool {
    ["org.matrix.msc3245.voice", "m.voice"].iter().any(|name| content.get(name).is_some())
}

fn geo_uri(content: &Object<'_>) -> Option<String> {
    content.name("geo_uri").filter(|uri| uri.starts_with("geo:"))
}
