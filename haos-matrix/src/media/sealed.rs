//! Files of encrypted rooms: stored as the server has them, decrypted as they are read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use haos_store_api::{Media, MediaInfo, MediaKey, MediaUri, Result, WriteBatch};
use sha2::{Digest as _, Sha256};

use super::cache::may_fetch;
use super::request::is_local;
use super::{MediaCache, MediaError, MediaRequest, MediaStream};
use crate::e2ee::SealedFile;
use crate::{Encryption, Variant};

/// Hashes of stored items that are remembered.
const HASHES: usize = 1024;

/// What finds the keys of files, and knows which bytes are those that were sent.
pub(super) struct Opener {
    encryption: Encryption,
    /// The hash of what was fetched at a moment.
    hashes: Mutex<HashMap<MediaUri, (i64, [u8; 32])>>,
}

impl MediaCache {
    /// Decrypts the files of encrypted rooms.
    pub(crate) fn opening(mut self, encryption: Option<Encryption>) -> Self {
        self.opener = encryption.map(|encryption| Opener { encryption, hashes: Mutex::default() }.into());
        self
    }

    /// The keys that events give for an item; none if it is not encrypted.
    pub(super) async fn keys_of(&self, uri: &MediaUri) -> Result<Option<Vec<SealedFile>>> {
        let Some(opener) = &self.opener else { return Ok(None) };
        let keys = opener.encryption.keys_of(uri).await?;
        Ok(Some(keys).filter(|keys| !keys.is_empty()))
    }

    /// Decrypted bytes of an item. What is not what was encrypted goes.
    pub(super) async fn get_sealed(
        &self,
        request: &MediaRequest,
        keys: &[SealedFile],
    ) -> Result<Media, MediaError> {
        let (key, request) = original(request)?;
        if self.shelf.info(&key).await?.is_none() {
            self.fetch(&key, &request).await?;
        }
        let info = self.shelf.info(&key).await?.ok_or(MediaError::Full)?;
        let file = self.chosen(&info, keys).await?;
        let media = self.shelf.read(&key, request.range).await?;
        // It was evicted, and fetched by another context.
        let same =
            |media: &Media| media.info.fetched_at_ms == info.fetched_at_ms && media.info.size == info.size;
        let mut media = media.filter(same).ok_or(MediaError::NotStored)?;
        file.open(request.range.start, &mut media.bytes);
        media.info.mime.clone_from(&file.mime);
        Ok(media)
    }

    pub(super) async fn stream_sealed(
        &self,
        uri: &MediaUri,
        keys: Vec<SealedFile>,
    ) -> Result<MediaStream, MediaError> {
        let (key, _) = original(&MediaRequest::new(uri.clone()))?;
        if let Some(info) = self.shelf.info(&key).await? {
            let file = self.chosen(&info, &keys).await?.clone();
            return Ok(MediaStream::stored(self.shelf.clone(), key, None, info.size).opened(file));
        }
        may_fetch(uri)?;
        let file = keys.into_iter().next().ok_or(MediaError::NotStored)?;
        Ok(MediaStream::passing(self.server.download(uri, Variant::Original).await?).opened(file))
    }

    /// The one of the keys that was made for the bytes that are stored.
    async fn chosen<'a>(
        &self,
        info: &MediaInfo,
        keys: &'a [SealedFile],
    ) -> Result<&'a SealedFile, MediaError> {
        let hash = self.hash_of(info).await?;
        if let Some(file) = keys.iter().find(|file| file.hash == hash) {
            return Ok(file);
        }
        if !is_local(&info.key.uri) {
            let mut batch = WriteBatch::relaxed();
            batch.remove_media(info.key.clone());
            self.shelf.commit(batch).await?;
        }
        Err(MediaError::Altered)
    }

    /// The SHA-256 of a stored item.
    async fn hash_of(&self, info: &MediaInfo) -> Result<[u8; 32], MediaError> {
        let known = self.opener.as_ref().map(|opener| &opener.hashes);
        let known = || known.map(|hashes| hashes.lock().unwrap_or_else(PoisonError::into_inner));
        let noted = known().and_then(|hashes| hashes.get(&info.key.uri).copied());
        if let Some((at_ms, hash)) = noted
            && at_ms == info.fetched_at_ms
        {
            return Ok(hash);
        }
        let mut stream = MediaStream::stored(self.shelf.clone(), info.key.clone(), None, info.size);
        let mut hash = Sha256::new();
        while let Some(bytes) = stream.next().await? {
            hash.update(&bytes);
        }
        let hash = hash.finalize().into();
        if let Some(mut hashes) = known() {
            if hashes.len() >= HASHES {
                hashes.clear();
            }
            hashes.insert(info.key.uri.clone(), (info.fetched_at_ms, hash));
        }
        Ok(hash)
    }
}

/// The request for the original: no server makes a thumbnail of a ciphertext.
fn original(request: &MediaRequest) -> Result<(MediaKey, MediaRequest)> {
    let request = MediaRequest { variant: Variant::Original, ..request.clone() };
    Ok((request.key()?, request))
}

/// Bytes on their way that are decrypted, and hashed to their end.
pub(super) struct Opening {
    file: SealedFile,
    hash: Sha256,
}

impl Opening {
    pub(super) fn new(file: SealedFile) -> Self {
        Self { file, hash: Sha256::new() }
    }

    /// Decrypts the next bytes, which stand at `at`; none are there after the last.
    pub(super) fn open(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), MediaError> {
        if bytes.is_empty() {
            let hash: [u8; 32] = self.hash.clone().finalize().into();
            return if hash == self.file.hash { Ok(()) } else { Err(MediaError::Altered) };
        }
        self.hash.update(&bytes);
        self.file.open(at, bytes);
        Ok(())
    }
}
