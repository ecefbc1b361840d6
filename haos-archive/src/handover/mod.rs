//! Unsent messages, handed over from one store to another while both are alive.
//!
//! 1. Each row is put into the other store, held back, with a note of the state that it had.
//! 2. All rows are removed from the first store in one commit, which expects each as it was put into the other one, and
//!    leaves a note of each.
//! 3. The rows of the other store are let go.
//!
//! So a row is sent by the first store until (2), and by the other one from (3) on. Whoever was interrupted calls it
//! again: the notes say how far each row came. Until then it waits, held back.

mod hands;

use haos_queue::Retries;
use haos_store_api::{Result, StorageAdapter, TxnId};

use hands::Hands;

/// The fate of rows that are being sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MoveOptions {
    /// They stay in the first store, and so does what comes behind them in their rooms. Call it again later.
    #[default]
    LeaveSending,
    /// They are moved: whoever sent them is gone. The other store asks the server for each before it sends it.
    TakeSending,
}

/// The outcome of a handover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Rows that are in the other store alone.
    pub moved: u64,
    /// Rows that stayed: they are being sent, or come behind one that is.
    pub left: Vec<TxnId>,
    /// Rows of an earlier handover that are held back in the other store, while the first one has neither them nor a
    /// note of them: they were sent or cancelled meanwhile, or came from another store. The user decides.
    pub doubtful: Vec<TxnId>,
}

/// Hands the outbox of one store over to another. At any moment each row can be sent by one of the stores at most, and
/// none is lost, also where this is cut off: then call it again with the same stores.
///
/// # Errors
/// Those of the stores; `Conflict` if the first store's outbox changes all the time.
pub async fn move_outbox<F, T>(from: &F, to: &T, options: MoveOptions) -> Result<Moved>
where
    F: StorageAdapter + ?Sized,
    T: StorageAdapter + ?Sized,
{
    // A handover in the other direction that was cut off ends first.
    Hands::new(to, from, options).await?.settle().await?;
    let mut hands = Hands::new(from, to, options).await?;
    let mut retries = Retries::default();
    let handed = loop {
        (hands.moved.left, hands.moved.doubtful) = Default::default();
        hands.settle().await?;
        let handed = hands.put_rows().await?;
        if handed.is_empty() || retries.committed(hands.remove_rows(&handed).await)?.is_some() {
            break handed;
        }
    };
    let txn_ids: Vec<TxnId> = handed.into_iter().map(|(txn_id, _)| txn_id).collect();
    hands.moved.moved += txn_ids.len() as u64;
    hands.release(&txn_ids).await?;
    Ok(hands.moved)
}
