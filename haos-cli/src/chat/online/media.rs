//! `haos media`: a file that a message refers to.

use std::io::Write;
use std::path::Path;

use haos::ClientOptions;
use haos_matrix::{MediaCache, MediaError, MediaRequest, MediaStream, Variant};
use haos_store_api::{ByteRange, MediaUri};
use serde::Serialize;

use crate::args::MediaArgs;
use crate::chat::desk::client;
use crate::error::{Error, Result, what_to_do};
use crate::open::Target;
use crate::out::Out;
use crate::text::{bytes, clean, why};

#[derive(Serialize)]
struct Written<'a> {
    uri: &'a str,
    file: String,
    bytes: u64,
    mime: Option<&'a str>,
}

pub(crate) async fn media(store: &Target, args: &MediaArgs, out: &mut Out) -> Result<()> {
    let where_to = || Error::Usage("where to? Name a file with --out FILE".to_owned());
    if args.out.is_none() && (out.json || out.is_terminal()) {
        return Err(where_to());
    }
    let uri = MediaUri::new(&args.uri)?;
    let variant = args.thumbnail.map_or(Variant::Original, |(width, height)| Variant::Thumbnail {
        width,
        height,
        crop: false,
    });
    let mut options = ClientOptions::default();
    options.http.max_media_bytes = args.max_size;
    let chat = store.chat_with(options).await?;
    let media = client(&chat)?.media().clone();
    let mut stream = open(&media, &uri, variant).await.map_err(|e| media_fault(&args.uri, e))?;
    let Some(path) = &args.out else {
        copy(&mut stream, &args.uri, out.raw().ok_or_else(where_to)?).await?;
        return Ok(chat.close().await?);
    };
    let bytes_written = file(&mut stream, &args.uri, path).await?;
    media.flush().await?;
    chat.close().await?;
    let (file, mime) = (path.display().to_string(), stream.mime.as_deref());
    let kind = mime.map_or(String::new(), |mime| format!(", {}", clean(mime)));
    let words = format!("{}: {}{kind}", clean(&file), bytes(bytes_written));
    let written = Written { uri: &args.uri, file, bytes: bytes_written, mime };
    out.tell(&written, |out| Ok(writeln!(out, "{words}")?))
}

/// Brings an item into the store, if it fits, and reads it from there.
async fn open(media: &MediaCache, uri: &MediaUri, variant: Variant) -> Result<MediaStream, MediaError> {
    let nothing = ByteRange { start: 0, end: 0 };
    let request = MediaRequest { variant, range: nothing, ..MediaRequest::new(uri.clone()) };
    match media.get(&request).await {
        Ok(_) | Err(MediaError::TooLarge { .. } | MediaError::Full) => media.stream(uri, variant).await,
        Err(error) => Err(error),
    }
}

/// Writes a file, which takes its name when it is whole.
async fn file(stream: &mut MediaStream, uri: &str, path: &Path) -> Result<u64> {
    let failed =
        |e: std::io::Error| Error::Input(format!("{}: cannot be written: {}", path.display(), why(&e)));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let written = copy(stream, uri, &mut file).await?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(written)
}

async fn copy(stream: &mut MediaStream, uri: &str, to: &mut impl Write) -> Result<u64> {
    let mut written = 0;
    while let Some(bytes) = stream.next().await.map_err(|e| media_fault(uri, e))? {
        to.write_all(&bytes)?;
        written += bytes.len() as u64;
    }
    to.flush()?;
    Ok(written)
}

/// An item that did not come.
fn media_fault(uri: &str, error: MediaError) -> Error {
    let text = format!("{uri}: {error}");
    match &error {
        MediaError::Paused(reason) => Error::Input(what_to_do(reason)),
        MediaError::Full => Error::Later(text),
        MediaError::OverLimit { limit } => Error::Input(format!(
            "{uri}: it has more than {}, and nothing of it was kept: if that is right, raise the limit with \
             --max-size",
            bytes(*limit)
        )),
        _ if error.is_retryable() => Error::Later(text),
        MediaError::Store(_) => Error::Unhealthy(text),
        _ => Error::Input(text),
    }
}
