//! Files: pictures, videos, sounds and all others.

use haos_store_api::MediaUri;
use serde::Serialize;

use super::read::Object;

/// A file, as a message describes it. What it says of the file is the sender's word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "FileContent"))]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// The location of its bytes: `mxc://…`, or `haos-local:…` until they are uploaded.
    pub uri: Option<MediaUri>,
    /// True if its bytes are encrypted for the room. Whoever has the event reads them as any others, by their location.
    pub is_encrypted: bool,
    /// Its name.
    pub name: Option<String>,
    /// The text that was sent along.
    pub caption: Option<String>,
    /// The text that was sent along, as HTML that nobody has made safe: show
    /// [`Content::html`](super::Content::html) instead.
    pub formatted: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Its size, in bytes.
    pub size: Option<u64>,
    /// Its width, in pixels.
    pub width: Option<u64>,
    /// Its height, in pixels.
    pub height: Option<u64>,
    /// Its duration, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Its colours as a BlurHash, to show until its bytes are there.
    pub blurhash: Option<String>,
    /// A smaller picture of it.
    pub thumbnail: Option<Thumbnail>,
}

/// A smaller picture of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Thumbnail {
    /// The location of its bytes.
    pub uri: MediaUri,
    /// True if its bytes are encrypted for the room.
    pub is_encrypted: bool,
    /// Its media type.
    pub mime: Option<String>,
    /// Its size, in bytes.
    pub size: Option<u64>,
    /// Its width, in pixels.
    pub width: Option<u64>,
    /// Its height, in pixels.
    pub height: Option<u64>,
}

impl File {
    /// Reads a file from its content. `body` is its text without quotes; it is a caption only beside a file name that
    /// it differs from (specification, client-server API, "Media captions").
    pub(super) fn of(content: &Object<'_>, body: Option<String>, formatted: Option<String>) -> Self {
        let (uri, is_encrypted) = location(content, "url", "file").unzip();
        let info = content.object("info");
        let filename = content.name("filename");
        let caption = body.clone().filter(|body| filename.as_ref().is_some_and(|name| name != body));
        Self {
            uri,
            is_encrypted: is_encrypted.unwrap_or_default(),
            formatted: formatted.filter(|_| caption.is_some()),
            name: filename.or(body).map(super::read::short),
            caption,
            mime: info.name("mimetype"),
            size: info.number("size"),
            width: info.number("w"),
            height: info.number("h"),
            duration_ms: info.number("duration"),
            blurhash: info.any_name(&["blurhash", "xyz.amorgan.blurhash"]),
            thumbnail: Thumbnail::of(&info),
        }
    }

    /// Returns its caption, else its name.
    pub(super) fn label(&self) -> Option<&str> {
        self.caption.as_deref().or(self.name.as_deref())
    }
}

impl Thumbnail {
    fn of(info: &Object<'_>) -> Option<Self> {
        let (uri, is_encrypted) = location(info, "thumbnail_url", "thumbnail_file")?;
        let info = info.object("thumbnail_info");
        Some(Self {
            uri,
            is_encrypted,
            mime: info.name("mimetype"),
            size: info.number("size"),
            width: info.number("w"),
            height: info.number("h"),
        })
    }
}

/// Returns where bytes are, and whether they are encrypted. The encrypted ones count where both are named.
fn location(of: &Object<'_>, plain: &str, encrypted: &str) -> Option<(MediaUri, bool)> {
    let encrypted = media_uri(&of.object(encrypted), "url").map(|uri| (uri, true));
    encrypted.or_else(|| Some((media_uri(of, plain)?, false)))
}

/// Returns the uri of media. Any other one is not for a client to fetch, and counts as absent.
pub(super) fn media_uri(of: &Object<'_>, name: &str) -> Option<MediaUri> {
    let is_media = |uri: &MediaUri| {
        let uri = uri.as_str();
        uri.starts_with("mxc://") || uri.starts_with(haos_queue::STAGED)
    };
    of.parse(name).filter(is_media)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = r#"{"msgtype":"m.image","url":"mxc://example.org/abc123","filename":"dog.jpg",
        "info":{"w":479,"h":640.0,"mimetype":"image/jpeg","size":27253,"xyz.amorgan.blurhash":"L6Pj",
            "thumbnail_url":"mxc://example.org/small","thumbnail_info":{"w":48,"h":64,"mimetype":"image/png","size":99}}}"#;

    fn file(content: &str, body: Option<&str>) -> File {
        let html = Some("<b>caption</b>".to_owned());
        File::of(&Object::of(content), body.map(str::to_owned), html)
    }

    #[test]
    fn a_picture_with_all_that_is_known_of_it() {
        let image = file(IMAGE, Some("dog.jpg"));
        let uri = |uri: &str| MediaUri::new(uri).unwrap();
        let expected = File {
            uri: Some(uri("mxc://example.org/abc123")),
            name: Some("dog.jpg".to_owned()),
            mime: Some("image/jpeg".to_owned()),
            size: Some(27253),
            width: Some(479),
            height: Some(640),
            blurhash: Some("L6Pj".to_owned()),
            thumbnail: Some(Thumbnail {
                uri: uri("mxc://example.org/small"),
                is_encrypted: false,
                mime: Some("image/png".to_owned()),
                size: Some(99),
                width: Some(48),
                height: Some(64),
            }),
            ..File::default()
        };
        assert_eq!(image, expected);
    }

    #[test]
    fn a_body_is_a_caption_beside_another_file_name() {
        for (filename, body, name, caption) in [
            (Some("a.png"), Some("look"), Some("a.png"), Some("look")),
            (Some("a.png"), Some("a.png"), Some("a.png"), None),
            (Some("a.png"), None, Some("a.png"), None),
            (None, Some("a.png"), Some("a.png"), None),
            (Some(" "), Some("a.png"), Some("a.png"), None),
            (None, None, None, None),
        ] {
            let content = serde_json::json!({ "filename": filename }).to_string();
            let file = file(&content, body);
            assert_eq!((file.name.as_deref(), file.caption.as_deref()), (name, caption));
            assert_eq!(file.formatted.is_some(), caption.is_some(), "only captions are formatted");
        }
    }

    #[test]
    fn where_the_bytes_are() {
        for (content, uri, is_encrypted) in [
            (r#"{"url":"mxc://x/a"}"#, Some("mxc://x/a"), false),
            (r#"{"url":"haos-local:t1"}"#, Some("haos-local:t1"), false),
            (r#"{"file":{"url":"mxc://x/a"}}"#, Some("mxc://x/a"), true),
            (r#"{"url":"mxc://x/b","file":{"url":"mxc://x/a"}}"#, Some("mxc://x/a"), true),
            (r#"{"url":"mxc://x/b","file":{"url":3}}"#, Some("mxc://x/b"), false),
            (r#"{"url":"https://track.example.org/pixel.png"}"#, None, false),
            (r#"{"url":7,"file":[]}"#, None, false),
        ] {
            let file = file(content, None);
            assert_eq!(file.uri.as_ref().map(MediaUri::as_str), uri, "{content}");
            assert_eq!(file.is_encrypted, is_encrypted, "{content}");
        }
    }

    #[test]
    fn malformed_facts_are_absent() {
        let info = r#"{"info":{"w":"479","h":-1,"size":1e99,"duration":null,"mimetype":7,"blurhash":"",
            "thumbnail_info":{"w":1},"thumbnail_url":"http://x"}}"#;
        assert_eq!(file(info, None), File::default());
        assert_eq!(file(r#"{"info":7}"#, None), File::default());
    }
}
