use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header};
use serde_json::Value;

use crate::http::{BoxError, connect};
use crate::{Error, Result};

/// WebDriver is JSON over HTTP: <https://www.w3.org/TR/webdriver2/>.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire {
    address: SocketAddr,
}

impl Wire {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// The `value` of a successful answer.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Value> {
        let answer = tokio::time::timeout(patience, self.exchange(method, path, body)).await;
        let what = || format!("{method} {}", without_session(path));
        let (status, bytes) = answer
            .map_err(|_| Error::new(what(), format!("no answer within {} s", patience.as_secs())))?
            .map_err(|e| Error::new(what(), e))?;
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(|e| Error::new(what(), e))?;
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        if status.is_success() { Ok(value) } else { Err(refused(what(), status, &value)) }
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), BoxError> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let answer = connect(self.address).await?.send_request(request).await?;
        Ok((answer.status(), answer.into_body().collect().await?.to_bytes()))
    }
}

/// `/session/{id}/url` without the id, which says nothing.
fn without_session(path: &str) -> &str {
    path.strip_prefix("/session/").and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or(path)
}

fn refused(request: String, status: StatusCode, value: &Value) -> Error {
    let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
    Error::Refused {
        request,
        status: status.as_u16(),
        errcode: text("error").to_owned(),
        message: text("message").chars().take(400).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_the_code_of_webdriver() {
        let value = serde_json::json!({ "error": "no such window", "message": "it is gone" });
        let error = refused(
            without_session("/session/12/url").into(),
            StatusCode::from_u16(404).unwrap_or_default(),
            &value,
        );
        assert_eq!(error.to_string(), "/url: 404 no such window: it is gone");
        assert_eq!(without_session("/status"), "/status");
    }
}
