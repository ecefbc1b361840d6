//! The size of a picture, from the beginning of its file.

/// Returns width and height as the picture is shown, in pixels, of PNG, JPEG, GIF and WebP. A JPEG that was taken with a
/// turned camera is turned.
pub(super) fn size(head: &[u8]) -> Option<(u32, u32)> {
    let found = imagesize::blob_size(head).ok()?;
    let (width, height) = (u32::try_from(found.width).ok()?, u32::try_from(found.height).ok()?);
    // Five to eight lie on a side (Exif 2.32, "Orientation").
    Some(if orientation(head) >= 5 { (height, width) } else { (width, height) })
}

/// Returns how a JPEG is turned and mirrored, from 1 (as it is) to 8.
pub(super) fn orientation(jpeg: &[u8]) -> u8 {
    exif(jpeg).and_then(tag).filter(|found| (1..=8).contains(found)).unwrap_or(1)
}

/// Returns the TIFF data of a JPEG's Exif segment.
fn exif(jpeg: &[u8]) -> Option<&[u8]> {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length)?;
        match marker {
            0xe1 if segment.starts_with(b"Exif\0\0") => return segment.get(6..),
            // What follows is the picture.
            0xda => return None,
            _ => rest = rest.get(2 + length..)?,
        }
    }
}

/// Returns the orientation that the first directory of TIFF data names.
fn tag(tiff: &[u8]) -> Option<u8> {
    const ORIENTATION: u16 = 0x0112;
    let is_little = tiff.starts_with(b"II*\0");
    if !is_little && !tiff.starts_with(b"MM\0*") {
        return None;
    }
    let number = |at: usize, bytes: usize| {
        let found = tiff.get(at..at.checked_add(bytes)?)?.iter();
        let join = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if is_little { found.rev().fold(0, join) } else { found.fold(0, join) })
    };
    let directory = usize::try_from(number(4, 4)?).ok()?;
    let entries = usize::try_from(number(directory, 2)?).ok()?;
    for entry in 0..entries {
        let at = directory.checked_add(2 + 12 * entry)?;
        if number(at, 2)? == u32::from(ORIENTATION) {
            return u8::try_from(number(at + 8, 2)?).ok();
        }
    }
    None
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A JPEG's beginning with an Exif segment of either byte order.
    pub(in crate::send) fn turned(orientation: u8, is_little: bool) -> Vec<u8> {
        let two = |n: u16| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
        let four = |n: u32| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
        let mut tiff = if is_little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        tiff.extend(four(8));
        tiff.extend(two(2));
        for (tag, value) in [(0x0100_u16, 7_u16), (0x0112, orientation.into())] {
            tiff.extend(two(tag));
            tiff.extend(two(3));
            tiff.extend(four(1));
            tiff.extend(two(value));
            tiff.extend([0, 0]);
        }
        let mut jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xe1];
        jpeg.extend(u16::try_from(8 + tiff.len()).unwrap().to_be_bytes());
        jpeg.extend(b"Exif\0\0");
        jpeg.extend(tiff);
        jpeg
    }

    /// The frame header of a picture of 400x300.
    fn framed(mut jpeg: Vec<u8>) -> Vec<u8> {
        jpeg.extend([0xff, 0xc0, 0, 17, 8, 1, 44, 1, 144, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        jpeg
    }

    #[test]
    fn a_picture_has_the_size_in_which_it_is_shown() {
        for is_little in [true, false] {
            assert_eq!(size(&framed(turned(1, is_little))), Some((400, 300)));
            assert_eq!(size(&framed(turned(6, is_little))), Some((300, 400)), "on its side");
            assert_eq!(size(&framed(turned(9, is_little))), Some((400, 300)), "no orientation");
        }
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x05\0\0\0\x07\x08\x06\0\0\0";
        assert_eq!(size(png), Some((5, 7)));
        assert_eq!(size(b"GIF89a\x03\0\x02\0\0\0\0"), Some((3, 2)));
        assert_eq!(size(b"plain text, which is no picture"), None);
    }

    #[test]
    fn what_is_cut_off_says_nothing() {
        let whole = framed(turned(6, true));
        for length in 0..whole.len() {
            let (turn, size) = (orientation(&whole[..length]), size(&whole[..length]));
            assert!(turn == 1 || turn == 6, "{length}");
            assert!(size.is_none() || size == Some((300, 400)), "{length}: {size:?}");
        }
        let mut endless = turned(6, true);
        let directory = endless.len() - 2 * 12 - 2;
        endless[directory..directory + 2].copy_from_slice(&[0xff, 0xff]);
        assert_eq!(orientation(&endless), 6);
    }
}
