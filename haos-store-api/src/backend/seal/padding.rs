//! Padding: hides the length of a sealed row.

use crate::Padding;

/// The end of a padded body, before the zeros.
const MARK: u8 = 0x80;
/// The padded length of all shorter bodies.
const LEAST: usize = 256;
/// Longer bodies are padded as by [`Padding::Padme`]: a power of two would waste up to half of them.
const LARGEST: usize = 64 << 10;

impl Padding {
    /// Returns the padded length of a body of `len` bytes.
    fn target(self, len: usize) -> usize {
        match self {
            Self::None => len,
            Self::Buckets if len <= LARGEST => len.next_power_of_two().max(LEAST),
            Self::Padme | Self::Buckets => padme(len),
        }
    }

    /// Appends the mark and the zeros to the bytes after `from`.
    pub(crate) fn pad(self, bytes: &mut Vec<u8>, from: usize) {
        let target = self.target(bytes.len() - from);
        bytes.push(MARK);
        bytes.resize(from + target + 1, 0);
    }
}

/// Takes the padding off a body; `None` if it is not padded.
pub(crate) fn unpad(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    if bytes[end] != MARK {
        return None;
    }
    bytes.truncate(end);
    Some(bytes)
}

/// Returns the padded length by Padmé of "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs"
/// (2019): the remaining lengths tell `O(log log len)` bits, and no body grows by more than an eighth.
fn padme(len: usize) -> usize {
    let Some(exponent) = len.checked_ilog2().filter(|exponent| *exponent > 0) else { return len };
    let kept = exponent.ilog2() + 1;
    let mask = (1_usize << (exponent - kept.min(exponent))) - 1;
    len.checked_add(mask).map_or(len, |len| len & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        // From the paper's definition, by hand.
        for (len, padded) in [(0, 0), (1, 1), (2, 2), (3, 3), (9, 10), (100, 104), (257, 272), (1000, 1024)] {
            assert_eq!(padme(len), padded, "{len}");
        }
        for (len, padded) in
            [(0, 256), (256, 256), (257, 512), (5000, 8192), (64 << 10, 64 << 10), (100_000, 100_352)]
        {
            assert_eq!(Padding::Buckets.target(len), padded, "{len}");
        }
        assert_eq!(padme(usize::MAX), usize::MAX, "no overflow");
        for len in 16..100_000 {
            assert!((len..=len + len / 8).contains(&padme(len)), "{len}");
        }
    }

    #[test]
    fn what_was_padded_comes_back() {
        for padding in [Padding::None, Padding::Padme, Padding::Buckets] {
            for body in [&b""[..], b"\0", b"\x80", b"\x80\0\0", b"a body", &[7; 300]] {
                let mut bytes = [b"head", body].concat();
                padding.pad(&mut bytes, 4);
                assert_eq!(bytes.len(), 4 + padding.target(body.len()) + 1);
                assert_eq!(unpad(bytes.split_off(4)).unwrap(), body);
            }
        }
        assert_eq!((unpad(vec![]), unpad(vec![0; 9]), unpad(vec![0x80, 1, 0])), (None, None, None));
    }
}
