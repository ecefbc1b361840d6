//! What formatted text may lead to (specification, client-server API, "m.room.message msgtypes").

/// The schemes of links.
pub(super) const SCHEMES: [&str; 5] = ["https", "http", "ftp", "mailto", "magnet"];

/// Tells if a link may be followed.
pub(super) fn is_safe(url: &str) -> bool {
    let scheme = url.trim().split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| SCHEMES.iter().any(|safe| scheme.eq_ignore_ascii_case(safe)))
}

/// Tells if a picture is one that a homeserver keeps: any other would tell its server who reads.
pub(super) fn is_media(url: &str) -> bool {
    url.starts_with("mxc://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_links_may_be_followed() {
        for url in ["https://x", "HTTP://x", " mailto:a@b", "magnet:?xt=1", "ftp://x"] {
            assert!(is_safe(url), "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "java\tscript:x",
            "data:text/html,x",
            "/x",
            "x",
            "",
            "//x",
            "mxc://x/y",
            "vbscript:x",
        ] {
            assert!(!is_safe(url), "{url}");
        }
        assert!(is_media("mxc://x/y") && !is_media("https://x/y"));
    }
}
