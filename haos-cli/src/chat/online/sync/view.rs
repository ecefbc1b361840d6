//! The output of `haos sync`: lines that stay, and on a terminal a last one that changes.

use std::collections::BTreeMap;
use std::io::Write as _;

use haos::{Chat, Connection, RoomId, TxnId};
use haos_matrix::MatrixSession;
use haos_queue::{Host as _, RowStatus, TokioHost, Update, UploadProgress};
use haos_store_api::{Message, MessageView, Pending, PendingState, Room};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::state::{fields, uploads, words};
use crate::chat::row::{RowFields, print as print_row};
use crate::error::Result;
use crate::find;
use crate::message::{ItemFields, print as print_message};
use crate::notice;
use crate::out::Out;
use crate::progress;
use crate::text::{clean, plural, shorten};

/// The reason why it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    /// Everything is done.
    Once,
    /// The time is over.
    Time,
    /// Somebody wants it.
    Interrupted,
    /// The time is over, and not everything is done.
    Late,
    /// The homeserver was not reached.
    Unreached,
}

/// A line, for programs.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Connection(Value),
    Room {
        r#type: &'static str,
        room_id: &'a RoomId,
        name: Option<&'a str>,
    },
    Message {
        room_id: &'a RoomId,
        #[serde(flatten)]
        item: ItemFields<'a>,
    },
    Row {
        r#type: &'static str,
        row: RowFields<'a>,
    },
    Gone {
        r#type: &'static str,
        txn_id: &'a TxnId,
    },
    End {
        r#type: &'static str,
        reason: End,
        waiting: usize,
        parked: usize,
    },
}

/// The lines on the screen.
pub(super) struct View<'a> {
    out: &'a mut Out,
    /// The changing line, if stderr is a terminal.
    line: Option<ProgressBar>,
    state: Option<Connection>,
    /// The latest line about the connection, where each is a line of its own.
    said: String,
    uploads: watch::Receiver<Vec<UploadProgress>>,
    /// Rows as they were shown: what changed is told, not how often it was looked at.
    rows: BTreeMap<TxnId, String>,
}

impl<'a> View<'a> {
    pub(super) fn new(out: &'a mut Out, chat: &Chat, session: &MatrixSession) -> Result<Self> {
        let on_terminal = !out.json && notice::is_terminal();
        if !out.json {
            writeln!(out, "{} on {}", clean(session.user.as_str()), clean(&session.homeserver))?;
            out.flush()?;
        }
        Ok(Self {
            out,
            line: on_terminal.then(progress::line),
            state: None,
            said: String::new(),
            uploads: chat.outbox_handle().uploads(),
            rows: BTreeMap::new(),
        })
    }

    /// The connection is in this state.
    pub(super) fn connection(&mut self, state: &Connection) -> Result<()> {
        if self.state.replace(state.clone()).as_ref() == Some(state) {
            return Ok(());
        }
        match (&self.line, self.out.json) {
            (Some(_), _) => self.tick(),
            (None, true) => self.json(&Line::Connection(fields(state))),
            (None, false) => self.say(&words(state, None)),
        }
    }

    /// Draws the last line again: the next try comes closer, bytes go out.
    pub(super) fn tick(&mut self) -> Result<()> {
        if let (Some(line), Some(state)) = (&self.line, &self.state) {
            let state = words(state, Some(TokioHost.now_ms()));
            line.set_message(format!("[{state}{}]", uploads(&self.uploads.borrow_and_update())));
        }
        Ok(())
    }

    /// A room is new.
    pub(super) fn room(&mut self, room: &Room) -> Result<()> {
        if self.out.json {
            let name = room.name.as_deref();
            return self.json(&Line::Room { r#type: "room", room_id: &room.id, name });
        }
        self.lines(|out| Ok(writeln!(out, "room: {}", find::label(room))?))
    }

    /// A message came.
    pub(super) fn message(&mut self, room: &Room, message: &Message) -> Result<()> {
        let message = message.clone();
        let view = MessageView::from(message);
        if self.out.json {
            return self.json(&Line::Message { room_id: &room.id, item: ItemFields::from(&view) });
        }
        let name = room.name.as_deref().map(clean).filter(|name| !name.is_empty());
        let name = shorten(&name.unwrap_or_else(|| clean(room.id.as_str())), 32);
        self.lines(|out| {
            write!(out, "{name}  ")?;
            print_message(&view, out)
        })
    }

    /// The outbox changed.
    pub(super) fn update(&mut self, update: &Update) -> Result<()> {
        match update {
            Update::Reset(rows) => {
                // Rows that left while nobody looked.
                let here = |txn_id: &TxnId| rows.iter().any(|row| row.txn_id == *txn_id);
                let gone: Vec<TxnId> = self.rows.keys().filter(|txn_id| !here(txn_id)).cloned().collect();
                gone.iter().try_for_each(|txn_id| self.gone(txn_id))?;
                rows.iter().try_for_each(|row| self.row(row))
            }
            Update::Put(row) => self.row(row),
            Update::Removed(txn_id) => self.gone(txn_id),
            _ => Ok(()),
        }
    }

    fn row(&mut self, row: &Pending) -> Result<()> {
        // Every try would be two lines for people.
        let passing = !self.out.json && RowStatus::of(row) == RowStatus::Sending;
        let shown = crate::chat::row::status(row) + row.content.as_str();
        if passing {
            return Ok(());
        }
        if self.rows.insert(row.txn_id.clone(), shown.clone()).as_ref() == Some(&shown) {
            return Ok(());
        }
        if self.out.json {
            return self.json(&Line::Row { r#type: "outbox", row: row.into() });
        }
        self.lines(|out| {
            write!(out, "outbox  ")?;
            print_row(row, out)
        })
    }

    /// A row left: it is delivered, or was cancelled elsewhere.
    fn gone(&mut self, txn_id: &TxnId) -> Result<()> {
        if self.rows.remove(txn_id).is_none() {
            return Ok(());
        }
        if self.out.json {
            return self.json(&Line::Gone { r#type: "outbox_done", txn_id });
        }
        self.lines(|out| Ok(writeln!(out, "outbox  done  {}", clean(txn_id.as_str()))?))
    }

    /// It ends; `left` is still in the outbox.
    pub(super) fn end(&mut self, reason: End, left: &[Pending]) -> Result<()> {
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
        let parked = left.iter().filter(|row| matches!(row.state, PendingState::Parked(_))).count();
        let waiting = left.len() - parked;
        if self.out.json {
            return self.json(&Line::End { r#type: "end", reason, waiting, parked });
        }
        let said = match (waiting, parked) {
            (0, 0) => "everything written is sent".to_owned(),
            (waiting, 0) => format!("{} in the outbox", plural(waiting as u64, "row")),
            (_, parked) => format!(
                "{} in the outbox, {parked} of them refused or unclear: see `haos outbox`",
                plural(left.len() as u64, "row")
            ),
        };
        self.lines(|out| Ok(writeln!(out, "{said}")?))
    }

    /// A line about the connection, where it differs from the one before.
    fn say(&mut self, words: &str) -> Result<()> {
        if self.said == words {
            return Ok(());
        }
        self.said = words.to_owned();
        self.lines(|out| Ok(writeln!(out, "-- {words}")?))
    }

    fn json(&mut self, line: &Line<'_>) -> Result<()> {
        self.out.json(line)?;
        Ok(self.out.flush()?)
    }

    /// Prints lines above the last one, at once.
    fn lines(&mut self, write: impl FnOnce(&mut Out) -> Result<()>) -> Result<()> {
        let out = &mut *self.out;
        let print = || {
            write(out)?;
            Ok(out.flush()?)
        };
        match &self.line {
            Some(line) => line.suspend(print),
            None => print(),
        }
    }
}
