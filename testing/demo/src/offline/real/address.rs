//! The address of a homeserver without TLS.

use std::net::IpAddr;

/// An `http://` url, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Of every request, at its beginning; without a slash at its end.
    pub(super) path: String,
    /// As requests name it.
    pub(super) authority: String,
}

impl Address {
    /// None where the url is no `http://` one.
    pub(super) fn of(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let at = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(at);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, 80),
        };
        Some(Self {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            path: path.trim_end_matches('/').to_owned(),
            authority: authority.to_owned(),
        })
    }

    /// Tells if it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let parts = |url: &str| {
            let address = Address::of(url).unwrap();
            (address.host.clone(), address.port, address.path.clone(), address.is_loopback())
        };
        assert_eq!(parts("http://localhost:8008"), ("localhost".to_owned(), 8008, String::new(), true));
        assert_eq!(parts("http://[::1]:80/hs/"), ("::1".to_owned(), 80, "/hs".to_owned(), true));
        assert_eq!(parts("http://[::1]"), ("::1".to_owned(), 80, String::new(), true));
        assert_eq!(parts("http://127.0.0.2/a"), ("127.0.0.2".to_owned(), 80, "/a".to_owned(), true));
        assert!(!parts("http://127.example.org").3 && !parts("http://10.0.0.1:8008").3);
        assert_eq!(Address::of("https://localhost"), None);
    }
}
