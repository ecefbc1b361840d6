/// Path and query of a request. Ids may hold anything: each is one segment, with everything encoded but
/// letters, digits and `-._~`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    segments: String,
    pairs: Vec<(&'static str, String)>,
    /// A segment that no url can hold: parsers take `.` and `..`, encoded or not, for steps.
    has_step: bool,
}

impl Path {
    /// Begins with a fixed part, such as `/_matrix/client/v3/rooms`.
    pub(super) fn new(part: &str) -> Self {
        Self { segments: part.to_owned(), pairs: Vec::new(), has_step: false }
    }

    /// Adds a fixed part, such as `/send`.
    pub(super) fn part(mut self, part: &str) -> Self {
        self.segments.push_str(part);
        self
    }

    /// Adds a segment that holds anything.
    pub(super) fn id(mut self, id: &str) -> Self {
        self.has_step |= matches!(id, "." | "..");
        self.segments.push('/');
        for byte in id.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    self.segments.push(char::from(byte));
                }
                _ => self.segments.push_str(&format!("%{byte:02X}")),
            }
        }
        self
    }

    /// Adds a member of the query.
    pub(super) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.pairs.push((name, value.to_string()));
        self
    }

    /// Adds a member of the query, if there is one.
    pub(super) fn query_if(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(super) fn segments(&self) -> Option<&str> {
        (!self.has_step).then_some(&*self.segments)
    }

    pub(super) fn pairs(&self) -> &[(&'static str, String)] {
        &self.pairs
    }
}

/// A room's path: `/_matrix/client/v3/rooms/{room}`.
pub(super) fn room_path(room: &haos_store_api::RoomId) -> Path {
    Path::new("/_matrix/client/v3/rooms").id(room.as_str())
}
