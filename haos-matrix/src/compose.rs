//! A user's acts as drafts for the outbox (specification, client-server API, "Instant messaging",
//! "Rich replies", "Event replacements", "Event annotations and reactions", "User and room mentions").
//!
//! ```
//! use haos_matrix::compose;
//! use haos_queue::About;
//! use haos_store_api::{EventId, RoomId};
//!
//! # fn main() -> haos_store_api::Result<()> {
//! let room = RoomId::new("!lobby:example.org")?;
//! let hello = compose::text(&room, "hello")?;
//! let wave = compose::reaction(&room, &About::Event(EventId::new("$hello")?), "👋")?;
//! # let _ = (hello, wave);
//! # Ok(()) }
//! ```

use haos_queue::{About, Draft, Protocol as _, RECEIPT, Staged, TYPING};
use haos_store_api::{EventId, EventType, Json, Result, RoomId, UserId};
use serde_json::{Map, Value, json};

use crate::mentions::MENTIONS;
use crate::{MatrixProtocol, Mentions};

/// How long others show that the user is typing, unless told again, in milliseconds.
const TYPING_MS: u64 = 30_000;

/// The type of messages.
const MESSAGE: &str = "m.room.message";
/// The member of a content that names what it relates to.
const RELATES_TO: &str = "m.relates_to";

/// A text.
///
/// # Errors
/// `Invalid` for content that is no JSON object.
pub fn text(room: &RoomId, body: &str) -> Result<Draft> {
    message(room, &text_content(body, &Mentions::default()))
}

/// A message of any kind; `content` has its `msgtype` and `body`.
///
/// # Errors
/// `Invalid` for content that is no JSON object.
pub fn message(room: &RoomId, content: &Value) -> Result<Draft> {
    Ok(Draft::new(room.clone(), EventType::new(MESSAGE)?, Json::of(content)?))
}

/// The content of a text, as [`haos_queue::Outbox::edit`] and [`edit`] take it. It calls the mentioned people and nobody
/// else, whatever it says.
pub fn text_content(body: &str, mentions: &Mentions) -> Value {
    json!({ "msgtype": "m.text", "body": body, MENTIONS: mentions.value() })
}

/// The content of an unsent message in the place of `before`: like an edit of a sent one, it leaves alone what the message
/// relates to.
///
/// # Errors
/// `Invalid` for content that is no JSON.
pub fn in_place(mut content: Value, before: &Json) -> Result<Json> {
    if let Some(relation) = before.member(RELATES_TO) {
        content[RELATES_TO] = relation.parse()?;
    }
    Json::of(&content)
}

/// A text that answers a message. It calls the `author` of that one: leave out the user themself, and who is not known.
///
/// # Errors
/// `Invalid` for a message that cannot be named.
pub fn reply(room: &RoomId, to: &About, author: Option<&UserId>, body: &str) -> Result<Draft> {
    let mut content = text_content(body, &author.cloned().map(Mentions::user).unwrap_or_default());
    content[RELATES_TO] = json!({ "m.in_reply_to": { "event_id": to.event_id()?.as_str() } });
    Ok(message(room, &content)?.about(to.clone()))
}

/// Other content for a message of the user's own, which has the content `before`, where that is known: whom that one
/// calls is not called again. For one that is still in the outbox, [`haos_queue::Outbox::edit`] changes it in place where
/// it can.
///
/// # Errors
/// `Invalid` for a message that cannot be named.
pub fn edit(room: &RoomId, of: &About, content: &Value, before: Option<&Json>) -> Result<Draft> {
    let (kind, content) =
        MatrixProtocol.edit(&of.event_id()?, &EventType::new(MESSAGE)?, &Json::of(content)?, before)?;
    Ok(Draft::new(room.clone(), kind, content).about(of.clone()))
}

/// A reaction: an emoji, or what a client shows in its place.
///
/// # Errors
/// `Invalid` for a message that cannot be named.
pub fn reaction(room: &RoomId, to: &About, key: &str) -> Result<Draft> {
    let relates = json!({ "rel_type": "m.annotation", "event_id": to.event_id()?.as_str(), "key": key });
    let content = Json::of(&json!({ RELATES_TO: relates }))?;
    Ok(Draft::new(room.clone(), EventType::new("m.reaction")?, content).about(to.clone()))
}

/// Takes a message back. One that is still in the outbox is taken back by
/// [`haos_queue::Outbox::cancel`], which leaves no trace where it can.
///
/// # Errors
/// `Invalid` for a reason that cannot be written as JSON.
pub fn redaction(room: &RoomId, of: &About, reason: Option<&str>) -> Result<Draft> {
    let (kind, mut content) = MatrixProtocol.redaction()?;
    if let Some(reason) = reason {
        content = Json::of(&json!({ "reason": reason }))?;
    }
    Ok(Draft::new(room.clone(), kind, content).about(of.clone()))
}

/// The facts of a file that show before it is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub mime: Option<String>,
    /// The media type of its thumbnail.
    pub thumbnail_mime: Option<String>,
    /// What is written beside it.
    pub caption: Option<String>,
    /// Width and height of a picture or video, in pixels, as it is shown.
    pub size: Option<(u32, u32)>,
    /// Width and height of its thumbnail, in pixels.
    pub thumbnail_size: Option<(u32, u32)>,
    /// How long a sound or video is, in milliseconds.
    pub duration_ms: Option<u64>,
    /// A picture's blurhash, which is shown until it is there (MSC2448).
    pub blurhash: Option<String>,
}

impl FileInfo {
    /// Width and height, as an event has them.
    fn dimensions(info: &mut Value, size: Option<(u32, u32)>) {
        if let Some((width, height)) = size {
            (info["w"], info["h"]) = (json!(width), json!(height));
        }
    }
}

/// A file, and its thumbnail, both staged before. They are uploaded first, the thumbnail before the file.
///
/// # Errors
/// `Invalid` for content that is no JSON object.
pub fn file(room: &RoomId, info: &FileInfo, file: Staged, thumbnail: Option<Staged>) -> Result<Draft> {
    let kind = match info.mime.as_deref().and_then(|mime| mime.split('/').next()) {
        Some("image") => "m.image",
        Some("video") => "m.video",
        Some("audio") => "m.audio",
        _ => "m.file",
    };
    let mut about = json!({ "size": file.size() });
    if let Some(mime) = &info.mime {
        about["mimetype"] = json!(mime);
    }
    FileInfo::dimensions(&mut about, info.size);
    if let Some(duration_ms) = info.duration_ms {
        about["duration"] = json!(duration_ms);
    }
    if let Some(blurhash) = &info.blurhash {
        about["xyz.amorgan.blurhash"] = json!(blurhash);
    }
    if let Some(thumbnail) = &thumbnail {
        place(&mut about, ("thumbnail_url", "thumbnail_file"), thumbnail)?;
        let mut inner = json!({ "size": thumbnail.size() });
        if let Some(mime) = &info.thumbnail_mime {
            inner["mimetype"] = json!(mime);
        }
        FileInfo::dimensions(&mut inner, info.thumbnail_size);
        about["thumbnail_info"] = inner;
    }
    let body = info.caption.as_ref().unwrap_or(&info.name);
    let mut content = json!({
        "msgtype": kind, "body": body, "filename": info.name, "info": about,
        MENTIONS: Mentions::default().value()
    });
    place(&mut content, ("url", "file"), &file)?;
    let draft = message(room, &content)?;
    Ok(thumbnail.into_iter().fold(draft, Draft::upload).upload(file))
}

/// Names the bytes in a content: by their uri, or, where they are encrypted, with what decrypts them (specification,
/// "Sending encrypted attachments").
fn place(content: &mut Value, (plain, sealed): (&str, &str), staged: &Staged) -> Result<()> {
    let uri = json!(staged.key().uri.as_str());
    match staged.sealed()? {
        None => content[plain] = uri,
        Some(described) => {
            let mut file: Map<String, Value> = described.parse()?;
            file.insert("url".to_owned(), uri);
            content[sealed] = Value::Object(file);
        }
    }
    Ok(())
}

/// How far the user has read: the marker, and a receipt that others see unless it is `private`.
///
/// # Errors
/// `Invalid` if the kind of row cannot be written.
pub fn read(room: &RoomId, upto: &EventId, private: bool) -> Result<Draft> {
    let receipt = if private { "m.read.private" } else { "m.read" };
    let content = json!({ "m.fully_read": upto.as_str(), receipt: upto.as_str() });
    Ok(Draft::new(room.clone(), EventType::new(RECEIPT)?, Json::of(&content)?))
}

/// That the user is typing, or stopped. Others forget it after half a minute; so does the outbox.
///
/// # Errors
/// `Invalid` if the kind of row cannot be written.
pub fn typing(room: &RoomId, typing: bool) -> Result<Draft> {
    let content = match typing {
        true => json!({ "typing": true, "timeout": TYPING_MS }),
        false => json!({ "typing": false }),
    };
    let draft = Draft::new(room.clone(), EventType::new(TYPING)?, Json::of(&content)?);
    Ok(draft.expires_in_ms(TYPING_MS))
}
