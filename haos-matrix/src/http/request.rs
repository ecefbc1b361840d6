use haos_queue::Body;
use haos_store_api::Json;
use reqwest::Method;

use super::path::Path;

/// A request, before it has a url, a token or a connection.
pub(super) struct Request<'a> {
    /// Its name in logs.
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: Path,
    pub(super) payload: Payload<'a>,
    /// How long the answer may take to begin, in milliseconds; none: the options' ordinary time.
    pub(super) wait_ms: Option<u64>,
    /// The answer may be large.
    pub(super) is_large: bool,
    /// The body is wanted piece by piece.
    pub(super) is_streamed: bool,
    /// The server may redirect it.
    pub(super) follows: bool,
}

/// The content of a request.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    None,
    Json(&'a str),
    Media(&'a Body<'a>),
}

impl<'a> Request<'a> {
    fn new(name: &'static str, method: Method, path: Path, payload: Payload<'a>) -> Self {
        Self {
            name,
            method,
            path,
            payload,
            wait_ms: None,
            is_large: false,
            is_streamed: false,
            follows: false,
        }
    }

    pub(super) fn read(name: &'static str, path: Path) -> Self {
        Self::new(name, Method::GET, path, Payload::None)
    }

    pub(super) fn put(name: &'static str, path: Path, body: &'a Json) -> Self {
        Self::new(name, Method::PUT, path, Payload::Json(body.as_str()))
    }

    pub(super) fn post(name: &'static str, path: Path, body: &'a Json) -> Self {
        Self::new(name, Method::POST, path, Payload::Json(body.as_str()))
    }

    pub(super) fn upload(name: &'static str, method: Method, path: Path, body: &'a Body<'a>) -> Self {
        Self::new(name, method, path, Payload::Media(body))
    }

    pub(super) fn large(mut self) -> Self {
        self.is_large = true;
        self
    }

    pub(super) fn waiting(mut self, wait_ms: u64) -> Self {
        self.wait_ms = Some(wait_ms);
        self
    }

    pub(super) fn streamed(mut self) -> Self {
        (self.is_streamed, self.follows) = (true, true);
        self
    }

    pub(super) fn following(mut self) -> Self {
        self.follows = true;
        self
    }
}
