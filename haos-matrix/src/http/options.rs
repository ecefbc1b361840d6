const SECOND_MS: u64 = 1000;
const MIB: u64 = 1 << 20;

/// How long a [`Homeserver`](crate::Homeserver) waits and how much it reads. The defaults fit a chat client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// How long a connection may take, TLS included (10 s). Natively only: a browser decides itself.
    pub connect_ms: u64,
    /// How long an ordinary request may wait for its answer (30 s).
    pub request_ms: u64,
    /// How much longer than it was asked to wait a sync may take (30 s).
    pub sync_grace_ms: u64,
    /// How long a sync from nothing may take until its answer begins (15 minutes): servers gather a large
    /// account for long.
    pub first_sync_ms: u64,
    /// How long a body may stand still, on its way up or down (60 s).
    pub stall_ms: u64,
    /// How many bytes a second a body must bring on its way down, over two stall times (100).
    pub least_rate: u64,
    /// How long a body may be waited for on its way down, however steadily it comes (1 hour).
    pub body_ms: u64,
    /// How long before its end an access token is renewed (30 s); at most half its life.
    pub refresh_early_ms: u64,
    /// How long after it refused the session a server is asked again (2 s); if it refuses once more, thrice as
    /// long after that for the last time. A homeserver that shuts down refuses good tokens.
    pub doubt_ms: u64,
    /// The largest body of a sync or a page, in bytes after decompression (256 MiB).
    pub max_body_bytes: u64,
    /// The largest body of a refusal or any other small answer, in bytes (1 MiB).
    pub max_answer_bytes: u64,
    /// The largest media item that is downloaded, in bytes (1 GiB). The media cache keeps less of one item.
    pub max_media_bytes: u64,
    /// The name of the application, for the server; a browser tells its own.
    pub user_agent: Option<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_ms: 10 * SECOND_MS,
            request_ms: 30 * SECOND_MS,
            sync_grace_ms: 30 * SECOND_MS,
            first_sync_ms: 900 * SECOND_MS,
            stall_ms: 60 * SECOND_MS,
            least_rate: 100,
            body_ms: 3600 * SECOND_MS,
            refresh_early_ms: 30 * SECOND_MS,
            doubt_ms: 2 * SECOND_MS,
            max_body_bytes: 256 * MIB,
            max_answer_bytes: MIB,
            max_media_bytes: 1024 * MIB,
            user_agent: None,
        }
    }
}
