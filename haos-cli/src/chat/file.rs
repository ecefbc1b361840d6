//! `haos send-file`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use haos_matrix::compose::{self, FileInfo};
use haos_matrix::mime;
use haos_queue::{Outbox, Staged};
use haos_store_api::RoomId;

use super::desk::Desk;
use super::write;
use crate::args::SendFileArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::why;

/// So much of a file stands in memory at once.
const PORTION: usize = 1 << 20;

/// The longest name that is sent along.
const LONGEST_NAME: usize = 1024;

/// A file to copy.
struct Source {
    file: File,
    size: u64,
    shown: String,
    mime: Option<String>,
}

pub(crate) async fn send_file(store: &Target, args: &SendFileArgs, out: &mut Out) -> Result<()> {
    let mut file = Source::open(&args.file)?;
    if let Some(mime) = &args.mime {
        file.mime = Some(mime.clone());
    }
    let thumbnail = args.thumbnail.as_deref().map(Source::open).transpose()?;
    let name = name(args)?;
    let desk = Desk::open(store).await?;
    let room = write::room(&desk, &args.room, args.how).await?;
    let info = FileInfo {
        name,
        mime: file.mime.clone(),
        thumbnail_mime: thumbnail.as_ref().and_then(|source| source.mime.clone()),
        ..FileInfo::default()
    };
    let thumbnail = match thumbnail {
        Some(source) => Some(stage(&desk.outbox, &room.id, source, true).await?),
        None => None,
    };
    let staged = stage(&desk.outbox, &room.id, file, out.json).await?;
    let draft = compose::file(&room.id, &info, staged, thumbnail)?;
    write::enqueue(desk, draft, args.how, out).await
}

/// The name that others see.
fn name(args: &SendFileArgs) -> Result<String> {
    let own = || args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    match args.name.clone().or_else(own) {
        Some(name) if !name.trim().is_empty() && name.len() <= LONGEST_NAME => Ok(name),
        _ => Err(Error::Input("the file needs a name: give a shorter one with --name".to_owned())),
    }
}

impl Source {
    fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let failed = |e: std::io::Error| Error::Input(format!("{shown}: cannot be read: {}", why(&e)));
        // Asked first: to open a pipe would wait for its other end.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::Input(format!("{shown}: is no file: name one, or pack a folder first")));
        }
        let file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let mime = mime::of(&path.to_string_lossy(), b"").map(str::to_owned);
        Ok(Self { file, size, mime, shown })
    }

    /// The next portion; empty at the end of what the file had when it was opened.
    fn next(&mut self, copied: u64) -> Result<Vec<u8>> {
        let most = self.size.saturating_sub(copied).min(PORTION as u64);
        let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or(PORTION));
        let read = (&mut self.file).take(most).read_to_end(&mut bytes);
        read.map_err(|e| Error::Input(format!("{}: cannot be read: {e}", self.shown)))?;
        Ok(bytes)
    }
}

/// Copies a file into the store. What was copied before an error is swept by whoever sends, later.
async fn stage(outbox: &Outbox, room: &RoomId, mut source: Source, quiet: bool) -> Result<Staged> {
    let bar = progress::bytes(source.size, quiet).with_prefix("storing");
    let first = source.next(0)?;
    let mime = source.mime.clone();
    let mut staged = outbox.stage(room, mime.as_deref(), first).await?;
    loop {
        bar.set_position(staged.size());
        let more = source.next(staged.size())?;
        if more.is_empty() {
            break;
        }
        outbox.stage_more(&mut staged, more).await?;
    }
    bar.finish_and_clear();
    Ok(staged)
}
