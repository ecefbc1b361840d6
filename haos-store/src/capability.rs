use haos_store_api::{Recovery, StoreInfo};

/// The guarantees of an opened store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The backend's name, for people.
    pub backend: &'static str,
    /// The version of its format.
    pub format: u32,
    /// The place of its files, if it has any.
    pub location: Option<String>,
    /// It outlives the process. If not, tell the user that unsent messages will not survive.
    pub persistent: bool,
    /// A `Strict` batch survives power loss once `apply` has returned.
    pub strict: bool,
    /// Other processes may open it at the same time; their commits arrive as `Resync`.
    pub shared: bool,
    /// The browser may erase it when the device is short of space, unless it promised not to (see
    /// `IdbStore::persistence`). What it erased is told by `recovery` at the next opening.
    pub evictable: bool,
    /// Rows are sealed at rest.
    pub sealed: bool,
    /// It can only be read: its file, its folder or the media is read-only.
    pub read_only: bool,
    /// It was found damaged, set aside, and its outbox carried over. Tell the user.
    pub recovery: Option<Recovery>,
}

impl From<StoreInfo> for Capabilities {
    fn from(info: StoreInfo) -> Self {
        Self {
            backend: info.backend,
            format: info.format,
            location: info.location,
            persistent: info.persistent,
            strict: info.persistent,
            shared: info.shared,
            evictable: info.evictable,
            sealed: info.sealed,
            read_only: info.read_only,
            recovery: info.recovery,
        }
    }
}
