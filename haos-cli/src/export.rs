//! `haos export`: rooms for people.

use std::io::Write as _;

use haos_archive::export::{Attachment, Directory, Export, Format, Shows};
use haos_matrix::MediaRequest;
use haos_store::ErrorKind;
use haos_store_api::{EventType, Json, MediaUri, MessageView};
use serde::Serialize;

use crate::args::{ExportArgs, Form};
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::text::{clean, plural};
use crate::{find, message, progress};

/// The kinds of messages and events that show a file or a picture.
const FILES: [&str; 4] = ["m.image", "m.file", "m.audio", "m.video"];
const STICKER: &str = "m.sticker";

/// What Matrix shows.
struct Matrix;

impl Shows for Matrix {
    fn text(&self, view: &MessageView) -> Option<String> {
        // The body of a file without a caption is its name.
        let is_caption = view.message.content.text("filename") != view.message.content.text("body");
        if self.attachment(view).is_some() && !is_caption {
            return Some(String::new());
        }
        message::body(view)
    }

    fn attachment(&self, view: &MessageView) -> Option<Attachment> {
        let content = &view.message.content;
        let kind = content.text("msgtype").unwrap_or_else(|| view.message.kind.to_string());
        if kind != STICKER && !FILES.contains(&kind.as_str()) {
            return None;
        }
        let uri = MediaUri::new(content.text("url")?).ok()?;
        let name = content.text("filename").or_else(|| content.text("body")).unwrap_or_default();
        let is_picture = kind == STICKER || kind == "m.image";
        Some(Attachment { key: MediaRequest::new(uri).key().ok()?, name, is_picture })
    }

    fn member_kind(&self) -> Option<EventType> {
        EventType::new("m.room.member").ok()
    }

    fn member_name(&self, member: &Json) -> Option<String> {
        member.member("content")?.text("displayname").filter(|name| !name.trim().is_empty())
    }
}

#[derive(Serialize)]
struct Done {
    folder: String,
    rooms: u64,
    messages: u64,
    gaps: u64,
    media: u64,
    missing_media: u64,
}

/// An error about the folder that was named.
fn refused(error: haos_store::Error) -> Error {
    match error.kind() {
        ErrorKind::Invalid => Error::Input(error.to_string()),
        _ => error.into(),
    }
}

pub(crate) async fn run(store: &Target, args: &ExportArgs, out: &mut Out) -> Result<()> {
    let opened = store.existing().await?;
    let mut rooms = Vec::new();
    for wanted in &args.rooms {
        rooms.push(find::room(&*opened.store, wanted).await?.id);
    }
    let mut folder = Directory::new(&args.folder).map_err(refused)?;
    let format = match args.format {
        Form::Html => Format::Html,
        Form::Markdown => Format::Markdown,
        Form::Json => Format::Json,
    };
    let mut export =
        Export::new(&Matrix, format).rooms(rooms).senders(args.senders.clone()).media(!args.no_media);
    if let Some(from) = args.from {
        export = export.from_ms(from);
    }
    if let Some(until) = args.until {
        export = export.until_ms(until);
    }
    let run = async |progress| export.progress(progress).run(&*opened.store, &mut folder).await;
    let done = progress::chore("exporting", out.json, run).await?;
    opened.store.close().await?;
    let done = Done {
        folder: args.folder.display().to_string(),
        rooms: done.rooms,
        messages: done.messages,
        gaps: done.gaps,
        media: done.media,
        missing_media: done.missing_media,
    };
    out.tell(&done, |out| {
        let (messages, rooms) = (plural(done.messages, "message"), plural(done.rooms, "room"));
        writeln!(
            out,
            "{messages} of {rooms}, with {}, in {}",
            plural(done.media, "file"),
            clean(&done.folder)
        )?;
        if done.missing_media > 0 {
            let missing = plural(done.missing_media, "file");
            writeln!(out, "{missing} not stored: `haos media` fetches one, then export again")?;
        }
        if args.format == Form::Html {
            writeln!(
                out,
                "Open {} in a browser",
                clean(&args.folder.join("index.html").display().to_string())
            )?;
        }
        Ok(())
    })
}
