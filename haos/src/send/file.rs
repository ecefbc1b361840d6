use std::borrow::Cow;

use haos_matrix::{compose, mime};
use haos_queue::{Outbox, SealFile, Staged};
use haos_store_api::{RoomId, StorageAdapter as _, WriteBatch};

use super::picture;
use super::source::{FileSource, Portions};
use super::upload::Upload;
use crate::error::{Error, Result};
use crate::room::Room;

/// The longest name that is sent along, in bytes.
const LONGEST_NAME: usize = 1024;
/// The largest picture of which a thumbnail is made, in bytes.
#[cfg(all(feature = "thumbnails", not(target_arch = "wasm32")))]
const LARGEST_PICTURE: usize = 32 << 20;

/// The facts of a file that show before it is opened. What is not said is guessed from its name and its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileInfo {
    name: Option<String>,
    mime: Option<String>,
    caption: Option<String>,
    size: Option<(u32, u32)>,
    duration_ms: Option<u64>,
    thumbnail: Option<Picture>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Picture {
    bytes: Vec<u8>,
    mime: String,
    size: Option<(u32, u32)>,
}

impl FileInfo {
    /// Says nothing: all is guessed.
    pub fn guess() -> Self {
        Self::default()
    }

    /// Gives it another name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Names its media type, such as `image/png`.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        self.mime = Some(mime.into());
        self
    }

    /// Adds a text beside it.
    #[must_use]
    pub fn caption(mut self, text: impl Into<String>) -> Self {
        self.caption = Some(text.into());
        self
    }

    /// Names width and height of a picture or video as it is shown, in pixels.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = Some((width, height));
        self
    }

    /// Says how long a sound or video is, in milliseconds.
    #[must_use]
    pub fn duration_ms(mut self, duration_ms: u64) -> Self {
        self.duration_ms = Some(duration_ms);
        self
    }

    /// Adds a small picture that others see before they fetch the file.
    #[must_use]
    pub fn thumbnail(mut self, bytes: Vec<u8>) -> Self {
        let mime = mime::of("", &bytes).unwrap_or("application/octet-stream").to_owned();
        self.thumbnail = Some(Picture { size: picture::size(&bytes), bytes, mime });
        self
    }

    /// Names the media type of the small picture that was added.
    #[must_use]
    pub fn thumbnail_mime(mut self, mime: impl Into<String>) -> Self {
        if let Some(thumbnail) = &mut self.thumbnail {
            thumbnail.mime = mime.into();
        }
        self
    }
}

impl Room {
    /// Sends a file, from a path, bytes or a stream. It is copied into the store in portions of 1 MiB; when this
    /// returns it survives a power loss, and is uploaded and sent once there is a network.
    ///
    /// With the feature `thumbnails`, natively, a PNG, JPEG, GIF or WebP with more than 800x600 pixels gets a thumbnail
    /// of at most that, and each one a blurhash. Pictures of more than 32 MiB do not.
    ///
    /// # Errors
    /// [`Error::File`] for what cannot be read; those of [`Room::send`].
    pub async fn send_file(&self, source: impl Into<FileSource>, info: FileInfo) -> Result<Upload> {
        let source = source.into();
        let given = match info.name.clone().or_else(|| source.name()) {
            Some(name) if name.trim().is_empty() || name.len() > LONGEST_NAME => {
                let problem = "it needs a name, and a shorter one if it has one".to_owned();
                return Err(Error::File { name, problem });
            }
            name => name,
        };
        let staging = Staging { outbox: self.chat().outbox_handle().clone(), room: self.id().clone() };
        // Of a room that is encrypted meanwhile the outbox takes nothing in clear.
        let seal = self.file_seal().await?;
        let mut portions = source.open()?;
        let head = portions.next().await?;
        let mime = info.mime.clone().or_else(|| {
            let guess = mime::of(given.as_deref().unwrap_or_default(), &head);
            guess.map(str::to_owned)
        });
        let is_picture = mime.as_deref().is_some_and(|mime| mime.starts_with("image/"));
        let size = info.size.or_else(|| picture::size(&head).filter(|_| is_picture));
        let (file, whole) = staging.all((mime.as_deref(), seal), head, &mut portions, is_picture).await?;
        let small = match small(whole, info.thumbnail).await {
            Ok(small) => small,
            Err(error) => return Err(staging.undo(&[file], error).await),
        };
        let thumbnail = match &small.thumbnail {
            Some(picture) => {
                let staged = async {
                    staging.begin(Some(&picture.mime), self.file_seal().await?, picture.bytes.clone()).await
                };
                match staged.await {
                    Ok(staged) => Some(staged),
                    Err(error) => return Err(staging.undo(&[file], error).await),
                }
            }
            None => None,
        };
        let name = given.unwrap_or_else(|| named(mime.as_deref()).into_owned());
        let facts = compose::FileInfo {
            name,
            mime,
            thumbnail_mime: small.thumbnail.as_ref().map(|picture| picture.mime.clone()),
            caption: info.caption,
            size,
            thumbnail_size: small.thumbnail.and_then(|picture| picture.size),
            duration_ms: info.duration_ms,
            blurhash: small.blurhash,
        };
        let parts: Vec<Staged> = thumbnail.iter().cloned().chain([file.clone()]).collect();
        let draft = compose::file(self.id(), &facts, file, thumbnail)?;
        match self.enqueue(draft).await {
            Ok(enqueued) => Upload::of(self.chat().clone(), enqueued.txn_id, &parts),
            Err(error) => Err(staging.undo(&parts, error).await),
        }
    }
}

impl Room {
    /// What encrypts a file for this room; nothing where it goes out as it is.
    #[cfg(feature = "e2ee")]
    async fn file_seal(&self) -> Result<Option<Box<dyn SealFile>>> {
        let is_encrypted = self.chat().outbox_handle().is_encrypted(self.id()).await?;
        let client = self.chat().client_handle().filter(|_| is_encrypted);
        let encryption = client.as_ref().and_then(|client| client.encryption());
        Ok(encryption.map(|encryption| encryption.seal_file()).transpose()?)
    }

    #[cfg(not(feature = "e2ee"))]
    async fn file_seal(&self) -> Result<Option<Box<dyn SealFile>>> {
        Ok(None)
    }
}

/// The name of a file that has none.
fn named(mime: Option<&str>) -> Cow<'static, str> {
    match mime.and_then(mime::ending) {
        Some(ending) => format!("file.{ending}").into(),
        None => "file".into(),
    }
}

/// Puts files into the store.
struct Staging {
    outbox: Outbox,
    room: RoomId,
}

impl Staging {
    /// Stores a file portion by portion. A picture that is not too large comes back as a whole, where something is made
    /// of it.
    async fn all(
        &self,
        (mime, seal): (Option<&str>, Option<Box<dyn SealFile>>),
        head: Vec<u8>,
        portions: &mut Portions,
        is_picture: bool,
    ) -> Result<(Staged, Option<Vec<u8>>)> {
        let mut whole = Whole::begin(&head, is_picture);
        let mut staged = self.begin(mime, seal, head).await?;
        loop {
            let more = match portions.next().await {
                Ok(more) if more.is_empty() => return Ok((staged, whole.end())),
                Ok(more) => more,
                Err(error) => return Err(self.undo(&[staged], error).await),
            };
            whole.add(&more);
            if let Err(error) = self.outbox.stage_more(&mut staged, more).await {
                return Err(self.undo(&[staged], error.into()).await);
            }
        }
    }

    /// Stores the first bytes of a file, encrypted where something encrypts it.
    async fn begin(
        &self,
        mime: Option<&str>,
        seal: Option<Box<dyn SealFile>>,
        bytes: Vec<u8>,
    ) -> Result<Staged> {
        Ok(match seal {
            Some(seal) => self.outbox.stage_sealed(&self.room, seal, bytes).await?,
            None => self.outbox.stage(&self.room, mime, bytes).await?,
        })
    }

    /// Removes what was stored before an error. What is left all the same is swept by whoever sends, later.
    async fn undo(&self, staged: &[Staged], error: Error) -> Error {
        let mut batch = WriteBatch::relaxed();
        for staged in staged {
            batch.remove_media(staged.key().clone());
        }
        if let Err(error) = self.outbox.store().apply(batch).await {
            tracing::debug!(%error, "what was stored of a file stays for a day");
        }
        error
    }
}

/// A small picture of a file, and its blurhash.
#[derive(Default)]
struct Small {
    thumbnail: Option<Picture>,
    blurhash: Option<String>,
}

#[cfg(all(feature = "thumbnails", not(target_arch = "wasm32")))]
async fn small(whole: Option<Vec<u8>>, given: Option<Picture>) -> Result<Small> {
    let Some(bytes) = whole else { return Ok(Small { thumbnail: given, blurhash: None }) };
    let made = super::apart(move || Ok(super::thumbnail::of(&bytes))).await;
    // A file goes without them.
    let made = made.unwrap_or_default();
    let thumbnail = made.thumbnail.map(|thumbnail| Picture {
        bytes: thumbnail.bytes,
        mime: thumbnail.mime.to_owned(),
        size: Some(thumbnail.size),
    });
    Ok(Small { thumbnail: given.or(thumbnail), blurhash: made.blurhash })
}

#[cfg(not(all(feature = "thumbnails", not(target_arch = "wasm32"))))]
async fn small(_whole: Option<Vec<u8>>, given: Option<Picture>) -> Result<Small> {
    Ok(Small { thumbnail: given, blurhash: None })
}

/// A picture that is gathered as a whole, while it is not too large.
struct Whole(Option<Vec<u8>>);

#[cfg(all(feature = "thumbnails", not(target_arch = "wasm32")))]
impl Whole {
    fn begin(head: &[u8], is_picture: bool) -> Self {
        Self(is_picture.then(|| head.to_vec()))
    }

    fn add(&mut self, more: &[u8]) {
        if let Some(bytes) = &mut self.0 {
            bytes.extend_from_slice(more);
            if bytes.len() > LARGEST_PICTURE {
                self.0 = None;
            }
        }
    }

    fn end(self) -> Option<Vec<u8>> {
        self.0
    }
}

#[cfg(not(all(feature = "thumbnails", not(target_arch = "wasm32"))))]
impl Whole {
    fn begin(_head: &[u8], _is_picture: bool) -> Self {
        Self(None)
    }

    fn add(&mut self, _more: &[u8]) {}

    fn end(self) -> Option<Vec<u8>> {
        self.0
    }
}
