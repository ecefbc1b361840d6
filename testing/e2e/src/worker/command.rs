use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An order to a worker: see the [protocol](crate::worker).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the protocol's table says what each means")]
#[non_exhaustive]
pub enum WorkerCommand {
    Write { room: String, body: String },
    Reply { room: String, to: To, body: String },
    React { room: String, to: To, body: String },
    Edit { room: String, to: To, body: String },
    Redact { room: String, to: To },
    File { room: String, path: String, mime: Option<String>, thumbnail: Option<String> },
    Rows,
    State,
    Settle,
    Fill,
    Dump { path: String },
    Media { uri: String, start: Option<u64>, end: Option<u64>, into: Option<String> },
    Clock { offset_ms: i64 },
    Stop,
}

/// A message that a command is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum To {
    /// By its event id.
    Event(String),
    /// By the transaction id of a row of the outbox.
    Txn(String),
}

impl WorkerCommand {
    /// Tells if it may take long, and others should not wait for it.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Settle | Self::Fill | Self::Media { .. })
    }
}

/// A command with its number.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Numbered<C> {
    pub(super) id: u64,
    #[serde(flatten)]
    pub(super) command: C,
}

/// A worker's word.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Said {
    Ready { ready: Value },
    Failed { failed: String },
    Done { id: u64, done: Value },
    Error { id: u64, error: String },
}
