//! Cipher and hashes of sealed stores, for `haos-store-api`.
//!
//! ```
//! use haos_store_seal::{Cipher, derive};
//!
//! let cipher = Cipher::new(&derive(&[7; 32], "an example"));
//! let mut bytes = *b"hello";
//! let tag = cipher.encrypt(&[1; 12], b"bound to this", &mut bytes).unwrap();
//! assert!(!cipher.decrypt(&[1; 12], b"bound to that", &mut bytes, &tag));
//! assert!(cipher.decrypt(&[1; 12], b"bound to this", &mut bytes, &tag));
//! assert_eq!(&bytes, b"hello");
//! ```
//!
//! Generic code is compiled where it is used. So the ciphers are used here alone: a module for browsers is compiled for
//! size, this crate for speed. It knows nothing of rows, keyrings or formats; it is no interface for applications.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The bytes of a nonce.
pub const NONCE: usize = 12;
/// The bytes of a tag.
pub const TAG: usize = 16;

/// AES-256-GCM under one key, with its key schedule.
#[derive(Clone)]
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// Makes the cipher of a key.
    #[inline(never)]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts bytes in their place, and returns their tag; `None` if they are too many for the cipher (64 GiB).
    #[inline(never)]
    pub fn encrypt(&self, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce: &Nonce<Aes256Gcm> = nonce.into();
        self.0.encrypt_inout_detached(nonce, aad, bytes.into()).ok().map(Into::into)
    }

    /// Decrypts bytes in their place, if they are authentic; leaves them as they are otherwise. Tells whether they are.
    #[inline(never)]
    pub fn decrypt(&self, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut [u8], tag: &[u8; TAG]) -> bool {
        let (nonce, tag): (&Nonce<Aes256Gcm>, &Tag<Aes256Gcm>) = (nonce.into(), tag.into());
        self.0.decrypt_inout_detached(nonce, aad, bytes.into(), tag).is_ok()
    }
}

/// SHA-256.
#[derive(Clone, Default)]
pub struct Hash(Sha256);

impl Hash {
    /// Returns the hash of bytes.
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        let mut hash = Self::default();
        hash.update(bytes);
        hash.finish()
    }

    /// Adds bytes.
    #[inline(never)]
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the hash of all bytes.
    #[inline(never)]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// HMAC-SHA256 under one key, with the key taken in: a clone of it begins a message.
#[derive(Clone)]
pub struct Mac(Hmac<Sha256>);

impl Mac {
    /// Makes the keyed hash of a key.
    #[inline(never)]
    pub fn new(key: &[u8; 32]) -> Self {
        // A short key counts as if zeros filled it up to the block.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(key);
        Self(<Hmac<Sha256> as KeyInit>::new((&*block).into()))
    }

    /// Adds bytes.
    #[inline(never)]
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the keyed hash of all bytes.
    #[inline(never)]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// Derives a key for one purpose, by HKDF-SHA256 without a salt.
#[inline(never)]
pub fn derive(key: &[u8; 32], purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    // It fails only for outputs of more than 8160 bytes.
    let _ = Hkdf::<Sha256>::new(None, key).expand(purpose.as_bytes(), &mut *derived);
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Test case 16 of "The Galois/Counter Mode of Operation (GCM)", McGrew and Viega, 2005.
    #[test]
    fn the_cipher_is_the_one_of_its_paper() {
        let key: [u8; 32] = std::array::from_fn(|at| {
            let half = [
                0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83,
                0x08,
            ];
            half[at % 16]
        });
        let nonce = [0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88];
        let aad = [0xfe_u8, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef]
            .repeat(2)
            .into_iter()
            .chain([0xab, 0xad, 0xda, 0xd2]);
        let aad: Vec<u8> = aad.collect();
        let text: [u8; 60] = [
            0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a,
            0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72,
            0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
            0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39,
        ];
        let (cipher, mut bytes) = (Cipher::new(&key), text);
        let tag = cipher.encrypt(&nonce, &aad, &mut bytes).unwrap();
        assert_eq!(hex(&tag), "76fc6ece0f4e1768cddf8853bb2d551b");
        assert!(hex(&bytes).starts_with("522dc1f099567d07f47f37a32a84427d"));
        let sealed = bytes;
        for (aad, tag) in [(&aad[1..], tag), (&aad[..], [0; TAG])] {
            assert!(!cipher.decrypt(&nonce, aad, &mut bytes, &tag));
            assert_eq!(bytes, sealed, "nothing is shown that is not authentic");
        }
        assert!(cipher.decrypt(&nonce, &aad, &mut bytes, &tag));
        assert_eq!(bytes, text);
    }

    /// FIPS 180-4 and RFC 4231, test case 1, whose key of 20 bytes counts as if zeros filled it up.
    #[test]
    fn the_hashes_are_those_of_their_standards() {
        let mut hash = Hash::default();
        hash.update(b"a");
        hash.update(b"bc");
        assert_eq!(hex(&hash.finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = Mac::new(&key);
        let mut message = mac.clone();
        message.update(b"Hi ");
        message.update(b"There");
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&message.finish()), expected);
        assert_ne!(hex(&mac.finish()), expected);
    }

    /// HKDF by its definition in RFC 5869: one block of HMAC over the purpose, under the HMAC of the key.
    #[test]
    fn a_derived_key_is_the_one_of_the_standard() {
        let mut extracted = Mac::new(&[0; 32]);
        extracted.update(&[9; 32]);
        let mut expanded = Mac::new(&extracted.finish());
        expanded.update(b"a purpose");
        expanded.update(&[1]);
        assert_eq!(*derive(&[9; 32], "a purpose"), expanded.finish());
    }
}
