//! The processes that are killed: one writes, one sends.

mod line;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use haos_cli::parts::{Error, Out, Result};
use haos_store_api::{PendingQuery, PendingState, RoomId, StorageAdapter, TxnId};
use serde::{Deserialize, Serialize};

use self::line::Line;
use crate::args::{Part, PartArgs};

/// A part that takes longer hangs. A real server may ask for pauses.
pub(super) fn most(is_real: bool) -> Duration {
    Duration::from_secs(if is_real { 400 } else { 40 })
}

/// A part's word to the demo, a line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub(super) enum Said {
    /// A row of the outbox: it survives from here on.
    Taken { write: usize, txn: TxnId, seq: u64 },
    /// An unsent row was changed, or taken back.
    Changed { write: usize },
    /// All is written, and sending it failed this number of times.
    Written { attempts: u64 },
    /// The outbox is empty and the store is where the server is.
    Drained,
}

pub(super) fn store_file(folder: &Path) -> PathBuf {
    folder.join("outbox.db")
}

fn url(folder: &Path) -> String {
    format!("sqlite:{}", store_file(folder).display())
}

pub(super) async fn open(folder: &Path) -> Result<Arc<dyn StorageAdapter>> {
    Ok(haos_store::open(&url(folder)).await?.store)
}

/// Runs one part; a hidden command.
pub(crate) async fn run(args: PartArgs, out: &mut Out) -> Result<()> {
    let line = Line::open(&args).await?;
    let part = async {
        match args.part {
            Part::Write => write::write(&line.chat, &args.rooms, out).await,
            Part::Send => send(&line, &args.rooms, out).await,
        }
    };
    let most = most(args.address.is_none());
    let ended = tokio::time::timeout(most, part).await;
    line.chat.close().await?;
    ended.map_err(|_| Error::Failed(format!("a process of the demo hung for {} s", most.as_secs())))?
}

fn say(out: &mut Out, said: &Said) -> Result<()> {
    out.json(said)?;
    Ok(std::io::Write::flush(out)?)
}

/// Sends and syncs until nothing is left to do.
async fn send(line: &Line, rooms: &[RoomId], out: &mut Out) -> Result<()> {
    let store = line.chat.store();
    loop {
        let is_new = line.sync(rooms).await?;
        let mut gaps = 0;
        for room in rooms {
            for gap in store.gaps(room).await? {
                gaps += 1;
                line.fill(room, &gap).await?;
            }
        }
        let unsent = store.pending(PendingQuery::default()).await?;
        if let Some(row) = unsent.iter().find(|row| matches!(row.state, PendingState::Parked(_))) {
            let said = row.error.clone().unwrap_or_default();
            return Err(Error::Failed(format!("the homeserver does not take a {}: {said}", row.kind)));
        }
        if is_new && gaps + unsent.len() == 0 {
            return say(out, &Said::Drained);
        }
    }
}
