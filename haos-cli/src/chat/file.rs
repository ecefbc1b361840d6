//! `haos send-file`.

use haos::{FileInfo, FileSource};
use haos_matrix::mime;

use super::report::{Done, tell};
use super::write;
use crate::args::SendFileArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::why;

pub(crate) async fn send_file(store: &Target, args: &SendFileArgs, out: &mut Out) -> Result<()> {
    let info = info(args)?;
    let chat = store.chat().await?;
    let room = write::room(&chat, &args.room, args.how).await?;
    let size = std::fs::metadata(&args.file).map_or(0, |about| about.len());
    let bar = progress::bytes(size, out.json).with_prefix("storing");
    let told = bar.clone();
    let file = FileSource::from(&*args.file).told(move |copied| told.set_position(copied));
    let sent = chat.room(&room.id).send_file(file, info).await;
    bar.finish_and_clear();
    let upload = sent.map_err(|error| match &error {
        haos::Error::File { name, .. } if args.name.as_ref() == Some(name) => {
            Error::Input(format!("{error}: give one with --name"))
        }
        _ => error.into(),
    })?;
    tell(chat, Done::Queued(upload.txn_id().clone()), args.how.wait, out).await
}

/// What is said of it; the rest is guessed.
fn info(args: &SendFileArgs) -> Result<FileInfo> {
    let mut info = FileInfo::guess();
    if let Some(name) = &args.name {
        info = info.name(name);
    }
    if let Some(mime) = &args.mime {
        info = info.mime(mime);
    }
    if let Some(path) = &args.thumbnail {
        let shown = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|e| Error::Input(format!("{shown}: cannot be read: {}", why(&e))))?;
        let mime = mime::of(&shown, &bytes);
        info = info.thumbnail(bytes);
        if let Some(mime) = mime {
            info = info.thumbnail_mime(mime);
        }
    }
    Ok(info)
}
