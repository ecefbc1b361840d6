use haos_store_api::{EventType, Json, MaybeSend, MediaKey, MessageView};

/// What a protocol's content shows: only the protocol knows.
pub trait Shows: MaybeSend {
    /// Returns the text that a message shows, that of its latest edit included; absent if it has none.
    fn text(&self, view: &MessageView) -> Option<String>;

    /// Returns the file or picture that a message shows.
    fn attachment(&self, view: &MessageView) -> Option<Attachment>;

    /// Returns the kind of state that describes a member, with the user's id as its key. Default: none.
    fn member_kind(&self) -> Option<EventType> {
        None
    }

    /// Returns the name of a member. Default: none, and the user's id is shown.
    fn member_name(&self, _member: &Json) -> Option<String> {
        None
    }
}

/// A file or picture of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The key of its bytes.
    pub key: MediaKey,
    /// The name that its sender gave it.
    pub name: String,
    /// True for a picture, which a page shows.
    pub is_picture: bool,
}
