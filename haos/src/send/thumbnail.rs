//! Small forms of pictures, for others to see before they fetch the whole.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use super::picture;

/// The most that a thumbnail has, in pixels.
const WIDTH: u32 = 800;
const HEIGHT: u32 = 600;
/// The most that a picture has of which one is made, in pixels a side and in bytes of memory.
const MOST_SIDE: u32 = 16_384;
const MOST_MEMORY: u64 = 256 << 20;
/// The size in which a blurhash is computed: it has 12 numbers.
const BLURRED: u32 = 32;

/// A thumbnail.
pub(super) struct Thumbnail {
    pub(super) bytes: Vec<u8>,
    pub(super) mime: &'static str,
    pub(super) size: (u32, u32),
}

/// What is made of a picture.
#[derive(Default)]
pub(super) struct Small {
    /// None of a picture that is small itself.
    pub(super) thumbnail: Option<Thumbnail>,
    pub(super) blurhash: Option<String>,
}

/// Makes them of a PNG, JPEG, GIF or WebP; of anything else, and of what is too large or damaged, nothing.
pub(super) fn of(bytes: &[u8]) -> Small {
    made(bytes).unwrap_or_default()
}

fn made(bytes: &[u8]) -> Option<Small> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let orientation = picture::orientation(bytes);
    // The bounds are for what is shown, which may be turned.
    let (width, height) = if orientation >= 5 { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
    let is_small = picture.width() <= width && picture.height() <= height;
    let shown = upright(if is_small { picture } else { picture.thumbnail(width, height) }, orientation);
    let thumbnail = if is_small { None } else { written(&shown) };
    Some(Small {
        blurhash: blurhash(&shown),
        // What is no smaller serves nobody.
        thumbnail: thumbnail.filter(|thumbnail| thumbnail.bytes.len() < bytes.len()),
    })
}

/// Turns a picture as its orientation says (Exif 2.32).
fn upright(picture: DynamicImage, orientation: u8) -> DynamicImage {
    match orientation {
        2 => picture.fliph(),
        3 => picture.rotate180(),
        4 => picture.flipv(),
        5 => picture.rotate90().fliph(),
        6 => picture.rotate90(),
        7 => picture.rotate270().fliph(),
        8 => picture.rotate270(),
        _ => picture,
    }
}

/// Writes a thumbnail: as PNG where it is transparent, else as JPEG.
fn written(picture: &DynamicImage) -> Option<Thumbnail> {
    let is_transparent =
        picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < u8::MAX);
    let mut bytes = Cursor::new(Vec::new());
    let mime = match is_transparent {
        true => {
            picture.to_rgba8().write_to(&mut bytes, ImageFormat::Png).ok()?;
            "image/png"
        }
        false => {
            picture.to_rgb8().write_to(&mut bytes, ImageFormat::Jpeg).ok()?;
            "image/jpeg"
        }
    };
    Some(Thumbnail { bytes: bytes.into_inner(), mime, size: (picture.width(), picture.height()) })
}

fn blurhash(picture: &DynamicImage) -> Option<String> {
    let small = picture.thumbnail(BLURRED, BLURRED).to_rgba8();
    blurhash::encode(4, 3, small.width(), small.height(), small.as_raw()).ok()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::super::picture::tests::turned;
    use super::*;

    fn png(picture: &DynamicImage) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    /// What no format packs well.
    fn noisy(width: u32, height: u32) -> RgbImage {
        let noise = |x: u32, y: u32| x.wrapping_mul(2_654_435_761).wrapping_add(y.wrapping_mul(40_503)) >> 7;
        RgbImage::from_fn(width, height, |x, y| Rgb(noise(x, y).to_le_bytes()[..3].try_into().unwrap()))
    }

    #[test]
    fn a_large_picture_gets_a_smaller_one() {
        let bytes = png(&noisy(1600, 80).into());
        let small = of(&bytes);
        let thumbnail = small.thumbnail.unwrap();
        assert_eq!((thumbnail.size, thumbnail.mime), ((800, 40), "image/jpeg"));
        assert_eq!(picture::size(&thumbnail.bytes), Some((800, 40)));
        assert!(thumbnail.bytes.len() < bytes.len());
        assert!(small.blurhash.unwrap().len() > 20);
    }

    #[test]
    fn a_small_picture_is_its_own_thumbnail() {
        let small = of(&png(&noisy(80, 60).into()));
        assert!(small.thumbnail.is_none() && small.blurhash.is_some());
        let nothing = of(b"no picture");
        assert!(nothing.thumbnail.is_none() && nothing.blurhash.is_none());
    }

    #[test]
    fn what_is_transparent_stays_so() {
        let noisy = noisy(90, 900);
        let clear = RgbaImage::from_fn(90, 900, |x, y| {
            let [r, g, b] = noisy.get_pixel(x, y).0;
            Rgba([r, g, b, if x < 45 { 0 } else { 255 }])
        });
        let thumbnail = of(&png(&clear.into())).thumbnail.unwrap();
        assert_eq!((thumbnail.size, thumbnail.mime), ((60, 600), "image/png"));
    }

    #[test]
    fn a_picture_from_a_turned_camera_stands_upright() {
        let mut jpeg = Cursor::new(Vec::new());
        noisy(1200, 90).write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let jpeg = jpeg.into_inner();
        let turned = [turned(6, true).as_slice(), &jpeg[2..]].concat();
        assert_eq!(picture::size(&turned), Some((90, 1200)));
        assert_eq!(of(&turned).thumbnail.unwrap().size, (45, 600));
        assert_eq!(of(&jpeg).thumbnail.unwrap().size, (800, 60));
    }
}
