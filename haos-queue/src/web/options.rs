/// How a context drives an outbox beside others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriveOptions {
    /// The store's name: contexts that give the same one share one leader.
    pub name: String,
    /// How long a leader may leave rows alone without a sign of life before another context sends beside it
    /// (15 s).
    pub patience_ms: u64,
    /// How long what is under way may go on where this context stops sending (5 s).
    pub grace_ms: u64,
    /// How long the browser's word that there is no network is taken for true (60 s), unless a sync
    /// hears of the server. It can be wrong; afterwards attempts follow the usual backoff.
    pub offline_ms: u64,
    /// The tag under which a Background Sync is asked for where the page is hidden, or offline, with something
    /// left to send (none: it is not asked for).
    pub sync_tag: Option<String>,
}

impl DriveOptions {
    /// The defaults, for a store of this name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { name, patience_ms: 15_000, grace_ms: 5000, offline_ms: 60_000, sync_tag: None }
    }

    /// Another patience with a leader that gives no sign of life.
    #[must_use]
    pub fn patience_ms(self, patience_ms: u64) -> Self {
        Self { patience_ms, ..self }
    }

    /// Another grace for what is under way.
    #[must_use]
    pub fn grace_ms(self, grace_ms: u64) -> Self {
        Self { grace_ms, ..self }
    }

    /// Another trust in the browser's word that there is no network; 0: none.
    #[must_use]
    pub fn offline_ms(self, offline_ms: u64) -> Self {
        Self { offline_ms, ..self }
    }

    /// Asks for a Background Sync under this tag where something is left to send.
    #[must_use]
    pub fn sync_tag(self, tag: impl Into<String>) -> Self {
        Self { sync_tag: Some(tag.into()), ..self }
    }

    /// The name of the lock that the leader holds, and of the channel on which contexts speak about it.
    pub(super) fn lock(&self) -> String {
        format!("haos.leader.{}", self.name)
    }
}
