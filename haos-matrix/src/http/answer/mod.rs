//! The meaning of an HTTP answer: pure, and the same for every request (`docs/semantics.md`, "Answers").

use haos_queue::{Answer, MAX_CODE_BYTES, MAX_SAID_BYTES, PauseReason, Refusal, said};
use haos_store_api::{EventId, MediaUri};
use serde::Deserialize;

use super::mxc::Mxc;
use super::retry_after::wait_ms;
use crate::parse::decoded::decoded;
use crate::parse::number;

/// The headers that say anything here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heads {
    pub(super) retry_after: Option<String>,
    /// The moment of the answer, by the server's clock.
    pub(super) date: Option<String>,
    pub(super) mime: Option<String>,
    pub(super) length: Option<u64>,
    /// There is a `Content-Disposition`.
    pub(super) disposition: bool,
    /// The body is not what it stands for: compressed, and not decoded on the way.
    pub(super) is_encoded: bool,
}

/// The content that a success must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// An event's id.
    Event,
    /// A JSON object.
    Object,
    /// The place of the media.
    Media,
}

/// An error, as the specification has it (client-server API, "Standard error response").
#[derive(Debug, Default, Deserialize)]
struct Fault {
    errcode: String,
    #[serde(default, deserialize_with = "lenient")]
    error: Option<String>,
    #[serde(default, deserialize_with = "number::lenient")]
    retry_after_ms: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    soft_logout: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    consent_uri: Option<String>,
}

/// A member of another type than it should be is ignored: the code alone must be right.
fn lenient<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// The code of a refused access token.
pub(super) const UNKNOWN_TOKEN: &str = "M_UNKNOWN_TOKEN";

/// Codes that speak of the account rather than of the request.
const ACCOUNT_WIDE: [&str; 7] = [
    "M_CONSENT_NOT_GIVEN",
    "M_RESOURCE_LIMIT_EXCEEDED",
    "M_USER_DEACTIVATED",
    "M_USER_LOCKED",
    "M_USER_SUSPENDED",
    // As Synapse says it before these came into the specification.
    "ORG_MATRIX_EXPIRED_ACCOUNT",
    "ORG.MATRIX.MSC3823.USER_ACCOUNT_SUSPENDED",
];

/// The longest wait that a server is granted, a day: what it asks for is written down, and nothing else ends it.
const LONGEST_MS: u64 = 24 * 3600 * 1000;

/// Reads the meaning of an answer to a request. `now_ms`: for a `Retry-After` that names a moment, where the
/// answer has no date of its own.
pub(super) fn answer(status: u16, heads: &Heads, body: &[u8], expected: Expected, now_ms: i64) -> Answer {
    if !(200..300).contains(&status) {
        return refusal(status, heads, body, now_ms);
    }
    let read = match expected {
        Expected::Event => {
            member(body, "event_id").and_then(|id| EventId::new(id).ok()).map(Answer::Accepted)
        }
        Expected::Object => object(body).map(|_| Answer::Done),
        Expected::Media => member(body, "content_uri")
            .filter(|uri| Mxc::parse(uri).is_some())
            .and_then(|uri| MediaUri::new(uri).ok())
            .map(Answer::Uploaded),
    };
    read.unwrap_or(Answer::Unreadable)
}

/// Reads the meaning of any answer but a success.
pub(super) fn refusal(status: u16, heads: &Heads, body: &[u8], now_ms: i64) -> Answer {
    let fault = fault(body);
    let body_ms = fault.as_ref().and_then(|fault| u64::try_from(fault.retry_after_ms?).ok());
    let body_ms = body_ms.filter(|ms| *ms > 0);
    let header_ms =
        heads.retry_after.as_deref().and_then(|text| wait_ms(text, heads.date.as_deref(), now_ms));
    Answer::Refused(Refusal {
        status,
        account: fault.as_ref().and_then(|fault| fault.account(status)),
        code: fault.map(|fault| said(&fault.errcode, MAX_CODE_BYTES)),
        retry_after_ms: body_ms.max(header_ms).map(|ms| ms.min(LONGEST_MS)),
    })
}

impl Fault {
    fn account(&self, status: u16) -> Option<PauseReason> {
        match self.errcode.as_str() {
            UNKNOWN_TOKEN | "M_MISSING_TOKEN" if status == 401 => Some(if self.soft_logout == Some(true) {
                PauseReason::SoftLogout
            } else {
                PauseReason::LoggedOut
            }),
            code if (400..500).contains(&status) && ACCOUNT_WIDE.contains(&code) => {
                let parts = [Some(code), self.error.as_deref(), self.consent_uri.as_deref()];
                let parts: Vec<&str> = parts.into_iter().flatten().collect();
                Some(PauseReason::Refused(said(&parts.join(": "), MAX_SAID_BYTES)))
            }
            _ => None,
        }
    }
}

/// Tells if the access token was refused, and then whether a refresh token may help.
pub(super) fn refused_token(status: u16, body: &[u8]) -> Option<bool> {
    let fault = fault(body).filter(|fault| status == 401 && fault.errcode == UNKNOWN_TOKEN)?;
    Some(fault.soft_logout == Some(true))
}

/// Reads the server's word on a refused refresh token; `None` without one.
pub(super) fn soft_logout(body: &[u8]) -> Option<bool> {
    fault(body)?.soft_logout
}

fn fault(body: &[u8]) -> Option<Fault> {
    let fault: Fault = serde_json::from_str(&decoded(body).ok()?).ok()?;
    Some(fault).filter(|fault| !fault.errcode.is_empty())
}

/// The text member of a JSON object.
pub(super) fn member(body: &[u8], name: &str) -> Option<String> {
    object(body)?.get(name)?.as_str().map(str::to_owned)
}

fn object(body: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(&decoded(body).ok()?).ok()
}

#[cfg(test)]
mod tests;
