use haos_queue::{Answer, Refusal};
use haos_store_api::MediaUri;

/// The parts of an `mxc://` uri (specification, client-server API, "Content repository"). The server is
/// held to the grammar of server names, the id to visible characters of one segment: servers in the wild
/// use more than the specification's letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mxc<'a> {
    pub(super) server: &'a str,
    pub(super) id: &'a str,
}

impl<'a> Mxc<'a> {
    pub(super) fn parse(uri: &'a str) -> Option<Self> {
        let (server, id) = uri.strip_prefix("mxc://")?.split_once('/')?;
        let of_server = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let of_id = |byte: u8| byte.is_ascii_graphic() && !b"/?#\\%".contains(&byte);
        let is_step = |part: &str| matches!(part, "" | "." | "..");
        let is_good = server.bytes().all(of_server) && id.bytes().all(of_id);
        (is_good && !is_step(server) && !is_step(id)).then_some(Self { server, id })
    }

    /// # Errors
    /// A refusal as the server would give it: such a uri is never asked for.
    pub(super) fn of(uri: &'a MediaUri) -> Result<Self, Answer> {
        Self::parse(uri.as_str()).ok_or_else(|| Answer::Refused(Refusal::new(400, "M_INVALID_PARAM")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_segments_and_nothing_else() {
        let good = ["mxc://localhost/QjXA-_9", "mxc://[::1]:8448/a", "mxc://h:1/a.b=", "mxc://1.2.3.4/~"];
        for uri in good {
            assert!(Mxc::parse(uri).is_some(), "{uri}");
        }
        let bad = [
            "",
            "mxc://",
            "mxc://h",
            "mxc://h/",
            "mxc:///a",
            "http://h/a",
            "mxc://h/a/b",
            "mxc://h/..",
            "mxc://../a",
            "mxc://h/a?b",
            "mxc://h/a#b",
            "mxc://h/a b",
            "mxc://h/a\\b",
            "mxc://h/%2e%2e",
            "mxc://u@h/a",
            "mxc://é/a",
            "mxc://h/é",
            "MXC://h/a",
            "haos://h/a",
        ];
        for uri in bad {
            assert_eq!(Mxc::parse(uri), None, "{uri}");
        }
    }
}
