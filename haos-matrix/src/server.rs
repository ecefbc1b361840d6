//! The requests of the sync engine and the media cache to a homeserver.

use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;
use haos_queue::Answer;
use haos_store_api::{Direction, EventId, Json, MaybeSend, MediaUri, RoomId};

/// The result of a request, or the reason why there is none.
pub type Reply<T> = Result<T, Answer>;

/// A homeserver, as those who read from it see it: one request a call, which never retries and may be
/// dropped at any moment. Bodies come as they were sent; `haos_matrix::parse_*` read them.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait Server: MaybeSend {
    /// `GET /sync`.
    async fn sync(&self, request: &SyncRequest) -> Reply<Vec<u8>>;

    /// `POST …/org.matrix.simplified_msc3575/sync`; `pos`: none for a new connection.
    async fn sliding_sync(&self, pos: Option<&str>, timeout_ms: u64, body: &Json) -> Reply<Vec<u8>>;

    /// Tells if the server says that it has simplified sliding sync.
    async fn offers_sliding_sync(&self) -> Reply<bool>;

    /// Uploads a filter; its id.
    async fn upload_filter(&self, filter: &Json) -> Reply<String>;

    /// `GET /rooms/{room}/messages`.
    async fn messages(&self, request: &PageRequest<'_>) -> Reply<Vec<u8>>;

    /// `GET /rooms/{room}/context/{event}` with at most `limit` events around it.
    async fn context(&self, room: &RoomId, event: &EventId, limit: usize) -> Reply<Vec<u8>>;

    /// `GET /rooms/{room}/members`, as of the sync token `at`.
    async fn members(&self, room: &RoomId, at: Option<&str>) -> Reply<Vec<u8>>;

    /// The bytes of a media item.
    async fn download(&self, uri: &MediaUri, variant: Variant) -> Reply<Download>;

    /// A request of the device's encryption; the body of its success. A server that has none refuses it.
    #[cfg(feature = "e2ee")]
    async fn call(&self, request: &KeyRequest) -> Reply<Vec<u8>> {
        let _ = request;
        Err(Answer::Refused(haos_queue::Refusal::new(404, "M_UNRECOGNIZED")))
    }
}

/// A request with JSON there and back, about keys and what is sent to devices.
#[cfg(feature = "e2ee")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// Its name in logs.
    pub name: &'static str,
    /// What it does.
    pub verb: KeyVerb,
    /// The segments of its path after `/_matrix/client`, not encoded.
    pub path: Vec<String>,
    /// The version of the backup that it is about.
    pub version: Option<String>,
    /// The body; a `GET` has none.
    pub body: Json,
}

/// What a [`KeyRequest`] does.
#[cfg(feature = "e2ee")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyVerb {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
}

/// The parameters of `GET /sync`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncRequest {
    /// The token to go on from; none for an initial sync.
    pub since: Option<String>,
    /// How long the server may wait for news, in milliseconds.
    pub timeout_ms: u64,
    /// A filter's id, or the filter itself as JSON.
    pub filter: Option<String>,
    /// Do not tell others that the user is online.
    pub quiet: bool,
}

/// The parameters of `GET /rooms/{room}/messages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// The beginning of the page; without it, the newest (older pages) or the oldest event.
    pub from: Option<&'a str>,
    /// The end of the page, if it comes as far.
    pub to: Option<&'a str>,
    /// Towards older events, or newer ones.
    pub direction: Direction,
    /// The highest number of events.
    pub limit: usize,
}

/// A form of a media item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Variant {
    /// As it was uploaded.
    #[default]
    Original,
    /// Made smaller by the server, in pixels.
    Thumbnail {
        /// At least so wide.
        width: u32,
        /// At least so high.
        height: u32,
        /// Cut to exactly these proportions, rather than fitted into them.
        crop: bool,
    },
}

/// A media item on its way.
pub struct Download {
    /// Its media type, as the server says.
    pub mime: Option<String>,
    /// Its size in bytes, if the server says.
    pub size: Option<u64>,
    /// The bytes, in the order and the portions in which they come.
    pub chunks: Chunks,
}

/// Portions of bytes.
#[cfg(not(target_arch = "wasm32"))]
pub type Chunks = Pin<Box<dyn Stream<Item = Reply<Vec<u8>>> + Send>>;
/// Portions of bytes.
#[cfg(target_arch = "wasm32")]
pub type Chunks = Pin<Box<dyn Stream<Item = Reply<Vec<u8>>>>>;

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("mime", &self.mime).field("size", &self.size).finish_non_exhaustive()
    }
}
