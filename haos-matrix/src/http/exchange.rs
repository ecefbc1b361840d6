//! One request and its answer, as bytes.

use std::future::Future;

use haos_queue::{Answer, Refusal, said};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use tracing::debug;

use super::Homeserver;
use super::answer::{self, Expected, Heads};
use super::request::{Payload, Request};
use super::upload;
use crate::Reply;

/// An answer with its heads.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) heads: Heads,
    pub(super) body: Came,
}

/// A body: read already, or still on its way.
pub(super) enum Came {
    Whole(Vec<u8>),
    Live(reqwest::Response),
}

impl Homeserver {
    /// Makes a request with this access token, and no other.
    pub(super) async fn exchange(&self, request: &Request<'_>, token: Option<&str>) -> Reply<Response> {
        let name = request.name;
        let Some(url) = self.base.join(&request.path) else {
            debug!(target: "haos::http", request = name, "an id that no url can hold");
            return Err(Answer::Refused(Refusal::new(400, "M_INVALID_PARAM")));
        };
        let agent = match (request.is_streamed, request.follows) {
            (true, _) => &self.agent.media,
            (false, true) => &self.agent.following,
            (false, false) => &self.agent.plain,
        };
        let mut builder = agent.request(request.method.clone(), url);
        #[cfg(not(target_arch = "wasm32"))]
        if request.is_streamed {
            builder = builder.header(reqwest::header::ACCEPT_ENCODING, "identity");
        }
        if let Some(token) = token {
            let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) else {
                return Err(super::tokens::logged_out());
            };
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let wait_ms = request.wait_ms.unwrap_or(self.options.request_ms);
        let sent = match request.payload {
            Payload::None => self.within(wait_ms, builder.send()).await,
            Payload::Json(json) => {
                let builder = builder.header(CONTENT_TYPE, "application/json").body(json.to_owned());
                self.within(wait_ms, builder.send()).await
            }
            Payload::Media(body) => upload::send(self, builder, body).await?,
        };
        let response = match sent {
            Some(Ok(response)) => response,
            Some(Err(e)) => return Err(failure(name, e)),
            None => {
                debug!(target: "haos::http", request = name, "no answer in time");
                return Err(Answer::NoAnswer);
            }
        };
        let (status, heads) = (response.status().as_u16(), heads(response.headers()));
        debug!(target: "haos::http", request = name, status, "answered");
        if request.is_streamed && (200..300).contains(&status) {
            return Ok(Response { status, heads, body: Came::Live(response) });
        }
        let is_large = request.is_large && status < 300;
        let limit = if is_large { self.options.max_body_bytes } else { self.options.max_answer_bytes };
        match self.read_whole(name, response, limit).await {
            Ok(body) => Ok(Response { status, heads, body: Came::Whole(body) }),
            // No homeserver has that long a value there.
            Err(Answer::TooLarge { .. }) if !is_large => Err(Answer::Unreadable),
            Err(answer) => Err(answer),
        }
    }

    /// Awaits a future, unless it takes longer.
    pub(super) async fn within<T>(&self, ms: u64, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = self.host.sleep(ms) => None,
        }
    }
}

impl Response {
    /// A success's body.
    ///
    /// # Errors
    /// Returns the body of a success, or the meaning of any other answer.
    pub(super) fn success(self, now_ms: i64) -> Reply<Vec<u8>> {
        let body = match self.body {
            Came::Whole(body) => body,
            Came::Live(_) => return Err(Answer::Unreadable),
        };
        match self.status {
            200..300 => Ok(body),
            status => Err(answer::refusal(status, &self.heads, &body, now_ms)),
        }
    }

    pub(super) fn answer(self, expected: Expected, now_ms: i64) -> Answer {
        answer::answer(self.status, &self.heads, self.whole(), expected, now_ms)
    }

    /// The body, if it was read.
    pub(super) fn whole(&self) -> &[u8] {
        match &self.body {
            Came::Whole(body) => body,
            Came::Live(_) => &[],
        }
    }
}

/// Reads the failure of a request without an answer. A browser does not tell if anything was sent.
fn failure(name: &str, e: reqwest::Error) -> Answer {
    #[cfg(not(target_arch = "wasm32"))]
    let is_unsent = e.is_connect();
    #[cfg(target_arch = "wasm32")]
    let is_unsent = false;
    let answer = if is_unsent { Answer::Unsent } else { Answer::NoAnswer };
    debug!(target: "haos::http", request = name, reason = reason(e), is_unsent, "no answer");
    answer
}

/// Reads the failure of an answer that ends too early.
pub(super) fn cut_off(name: &str, e: reqwest::Error) -> Answer {
    debug!(target: "haos::http", request = name, reason = reason(e), "the answer was cut off");
    Answer::NoAnswer
}

/// An error and its causes, without the url.
fn reason(e: reqwest::Error) -> String {
    let e = e.without_url();
    let mut text = e.to_string();
    let mut cause = std::error::Error::source(&e);
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

/// So much of a media type is kept, in bytes: names have up to 127 on either side of the slash (RFC 6838, 4.2).
const MAX_MIME_BYTES: usize = 255;

fn heads(headers: &HeaderMap) -> Heads {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Heads {
        retry_after: text("retry-after"),
        date: text("date"),
        mime: text("content-type").map(|mime| said(&mime, MAX_MIME_BYTES)),
        length: text("content-length").and_then(|text| text.parse().ok()),
        disposition: headers.contains_key("content-disposition"),
        is_encoded: text("content-encoding").is_some_and(|encoding| encoding.trim() != "identity"),
    }
}
