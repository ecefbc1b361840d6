//! A client that sends and syncs beside the command.

use std::time::Duration;

use haos_matrix::Client;
use tokio::task::JoinHandle;

use super::Leading;
use crate::error::{Error, Result};

/// How long what is under way may take once the command ends, in milliseconds.
const GRACE_MS: u64 = 2000;

/// A run of a client.
pub(in crate::chat) struct Runs {
    client: Client,
    task: JoinHandle<haos_store_api::Result<()>>,
    _leading: Leading,
}

impl Runs {
    /// Starts sending and syncing.
    pub(in crate::chat) fn start(client: &Client, leading: Leading) -> Self {
        let task = tokio::spawn(client.run(leading.lead()));
        Self { client: client.clone(), task, _leading: leading }
    }

    /// Ends when the client does, which is before [`Runs::stop`] only if the store was closed.
    pub(in crate::chat) async fn ended(&mut self) -> Error {
        match (&mut self.task).await {
            Ok(Ok(())) => Error::Failed("the client ended by itself: run the command again".to_owned()),
            Ok(Err(error)) => Error::Store(error),
            Err(error) => Error::Failed(format!("the client ended: {error}")),
        }
    }

    /// Ends it, after what is under way. What is cut off is taken up by the next run.
    pub(in crate::chat) async fn stop(mut self) -> Result<()> {
        if self.task.is_finished() {
            return Ok(());
        }
        self.client.stop(GRACE_MS);
        let grace = Duration::from_millis(GRACE_MS + 1000);
        match tokio::time::timeout(grace, &mut self.task).await {
            Ok(Ok(ended)) => Ok(ended?),
            Ok(Err(error)) => Err(Error::Failed(format!("the client ended: {error}"))),
            Err(_) => {
                self.task.abort();
                Ok(())
            }
        }
    }
}
