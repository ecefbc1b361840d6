use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header};
use serde_json::Value;

use crate::http::{BoxError, connect};
use crate::{Error, Result};

/// How long an answer may take: a loaded machine is slow, and a test that hangs says nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A request to write down and send.
pub(crate) struct Ask<'a> {
    method: &'static str,
    path: String,
    token: Option<&'a str>,
    kind: &'static str,
    body: Bytes,
    patience: Duration,
}

/// A successful answer.
pub(crate) struct Said {
    request: String,
    body: Bytes,
}

impl<'a> Ask<'a> {
    /// `parts` follow `prefix` with a slash before each, percent-encoded.
    pub(crate) fn new(method: &'static str, prefix: &str, parts: &[&str]) -> Self {
        let mut path = prefix.to_owned();
        for part in parts {
            path.push('/');
            encode(part, &mut path);
        }
        Self { method, path, token: None, kind: "application/json", body: Bytes::new(), patience: PATIENCE }
    }

    pub(crate) fn token(mut self, token: &'a str) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        encode(value, &mut self.path);
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into();
        self
    }

    pub(crate) fn bytes(mut self, kind: &'static str, body: &[u8]) -> Self {
        (self.kind, self.body) = (kind, Bytes::copy_from_slice(body));
        self
    }

    /// Waits for the answer that much longer.
    pub(crate) fn patient(mut self, longer: Duration) -> Self {
        self.patience += longer;
        self
    }

    pub(crate) async fn send(self, address: SocketAddr) -> Result<Said> {
        let path = self.path.split('?').next().unwrap_or_default();
        let (request, patience) = (format!("{} {path}", self.method), self.patience);
        let answer = tokio::time::timeout(patience, self.exchange(address)).await;
        let (status, body) = answer
            .map_err(|_| Error::new(&*request, format!("no answer within {} s", patience.as_secs())))?
            .map_err(|e| Error::new(&*request, e))?;
        if status.is_success() { Ok(Said { request, body }) } else { Err(refused(request, status, &body)) }
    }

    async fn exchange(self, address: SocketAddr) -> Result<(StatusCode, Bytes), BoxError> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header(header::HOST, address.to_string())
            .header(header::CONTENT_TYPE, self.kind);
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(self.body))?;
        let answer = connect(address).await?.send_request(request).await?;
        Ok((answer.status(), answer.into_body().collect().await?.to_bytes()))
    }
}

impl Said {
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.body.into()
    }

    pub(crate) fn json(self) -> Result<Value> {
        serde_json::from_slice(&self.body).map_err(|e| Error::new(self.request, e))
    }

    /// A string of the answer's object.
    pub(crate) fn text(self, key: &str) -> Result<String> {
        let request = self.request.clone();
        let text = self.json()?.get(key).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Error::new(request, format!("the answer has no {key}")))
    }
}

fn refused(request: String, status: StatusCode, body: &[u8]) -> Error {
    let errcode = serde_json::from_slice(body)
        .ok()
        .and_then(|body: Value| Some(body.get("errcode")?.as_str()?.to_owned()))
        .unwrap_or_default();
    let message = String::from_utf8_lossy(body).chars().take(400).collect();
    Error::Refused { request, status: status.as_u16(), errcode, message }
}

/// Every byte that is not unreserved in a URI becomes `%XX`.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        let ask = Ask::new("GET", "/v3/rooms", &["!a/b:c", "é"]).query("from", "t1&x").query("dir", "f");
        assert_eq!(ask.path, "/v3/rooms/%21a%2Fb%3Ac/%C3%A9?from=t1%26x&dir=f");
    }

    #[test]
    fn a_refusal_tells_the_code_and_not_the_query() {
        let error = refused("GET /a".into(), StatusCode::NOT_FOUND, br#"{"errcode":"M_NOT_FOUND"}"#);
        assert_eq!((error.status(), error.errcode()), (Some(404), Some("M_NOT_FOUND")));
        let error = refused("GET /a".into(), StatusCode::BAD_GATEWAY, b"<html>");
        assert_eq!((error.errcode(), error.to_string()), (None, "GET /a: 502 : <html>".into()));
    }
}
