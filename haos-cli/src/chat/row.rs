//! A row of the outbox as it is printed: until its echo comes, it is the message.

use std::io::Write as _;

use haos::live::timeline::SendStatus;
use haos_queue::machine::Class;
use haos_queue::{RECEIPT, RowStatus, TYPING, UPLOAD, local_event_id};
use haos_store_api::{Json, ParkReason, Pending, PendingState, Room, StorageAdapter};
use serde::Serialize;

use crate::error::Result;
use crate::out::Out;
use crate::text::{clean, clean_lines, time};

/// A row, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct RowFields<'a> {
    txn_id: &'a str,
    /// The name of it in other messages until it is sent.
    local_id: Option<String>,
    room_id: &'a str,
    kind: &'a str,
    /// The text that is shown.
    body: Option<String>,
    content: &'a Json,
    /// `waiting`, `sending`, `still_trying`, `delayed`, `parked` or `sent`.
    status: &'static str,
    /// The reason why it is parked.
    reason: Option<ParkReason>,
    /// The latest error.
    error: Option<&'a str>,
    attempts: u32,
    /// An attempt had no answer: the server may have it.
    maybe_sent: bool,
    event_id: Option<&'a str>,
    /// The message that it is about.
    target: Option<&'a str>,
    /// The row that it waits for.
    parent: Option<&'a str>,
    created_ms: i64,
    created: String,
    /// Not to be tried before, in milliseconds since 1970.
    not_before_ms: i64,
    seq: u64,
}

impl<'a> From<&'a Pending> for RowFields<'a> {
    fn from(row: &'a Pending) -> Self {
        let status = RowStatus::of(row);
        Self {
            txn_id: row.txn_id.as_str(),
            local_id: local_event_id(&row.txn_id).ok().map(|id| id.to_string()),
            room_id: row.room.as_str(),
            kind: row.kind.as_str(),
            body: body(row),
            content: &row.content,
            status: name(status),
            reason: match status {
                RowStatus::Parked(reason) => Some(reason),
                _ => None,
            },
            error: row.error.as_deref(),
            attempts: row.attempts,
            maybe_sent: row.ambiguous,
            event_id: row.event_id.as_ref().map(|id| id.as_str()),
            target: row.target.as_ref().map(|id| id.as_str()),
            parent: row.parent.as_ref().map(|id| id.as_str()),
            created_ms: row.created_ms,
            created: time(row.created_ms),
            not_before_ms: row.not_before_ms,
            seq: row.seq,
        }
    }
}

/// The rows of a room that its timeline shows at its end: no uploads, no receipts.
pub(crate) async fn shown(store: &dyn StorageAdapter, room: &Room) -> Result<Vec<Pending>> {
    let mut rows = super::subject::rows(store, Some(room)).await?;
    rows.retain(|row| Class::of(row) == Class::Event);
    Ok(rows)
}

/// Prints a row as a line, longer texts indented below it.
pub(crate) fn print(row: &Pending, out: &mut Out) -> Result<()> {
    let (time, status) = (time(row.created_ms), status(row));
    let is_edit = row.content.member("m.new_content").is_some();
    let text = body(row).map_or_else(|| what(row), |body| if is_edit { body + " (edit)" } else { body });
    let lines = clean_lines(&text);
    write!(out, "{time}  [{}]  {}", clean(&status), lines.first().map_or("", String::as_str))?;
    for line in lines.iter().skip(1) {
        write!(out, "\n    {line}")?;
    }
    writeln!(out, "  {}", clean(row.txn_id.as_str()))?;
    Ok(())
}

/// The state of a row, in words.
pub(crate) fn status(row: &Pending) -> String {
    let status = SendStatus::of(row);
    match (status, &row.error) {
        (SendStatus::Waiting, _) if row.state == PendingState::Blocked => "waiting for another".to_owned(),
        (SendStatus::Waiting, Some(error)) => format!("{status}: {error}"),
        (SendStatus::StillTrying | SendStatus::Delayed, error) => {
            let error = error.as_ref().map_or(String::new(), |error| format!(": {error}"));
            format!("{status} after {} attempts{error}", row.attempts)
        }
        (SendStatus::Parked(_), Some(error)) => format!("{status} ({error})"),
        _ => status.to_string(),
    }
}

/// The name of a status for programs.
pub(super) fn name(status: RowStatus) -> &'static str {
    match status {
        RowStatus::Waiting => "waiting",
        RowStatus::Sending => "sending",
        RowStatus::StillTrying => "still_trying",
        RowStatus::Delayed => "delayed",
        RowStatus::Parked(_) => "parked",
        RowStatus::Sent => "sent",
        _ => "unknown",
    }
}

/// The remedies for a row that is parked.
pub(super) fn what_next(row: &Pending) -> String {
    let txn_id = &row.txn_id;
    match row.state {
        PendingState::Parked(ParkReason::ParentFailed) => {
            format!("Give it up with `haos outbox cancel {txn_id}`, and write it again")
        }
        _ => format!(
            "Try again with `haos outbox retry {txn_id}`, or give it up with `haos outbox cancel {txn_id}`"
        ),
    }
}

/// The text of a row: that of an edit is its new one.
fn body(row: &Pending) -> Option<String> {
    let edited = row.content.member("m.new_content").and_then(|content| content.text("body"));
    edited.or_else(|| row.content.text("body"))
}

/// The act of a row without a text.
fn what(row: &Pending) -> String {
    let of = row.target.as_ref().map_or(String::new(), |target| format!(" {target}"));
    match row.kind.as_str() {
        UPLOAD => "(upload)".to_owned(),
        RECEIPT => "(read)".to_owned(),
        TYPING => "(typing)".to_owned(),
        "m.room.redaction" => format!("(removes{of})"),
        "m.reaction" => {
            let key = row.content.member("m.relates_to").and_then(|relation| relation.text("key"));
            format!("({} to{of})", key.unwrap_or_default())
        }
        kind => format!("[{kind}]"),
    }
}
