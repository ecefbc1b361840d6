//! Signals between contexts about the sender. Hints alone: any of them may be lost or late.

use haos_web::Channel;
use wasm_bindgen::JsValue;

/// A message on the leader's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signal {
    /// Does anybody send?
    Ask,
    /// I do. The lock's holder gives no name; whoever sends beside a silent holder gives its own.
    Alive(String),
    /// Whoever sends: forget all backoff.
    TryNow,
}

impl Signal {
    pub(super) fn read(message: &JsValue) -> Option<Self> {
        let text = message.as_string()?;
        match text.split_once(' ') {
            Some(("alive", who)) => Some(Self::Alive(who.to_owned())),
            None if text == "ask" => Some(Self::Ask),
            None if text == "try" => Some(Self::TryNow),
            // Of another version.
            _ => None,
        }
    }

    pub(super) fn post(&self, channel: Option<&Channel>) {
        let text = match self {
            Self::Ask => "ask".to_owned(),
            Self::Alive(who) => format!("alive {who}"),
            Self::TryNow => "try".to_owned(),
        };
        // A text can be cloned; and a hint may be lost.
        let _ = channel.map(|channel| channel.post(&JsValue::from(text)));
    }
}
