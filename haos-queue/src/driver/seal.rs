//! The form in which a row goes out. A room that was ever encrypted gets nothing else.

use haos_store_api::{ParkReason, Pending, Result, RoomId, Scope, WriteBatch};

use super::Driver;
use super::attempt::{Begun, Tried};
use super::gate::Net;
use crate::account::{Gate, PauseReason};
use crate::machine::{Class, Event, Failure};
use crate::reconcile::encrypted::{note_encrypted, note_of};
use crate::{Answer, Sealed, Unready};

/// What goes over the wire.
#[derive(Debug)]
pub(super) enum Form {
    /// What the row holds: what the user wrote, or what was sealed before and may have arrived.
    Held,
    /// What the user wrote, as long as the room is not encrypted.
    Open,
    /// What has just been sealed.
    New(Sealed),
}

impl Driver {
    /// Tells if a row goes out encrypted where its room is.
    fn may_seal(&self, row: &Pending) -> bool {
        Class::of(row) == Class::Event && self.outbox.shared.protocol.seals(&row.kind)
    }

    /// Tells if a row goes out encrypted. What was sealed once stays so, whatever became of the note.
    pub(super) async fn must_seal(&self, row: &Pending) -> Result<bool, Unready> {
        if !self.may_seal(row) {
            return Ok(false);
        }
        Ok(row.wire.is_some() || self.is_encrypted(&row.room).await?)
    }

    /// Tells if a room is encrypted, as far as that is noted; of a room that no sync has told of, the server is asked.
    pub(super) async fn is_encrypted(&self, room: &RoomId) -> Result<bool, Unready> {
        Ok(self.outbox.shared.is_encrypted(room).await? || self.learns(room).await?)
    }

    /// Seals a row, where it must be and is not.
    pub(super) async fn form(&self, row: &Pending, must_seal: bool) -> Result<Form, Unready> {
        if !must_seal {
            return Ok(if self.may_seal(row) { Form::Open } else { Form::Held });
        }
        if row.ambiguous && row.wire.is_some() {
            return Ok(Form::Held);
        }
        let Some(seal) = &self.seal else {
            return Err(Unready::Refused(
                "this application cannot encrypt, and the room is encrypted".to_owned(),
            ));
        };
        let sealing = async {
            seal.prepare(&row.room).await?;
            seal.seal(row).await
        };
        let sealed = self.within(sealing, self.outbox.shared.options.prepare_ms).await;
        sealed.unwrap_or(Err(Unready::Answered(Answer::NoAnswer))).map(Form::New)
    }

    /// Asks whether a room is encrypted of which no sync has told, and notes it for good.
    async fn learns(&self, room: &RoomId) -> Result<bool, Unready> {
        let shared = &self.outbox.shared;
        let store = &*shared.store;
        if shared.protocol.encryption().is_none() || store.room(room).await?.is_some() {
            return Ok(false);
        }
        let asked = self.within(self.transport.is_encrypted(room), shared.options.request_ms).await;
        let is_encrypted = asked.unwrap_or(Err(Answer::NoAnswer)).map_err(Unready::Answered)?;
        if is_encrypted {
            note_encrypted(store, &[room]).await?;
        }
        Ok(is_encrypted)
    }

    /// Writes down that a row could not be sealed. It was not leased, and surely is not on the server.
    pub(super) async fn unready(&self, row: Pending, unready: Unready, begun: Begun) -> Result<Tried> {
        tracing::debug!(txn_id = %row.txn_id, "not sealed");
        let (failure, gate, net) = match unready {
            Unready::Store(e) => return Err(e),
            Unready::Paused(why) => {
                let store = &*self.outbox.shared.store;
                let reason = PauseReason::Encryption(why);
                Gate::update(store, Some(&row.room), |held| held.refused(&reason)).await?;
                return Ok(Tried { row: Some(row), net: Some(Net::Paused), ..Tried::default() });
            }
            Unready::Later(error) => {
                (Failure::Transient { ambiguous: false, counts: false, error }, None, None)
            }
            Unready::Refused(error) => {
                (Failure::Permanent { reason: ParkReason::Unsealed, error }, None, Some(Net::Heard))
            }
            Unready::Answered(answer) => {
                let (failure, gate, net) = self.failure(&row, answer.verdict(false), begun.resumed);
                (failure, gate, Some(net))
            }
        };
        Ok(match self.record(row, &Event::Unready(failure), gate.as_ref(), begun.children).await {
            Ok(row) => Tried { row, net, ..Tried::default() },
            // What the server said of the network and of quiet holds nevertheless.
            Err(e) => Tried { net, failed: Some(e), ..Tried::default() },
        })
    }
}

/// Lets a batch fail if the room has become encrypted.
pub(super) fn expect_open(batch: &mut WriteBatch, room: &RoomId) -> Result<()> {
    let (kind, key) = note_of(room)?;
    batch.expect_state(Scope::Account, kind, key, None);
    Ok(())
}
