use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, StatusCode, header};

use crate::http::BoxError;

/// An answer on its way to the client.
pub(super) type Answer = Response<BoxBody<Bytes, BoxError>>;

/// In place of an answer, or amid one: the connection closes.
#[derive(Debug)]
pub(super) struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed on purpose")
    }
}

impl std::error::Error for Closed {}

/// A Matrix server's answer to a client that asks too often.
pub(super) fn too_many_requests(retry_after: Duration) -> Answer {
    let body = serde_json::json!({
        "errcode": "M_LIMIT_EXCEEDED",
        "error": "Too Many Requests",
        "retry_after_ms": u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX),
    });
    whole(StatusCode::TOO_MANY_REQUESTS, "application/json", body.to_string())
}

/// The answer of a proxy that cannot reach the server.
pub(super) fn bad_gateway() -> Answer {
    const PAGE: &str = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n\
                        <center><h1>502 Bad Gateway</h1></center>\n</body>\n</html>\n";
    whole(StatusCode::BAD_GATEWAY, "text/html", PAGE.to_owned())
}

/// The answer of a captive portal in everybody's place.
pub(super) fn portal() -> Answer {
    const PAGE: &str = "<html>\n<head><title>Welcome</title></head>\n<body>\n\
                        <form method=\"post\"><button>I accept the terms</button></form>\n</body>\n</html>\n";
    whole(StatusCode::OK, "text/html", PAGE.to_owned())
}

/// The redirection of a captive portal.
pub(super) fn redirect() -> Answer {
    let mut answer = whole(StatusCode::FOUND, "text/html", String::new());
    let place = header::HeaderValue::from_static("http://portal.invalid/login");
    answer.headers_mut().insert(header::LOCATION, place);
    answer
}

fn whole(status: StatusCode, kind: &'static str, body: String) -> Answer {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    // Browsers see no answer from another origin without this; Synapse sends it as well.
    let anyone = header::HeaderValue::from_static("*");
    answer.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    answer
}
