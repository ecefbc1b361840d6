use haos_store_api::{ByteRange, MediaKey, MediaUri, Result, RoomId};

use crate::Variant;

/// How the uris of bytes begin that wait for their upload: see [`haos_queue::local_media_uri`].
const LOCAL: &str = "haos-local:";

/// Which bytes of which media item.
///
/// ```
/// use haos_matrix::{MediaRequest, Variant};
/// use haos_store_api::{ByteRange, MediaUri};
///
/// # fn main() -> haos_store_api::Result<()> {
/// let avatar = Variant::Thumbnail { width: 96, height: 96, crop: true };
/// let request = MediaRequest { variant: avatar, ..MediaRequest::new(MediaUri::new("mxc://x/ada")?) };
/// assert_eq!(request.key()?.format.as_str(), "thumb-96x96-crop");
/// assert_eq!(request.range, ByteRange::ALL);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaRequest {
    /// The uri, as an event has it: `mxc://server/id`, or `haos-local:…` of what is not sent yet.
    pub uri: MediaUri,
    /// The original, or a thumbnail of it.
    pub variant: Variant,
    /// The bytes that are wanted; those past the end are left out.
    pub range: ByteRange,
    /// The room that refers to it, noted with the item when it is downloaded (see
    /// [`MediaCache::remove_room`](crate::MediaCache::remove_room)). What is stored keeps the rooms it has.
    pub room: Option<RoomId>,
    /// If the thumbnail cannot be had, the original will do, provided that it is in the store.
    pub fallback_to_original: bool,
}

impl MediaRequest {
    /// All bytes of the original.
    pub fn new(uri: MediaUri) -> Self {
        let (variant, range) = (Variant::Original, ByteRange::ALL);
        Self { uri, variant, range, room: None, fallback_to_original: false }
    }

    /// The key in the store.
    ///
    /// # Errors
    /// Those of [`Variant::format`].
    pub fn key(&self) -> Result<MediaKey> {
        Ok(MediaKey { uri: self.uri.clone(), format: self.variant.format()? })
    }
}

/// Tells if no server has it, since it waits in the outbox.
pub(super) fn is_local(uri: &MediaUri) -> bool {
    uri.as_str().starts_with(LOCAL)
}

/// Tells if a server can be asked for it: `mxc://server/id`.
pub(super) fn is_remote(uri: &MediaUri) -> bool {
    let parts = uri.as_str().strip_prefix("mxc://").and_then(|rest| rest.split_once('/'));
    parts.is_some_and(|(server, id)| {
        let is_name = |c: char| !c.is_control() && !c.is_whitespace() && !"/?#\\".contains(c);
        !server.is_empty() && !matches!(id, "" | "." | "..") && server.chars().chain(id.chars()).all(is_name)
    })
}

#[cfg(test)]
mod tests {
    use haos_store_api::TxnId;

    use super::*;

    #[test]
    fn uris_are_told_apart() {
        let local = haos_queue::local_media_uri(&TxnId::new("t").unwrap()).unwrap();
        assert!(is_local(&local) && !is_remote(&local));
        let is_remote = |text: &str| is_remote(&MediaUri::new(text).unwrap());
        assert!(is_remote("mxc://example.org/a_B-9"));
        assert!(is_remote("mxc://[::1]:8448/x"));
        let odd = [
            "mxc://example.org",
            "mxc://example.org/",
            "mxc:///x",
            "mxc://x/..",
            "mxc://x/a/b",
            "mxc://x/a?b",
            "mxc://x/a b",
            "https://example.org/x",
            "mxc:x/y",
        ];
        for text in odd {
            assert!(!is_remote(text), "{text}");
        }
    }
}
