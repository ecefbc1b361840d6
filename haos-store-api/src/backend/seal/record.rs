//! The stored form of a keyring: `version | crc32 | binary form of (generation, slots, body)`.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::slot::Slots;
use super::{Key32, derive, unwrap, wrap};
use crate::backend::Crc32;
use crate::backend::codec::binary::{self, Binary as _, binary_struct};
use crate::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
/// Longer than eight slots and the data keys of a rotation.
const LONGEST: usize = 1 << 16;

/// The stored form of a keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Grows with every change, so that of two records the later one is known.
    pub(super) generation: u64,
    pub(super) slots: Slots,
    /// The keys, under the master key; empty once shredded.
    body: Vec<u8>,
}

binary_struct!(Record { generation, slots, body });

/// The keys themselves. They are wiped with their owner.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct Body {
    pub(super) index: [u8; 32],
    /// Data keys by number; the last one seals.
    pub(super) keys: Vec<(u16, [u8; 32])>,
}

binary_struct!(Body { index, keys });

impl Record {
    pub(super) fn new(generation: u64, slots: Slots, body: &Body, master: &Key32) -> Result<Self> {
        // It never grows, which would leave a copy behind.
        let mut plain = Zeroizing::new(Vec::with_capacity(64 + 64 * body.keys.len()));
        body.write(&mut plain);
        let body = wrap(&body_key(master), &aad(generation), &plain)?;
        Ok(Self { generation, slots, body })
    }

    /// Makes a record that opens for nobody.
    pub(super) fn shredded(generation: u64) -> Self {
        Self { generation, slots: Slots::default(), body: Vec::new() }
    }

    pub(super) fn body(&self, master: &Key32) -> Result<Body> {
        let plain = unwrap(&body_key(master), &aad(self.generation), &self.body);
        let plain = plain.ok_or_else(|| damaged("its keys are not authentic"))?;
        let body: Body = binary::read(&plain).map_err(|_| damaged("its keys cannot be read"))?;
        if body.keys.is_empty() {
            return Err(damaged("it holds no key"));
        }
        Ok(body)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.write(&mut fields);
        let mut bytes = vec![VERSION];
        bytes.extend(Crc32::of(&fields).to_le_bytes());
        bytes.extend(fields);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes {
            [VERSION, a, b, c, d, fields @ ..] => {
                if u32::from_le_bytes([*a, *b, *c, *d]) != Crc32::of(fields) {
                    return Err(damaged("its checksum does not match"));
                }
                if fields.len() > LONGEST {
                    return Err(damaged("it is too long"));
                }
                binary::read(fields).map_err(|fault| damaged(&fault.to_string()))
            }
            [version, ..] if *version > VERSION => Err(Error::new(
                ErrorKind::NewerSchema,
                "unlock",
                format!("the keyring has format {version}, newer than {VERSION}: update the application"),
            )),
            _ => Err(damaged("it is cut short")),
        }
    }
}

fn body_key(master: &Key32) -> Key32 {
    derive(master, "haos keyring body")
}

fn aad(generation: u64) -> Vec<u8> {
    [b"haos keyring ", generation.to_be_bytes().as_slice()].concat()
}

fn damaged(why: &str) -> Error {
    Error::corrupt("unlock", format!("the keyring is damaged: {why}; restore the store from a backup"))
}
