use haos_store_api::{MediaFormat, Result};

use crate::Variant;

impl Variant {
    /// The format that a store keeps it under: empty for the original, `thumb-96x96-crop` or
    /// `thumb-800x600-scale` for a thumbnail. Part of what is on disk: it does not change.
    ///
    /// # Errors
    /// None in practice: every such text is short enough.
    pub fn format(self) -> Result<MediaFormat> {
        match self {
            Self::Original => MediaFormat::new(""),
            Self::Thumbnail { width, height, crop } => {
                let method = if crop { "crop" } else { "scale" };
                MediaFormat::new(format!("thumb-{width}x{height}-{method}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_stay_as_they_are() {
        let thumbnail = |width, height, crop| Variant::Thumbnail { width, height, crop }.format().unwrap();
        assert_eq!(Variant::Original.format().unwrap().as_str(), "");
        assert_eq!(thumbnail(96, 96, true).as_str(), "thumb-96x96-crop");
        assert_eq!(thumbnail(800, 600, false).as_str(), "thumb-800x600-scale");
        assert_eq!(thumbnail(u32::MAX, 0, false).as_str(), "thumb-4294967295x0-scale");
    }
}
