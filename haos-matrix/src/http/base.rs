use thiserror::Error;
use url::{Host, Url};

use super::path::Path;

/// The reason why there can be no [`Homeserver`](crate::Homeserver). No request was made yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The base url is invalid.
    #[error("`{url}` is no homeserver's base url: {reason}; write it like https://matrix.example.org")]
    Url {
        /// The given url, without what could be a password.
        url: String,
        /// The fault in it.
        reason: &'static str,
    },
    /// TLS has nothing to trust.
    #[error("TLS cannot be set up: {reason}; install the system's certificates (ca-certificates)")]
    Tls {
        /// The system's words.
        reason: String,
    },
}

/// Tells if requests to this base url cross a network as they are, for others to read: neither over TLS nor to
/// this machine. The host decides, as it is parsed: `localhost` and what is below it (RFC 6761, section 6.3),
/// `127.0.0.0/8`, `::1`. To what is no base url nothing goes.
pub fn is_cleartext_url(url: &str) -> bool {
    Base::parse(url).is_ok_and(|base| !base.is_private())
}

/// A homeserver's base url: scheme, host, and a path that every request's goes behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Base(Url);

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self, ConnectError> {
        let fault = |reason| {
            // Whatever stands before an `@` may be a password.
            let shown = text.rsplit('@').next().unwrap_or_default();
            Err(ConnectError::Url { url: shown.chars().take(200).collect(), reason })
        };
        let Ok(mut url) = Url::parse(text.trim()) else {
            // The specification's server names are ASCII; tables for the rest would be a fifth of a browser's first load.
            return fault(if text.is_ascii() {
                "it cannot be read"
            } else {
                "it has letters beyond ASCII, which a host is spelled without (xn--…)"
            });
        };
        if !matches!(url.scheme(), "https" | "http") {
            return fault("it is neither https nor http");
        }
        if url.host_str().is_none_or(str::is_empty) {
            return fault("it names no host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return fault("it carries a user or a password");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fault("it carries a query or a fragment");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// See [`is_cleartext_url`].
    pub(super) fn is_private(&self) -> bool {
        self.is_https()
            || match self.0.host() {
                Some(Host::Domain(name)) => {
                    let name = name.strip_suffix('.').unwrap_or(name);
                    name == "localhost" || name.ends_with(".localhost")
                }
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.to_canonical().is_loopback(),
                None => false,
            }
    }

    /// As it is shown and stored: without a slash at its end.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The url of a request; none where a url cannot say it (a segment that is `.` or `..`).
    pub(super) fn join(&self, path: &Path) -> Option<Url> {
        let path_text = format!("{}{}", self.0.path().trim_end_matches('/'), path.segments()?);
        let mut url = self.0.clone();
        url.set_path(&path_text);
        if url.path() != path_text {
            return None;
        }
        if !path.pairs().is_empty() {
            url.query_pairs_mut().extend_pairs(path.pairs());
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_base_url_says_why_without_a_password() {
        for text in ["", "example.org", "ftp://example.org", "https://", "https://h/?q", "https://h/#f"] {
            assert!(Base::parse(text).is_err(), "{text}");
        }
        let error = Base::parse("https://münchen.example").unwrap_err().to_string();
        assert!(error.contains("xn--"), "{error}");
        assert!(Base::parse("https://xn--mnchen-3ya.example").is_ok());
        let error = Base::parse("https://ada:geheim@example.org").unwrap_err().to_string();
        assert!(error.contains("password") && !error.contains("geheim"), "{error}");
    }

    #[test]
    fn the_host_says_whether_others_can_read() {
        for url in [
            "https://x.org",
            "http://localhost:8008",
            "HTTP://LOCALHOST.:80/x",
            "http://hs.localhost",
            "http://127.0.0.1:1/x",
            "http://127.9.9.9",
            "http://0x7f.1",
            "http://[::1]:80",
            "http://[::ffff:127.0.0.1]",
            "http://localhost@evil.example",
            "ftp://evil.example",
            "http://[::1].evil.example",
        ] {
            assert!(!is_cleartext_url(url), "{url}");
        }
        for url in [
            "http://localhost.evil.example",
            "HTTP://x.org",
            " http://x.org",
            "http://127.evil.example",
            "http://127.0.0.1.evil.example",
            "http://evil.example/localhost",
            "http://notlocalhost",
            "http://10.0.0.1:8008",
            "http://[::2]",
            "http:/evil.example",
        ] {
            assert!(is_cleartext_url(url), "{url}");
        }
    }

    #[test]
    fn a_base_keeps_its_path_and_loses_its_slash() {
        for (text, expected) in [
            ("https://example.org", "https://example.org"),
            (" https://example.org/ ", "https://example.org"),
            ("http://localhost:8008/matrix//", "http://localhost:8008/matrix"),
        ] {
            assert_eq!(Base::parse(text).unwrap().as_str(), expected);
        }
        let base = Base::parse("https://example.org/hs/").unwrap();
        let path = Path::new("/_matrix/client/v3/rooms").id("!a/b:c d").query("from", "s&1 ü");
        let url = base.join(&path).unwrap();
        let expected = "https://example.org/hs/_matrix/client/v3/rooms/%21a%2Fb%3Ac%20d?from=s%261+%C3%BC";
        assert_eq!(url.as_str(), expected);
    }

    #[test]
    fn no_id_walks_out_of_its_segment() {
        let base = Base::parse("https://example.org").unwrap();
        for id in [".", "..", "", "%2e", "%2E%2e", "a/../b", "a\\b", "?", "#", "é\u{202e}", "\t", "~"] {
            let joined = base.join(&Path::new("/x").id(id).part("/end"));
            if matches!(id, "." | "..") {
                assert_eq!(joined, None);
                continue;
            }
            let url = joined.unwrap();
            assert!(url.path().starts_with("/x/") && url.path().ends_with("/end"), "{url}");
            assert_eq!(url.path().matches('/').count(), 3, "{url}");
            assert_eq!((url.query(), url.fragment()), (None, None));
        }
    }
}
