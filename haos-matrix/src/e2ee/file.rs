//! Encrypts and decrypts files (specification, client-server API, "Sending encrypted attachments").

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _, StreamCipherSeek as _};
use haos_queue::SealFile;
use haos_store_api::{Error, ErrorKind, Json, MediaUri, Result};
use matrix_sdk_common::ruma::serde::Base64;
use matrix_sdk_common::ruma::serde::base64::{Standard, UrlSafe};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A file under way: AES-256 in counter mode, and the hash of the ciphertext.
pub(super) struct Sealing {
    key: Zeroizing<[u8; 32]>,
    iv: [u8; 16],
    cipher: Ctr128BE<Aes256>,
    hash: Sha256,
}

impl Sealing {
    pub(super) fn new() -> Result<Self> {
        let mut key = Zeroizing::new([0_u8; 32]);
        let mut iv = [0_u8; 16];
        let random = |bytes: &mut [u8]| {
            getrandom::fill(bytes)
                .map_err(|_| Error::new(ErrorKind::Other, "stage", "the system gives no randomness"))
        };
        random(&mut *key)?;
        // The second half counts blocks: it begins at 0, so that it never runs over.
        random(&mut iv[..8])?;
        let cipher = Ctr128BE::<Aes256>::new((&*key).into(), (&iv).into());
        Ok(Self { key, iv, cipher, hash: Sha256::new() })
    }
}

impl SealFile for Sealing {
    fn seal(&mut self, bytes: &mut [u8]) {
        self.cipher.apply_keystream(bytes);
        self.hash.update(bytes);
    }

    fn finish(&mut self) -> Result<Json> {
        let hash = Base64::<Standard>::new(self.hash.clone().finalize().to_vec());
        let key = Base64::<UrlSafe, _>::new(self.key.as_slice());
        let iv = Base64::<Standard>::new(self.iv.to_vec());
        Json::of(&json!({
            "v": "v2",
            "key": { "kty": "oct", "alg": "A256CTR", "ext": true, "key_ops": ["encrypt", "decrypt"], "k": key.encode() },
            "iv": iv.encode(),
            "hashes": { "sha256": hash.encode() },
        }))
    }
}

/// A file of an encrypted room, as an event describes it.
#[derive(Clone)]
pub(crate) struct SealedFile {
    /// Where its ciphertext is.
    pub(crate) uri: MediaUri,
    /// The media type of what it holds, as the sender says.
    pub(crate) mime: Option<String>,
    /// The SHA-256 of its ciphertext.
    pub(crate) hash: [u8; 32],
    key: Zeroizing<[u8; 32]>,
    iv: [u8; 16],
}

impl SealedFile {
    /// Reads an event's description; none if it is not one of version 2, or not complete.
    pub(super) fn of(file: &Json, mime: Option<String>) -> Option<Self> {
        let key = file.member("key")?;
        if file.text("v")? != "v2" || key.text("alg")? != "A256CTR" {
            return None;
        }
        let bytes: Base64<UrlSafe> = Base64::parse(key.text("k")?).ok()?;
        let iv: Base64 = Base64::parse(file.text("iv")?).ok()?;
        let hash: Base64 = Base64::parse(file.member("hashes")?.text("sha256")?).ok()?;
        Some(Self {
            uri: MediaUri::new(file.text("url")?).ok()?,
            mime,
            hash: hash.as_bytes().try_into().ok()?,
            key: Zeroizing::new(bytes.as_bytes().try_into().ok()?),
            iv: iv.as_bytes().try_into().ok()?,
        })
    }

    /// Decrypts bytes in place that stand at `at` in the file.
    pub(crate) fn open(&self, at: u64, bytes: &mut [u8]) {
        let mut cipher = Ctr128BE::<Aes256>::new((&*self.key).into(), (&self.iv).into());
        cipher.seek(at);
        cipher.apply_keystream(bytes);
    }
}

impl std::fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedFile").field("uri", &self.uri).finish_non_exhaustive()
    }
}
