//! Right after a message was written: it is sent, if the homeserver answers within some seconds.

use std::time::Duration;

use haos::{Chat, Connection, TxnId};
use haos_queue::Update;
use haos_store_api::{Pending, PendingState};
use tokio::time::{Instant, sleep_until};

use super::desk::logged_in;
use crate::error::{Result, what_to_do};

/// How long to go on once the homeserver was not reached: the next try is not worth waiting for.
const UNREACHED: Duration = Duration::from_millis(500);

/// The reason why a row is still in the outbox when nobody waits any more, and what to do.
pub(super) type Why = String;

/// Waits until a row is sent, parked or gone, for at most `wait` seconds. Returns why it is not.
pub(super) async fn deliver(chat: &Chat, txn_id: &TxnId, wait: u32) -> Result<Option<Why>> {
    let mut why = "`haos sync` sends it".to_owned();
    if logged_in(chat).is_err() {
        return Ok(Some("not logged in: `haos login`, then `haos sync` sends it".to_owned()));
    }
    if wait == 0 {
        return Ok(Some(why));
    }
    let mut deadline = Instant::now() + Duration::from_secs(wait.into());
    chat.start();
    let (mut rows, mut connection) = (chat.outbox_handle().observe(None), chat.connection());
    loop {
        tokio::select! {
            update = rows.next() => match update? {
                Some(update) if is_settled(&update, txn_id) => return Ok(None),
                Some(_) => {}
                None => return Ok(Some(why)),
            },
            summary = connection.next() => match summary?.map(|summary| summary.connection) {
                Some(Connection::Degraded { error, .. }) => {
                    deadline = deadline.min(Instant::now() + UNREACHED);
                    why = format!("{error}; `haos sync` sends it");
                }
                Some(Connection::Paused { cause, .. }) => return Ok(Some(what_to_do(&cause))),
                Some(Connection::Elsewhere) => why = "the process that syncs this store sends it".to_owned(),
                Some(_) => {}
                None => return Ok(Some(why)),
            },
            () = sleep_until(deadline) => return Ok(Some(why)),
        }
    }
}

fn is_settled(update: &Update, txn_id: &TxnId) -> bool {
    let done = |row: &Pending| matches!(row.state, PendingState::Sent | PendingState::Parked(_));
    match update {
        Update::Reset(rows) => rows.iter().find(|row| row.txn_id == *txn_id).is_none_or(done),
        Update::Put(row) => row.txn_id == *txn_id && done(row),
        Update::Removed(gone) => gone == txn_id,
        _ => false,
    }
}
