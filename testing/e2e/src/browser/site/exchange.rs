use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::Value;

use super::{SiteOptions, files};
use crate::{Error, Result};

/// A request to a site.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SiteRequest {
    /// `GET`, `PUT` and the like.
    pub method: String,
    /// With a slash at its beginning, as it came: percent-encoded.
    pub path: String,
    /// The part behind the question mark; empty without one.
    pub query: String,
    /// The body, whole.
    pub body: Bytes,
}

impl SiteRequest {
    /// The body as JSON; null if it is invalid.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The answer of a handler.
#[derive(Debug, Clone)]
pub struct SiteAnswer {
    status: u16,
    kind: String,
    body: Bytes,
    lost: bool,
}

impl SiteAnswer {
    /// 200 with JSON.
    pub fn json(body: &Value) -> Self {
        Self::new("application/json", body.to_string())
    }

    /// 200 with a body of this MIME type.
    pub fn new(kind: &str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, kind: kind.to_owned(), body: body.into(), lost: false }
    }

    /// In place of an answer the connection closes: the request has come, its sender cannot know.
    pub fn lost() -> Self {
        Self { lost: true, ..Self::new("text/plain", "") }
    }

    /// With another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn not_found() -> Self {
        Self::new("text/plain", "not here").status(404)
    }
}

/// The answer, or the end of the connection.
pub(super) async fn answer(
    options: &SiteOptions,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|e| Error::new("a request", e))?.to_bytes();
    let request = SiteRequest {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        body,
    };
    let path = request.path.clone();
    let handled = match &options.handler {
        Some(handler) => handler(request).await,
        None => None,
    };
    // A handler's answer belongs to the moment.
    let cached = options.cached && handled.is_none();
    let answer = match handled {
        Some(answer) => answer,
        None => files::read(&options.mounts, &path).await.unwrap_or_else(SiteAnswer::not_found),
    };
    if answer.lost {
        return Err(Error::new(path, "lost on purpose"));
    }
    let kind = HeaderValue::from_str(&answer.kind).map_err(|e| Error::new(&*path, e))?;
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|e| Error::new(&*path, e))?;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    add(response.headers_mut(), options.isolated, cached);
    Ok(response)
}

fn add(headers: &mut HeaderMap, isolated: bool, cached: bool) {
    let mut put = |name: &'static str, value| headers.insert(name, HeaderValue::from_static(value));
    put("cache-control", if cached { "max-age=3600, immutable" } else { "no-store" });
    put("access-control-allow-origin", "*");
    // A worker's script may lie deeper than what it serves.
    put("service-worker-allowed", "/");
    if isolated {
        put("cross-origin-opener-policy", "same-origin");
        put("cross-origin-embedder-policy", "require-corp");
        put("cross-origin-resource-policy", "same-origin");
    }
}
