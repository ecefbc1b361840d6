//! Numbers in pages.

/// Reads two bytes.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let (part, _) = bytes.get(at..)?.split_first_chunk()?;
    Some(usize::from(u16::from_be_bytes(*part)))
}

/// Reads four bytes.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let (part, _) = bytes.get(at..)?.split_first_chunk()?;
    Some(u32::from_be_bytes(*part))
}

/// Reads a number of one to nine bytes; returns the rest too.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (nth, byte) in bytes.iter().enumerate().take(9) {
        if nth == 8 {
            return Some((value << 8 | u64::from(*byte), &bytes[9..]));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[nth + 1..]));
        }
    }
    None
}

/// A set of page numbers: a bit for each page of the file.
#[derive(Debug)]
pub(crate) struct Pages(Vec<u64>);

impl Pages {
    /// Makes an empty set for the pages of a file.
    pub(super) fn up_to(count: u32) -> Self {
        Self(vec![0; count as usize / 64 + 1])
    }

    /// Adds a page; `false`: it is in already, or beyond the file.
    pub(super) fn add(&mut self, page: u32) -> bool {
        let Some(word) = self.0.get_mut(page as usize / 64) else { return false };
        let bit = 1 << (page % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Tells whether a page is in the set.
    pub(super) fn has(&self, page: u32) -> bool {
        self.0.get(page as usize / 64).is_some_and(|word| word & 1 << (page % 64) != 0)
    }
}
