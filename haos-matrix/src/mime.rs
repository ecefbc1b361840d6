//! Media types, by the first bytes of a file and by the ending of its name.

const TYPES: [(&str, &str); 28] = [
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("zip", "application/zip"),
];

/// Names the type of a file: what its first bytes say counts for more than its name. Files whose bytes are not known yet
/// have none.
pub fn of(name: &str, head: &[u8]) -> Option<&'static str> {
    of_bytes(head).or_else(|| of_name(name))
}

/// Returns the type that a name's ending stands for, if it is a common one.
fn of_name(name: &str) -> Option<&'static str> {
    let (stem, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let known = TYPES.iter().find(|(known, _)| *known == ending).map(|(_, mime)| *mime);
    known.filter(|_| !stem.is_empty())
}

/// Returns the ending that names of this type have, if it is a common one.
pub fn ending(mime: &str) -> Option<&'static str> {
    TYPES.iter().find(|(_, known)| *known == mime).map(|(ending, _)| *ending)
}

/// Returns the type that the first bytes of a file stand for. Archives are left to the name: many formats are a zip.
fn of_bytes(head: &[u8]) -> Option<&'static str> {
    let is = |at: usize, what: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(what));
    Some(match () {
        () if is(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if is(0, b"\xff\xd8\xff") => "image/jpeg",
        () if is(0, b"GIF87a") || is(0, b"GIF89a") => "image/gif",
        () if is(0, b"RIFF") && is(8, b"WEBP") => "image/webp",
        () if is(0, b"RIFF") && is(8, b"WAVE") => "audio/wav",
        () if is(0, b"%PDF-") => "application/pdf",
        () if is(0, b"OggS") => "audio/ogg",
        () if is(0, b"fLaC") => "audio/flac",
        () if is(0, b"ID3") => "audio/mpeg",
        () if is(4, b"ftyp") => match head.get(8..12)? {
            b"avif" | b"avis" => "image/avif",
            b"heic" | b"heix" | b"mif1" => "image/heic",
            b"M4A " | b"M4B " => "audio/mp4",
            b"qt  " => "video/quicktime",
            _ => "video/mp4",
        },
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        assert_eq!(of("b.JPG", b""), Some("image/jpeg"));
        assert_eq!(of("a.tar.zip", b"PK\x03\x04"), Some("application/zip"));
        for name in ["png", ".png", "a.unheard"] {
            assert_eq!(of(name, b"text"), None, "{name}");
        }
        assert_eq!((ending("image/jpeg"), ending("x/y")), (Some("jpg"), None));
    }

    #[test]
    fn bytes_count_for_more_than_names() {
        assert_eq!(of("a.txt", b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(of("a", b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(of("a.mov", b"\0\0\0\x18ftypqt  "), Some("video/quicktime"));
        assert_eq!(of("a", b"\0\0\0\x18ftypisom"), Some("video/mp4"));
        assert_eq!(of("a.pdf", b"\0\0\0\x18ftyp"), Some("application/pdf"), "cut off");
        assert_eq!(of("a.bin", b"OggS"), Some("audio/ogg"));
    }
}
