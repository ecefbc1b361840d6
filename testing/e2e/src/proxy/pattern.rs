/// A path in which `*` stands for any run of characters, slashes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Tells if it fits the whole of `path`, which is as on the wire: percent-encoded.
    pub(super) fn fits(&self, path: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return path == self.0 };
        let Some(mut path) = path.strip_prefix(start) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let end = parts.pop().unwrap_or_default();
        for part in parts {
            match path.find(part) {
                Some(at) => path = &path[at + part.len()..],
                None => return false,
            }
        }
        path.ends_with(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        let path = "/_matrix/client/v3/rooms/%21a/send/m.room.message/t1";
        let fitting =
            ["*", path, "/_matrix/*", "*/t1", "*/send/*", "/_matrix/*/rooms/*/send/m.room.message/*", "**t1"];
        for pattern in fitting {
            assert!(Pattern::new(pattern).fits(path), "{pattern}");
        }
        for pattern in ["", "/_matrix", "*/t2", "/client*", "*/redact/*", "*/send/*/send/*", "*t1t1"] {
            assert!(!Pattern::new(pattern).fits(path), "{pattern}");
        }
    }

    #[test]
    fn parts_do_not_overlap() {
        assert!(!Pattern::new("/ab*ba").fits("/aba"));
        assert!(Pattern::new("/ab*ba").fits("/abba"));
    }
}
