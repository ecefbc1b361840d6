//! Right after a message was written: it is sent, if the homeserver answers within some seconds.

use std::time::Duration;

use haos_matrix::Client;
use haos_queue::{ConnectionState, Observer, Update};
use haos_store_api::{Pending, PendingState, TxnId};
use tokio::time::{Instant, sleep_until};

use super::desk::Desk;
use super::online::{Leading, Runs};
use crate::error::Result;

/// How long to go on once the homeserver was not reached: the next try is not worth waiting for.
const UNREACHED: Duration = Duration::from_millis(500);

/// The reason why a row is still in the outbox when nobody waits any more, and what to do.
pub(super) type Why = String;

/// Waits until a row is sent, parked or gone, for at most `wait` seconds. Returns why it is not.
pub(super) async fn deliver(desk: &Desk, txn_id: &TxnId, wait: u32) -> Result<Option<Why>> {
    let Ok(client) = desk.logged_in() else {
        return Ok(Some("not logged in: `haos login`, then `haos sync` sends it".to_owned()));
    };
    let client = client.clone();
    if wait == 0 {
        return Ok(Some("`haos sync` sends it".to_owned()));
    }
    let deadline = Instant::now() + Duration::from_secs(wait.into());
    let mut rows = client.outbox().observe(None);
    match Leading::try_take(&desk.target)? {
        Some(leading) => {
            let mut runs = Runs::start(&client, leading);
            let waited = tokio::select! {
                waited = settled(&mut rows, txn_id, Some(&client), deadline) => waited,
                error = runs.ended() => Err(error),
            };
            // The message is written: the end of the client changes nothing of it.
            let _ = runs.stop().await;
            waited
        }
        None => {
            let waited = settled(&mut rows, txn_id, None, deadline).await?;
            Ok(waited.map(|_| "the process that syncs this store sends it".to_owned()))
        }
    }
}

/// Follows a row until nothing more is to be expected of it. `client`: the one that sends, if it is here.
async fn settled(
    rows: &mut Observer,
    txn_id: &TxnId,
    client: Option<&Client>,
    deadline: Instant,
) -> Result<Option<Why>> {
    let mut connection = client.map(|client| client.connection());
    let (mut deadline, mut why) = (deadline, "`haos sync` sends it".to_owned());
    loop {
        tokio::select! {
            update = rows.next() => match update? {
                Some(update) if is_settled(&update, txn_id) => return Ok(None),
                Some(_) => {}
                None => return Ok(Some(why)),
            },
            state = changed(&mut connection) => match state {
                ConnectionState::Degraded { error, .. } => {
                    deadline = deadline.min(Instant::now() + UNREACHED);
                    why = format!("{error}; `haos sync` sends it");
                }
                ConnectionState::Paused(reason) => return Ok(Some(super::online::account_fault(&reason).to_string())),
                _ => {}
            },
            () = sleep_until(deadline) => return Ok(Some(why)),
        }
    }
}

/// The next state of the connection; never, without one to watch.
async fn changed(connection: &mut Option<tokio::sync::watch::Receiver<ConnectionState>>) -> ConnectionState {
    if let Some(connection) = connection
        && connection.changed().await.is_ok()
    {
        return connection.borrow_and_update().clone();
    }
    std::future::pending().await
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
