use async_trait::async_trait;
use haos_queue::{Outbox, RowStatus, STAGED, Staged, UploadProgress as Sent};
use haos_store_api::{
    Change, MediaKey, MediaQuery, Pending, PendingQuery, StorageAdapter as _, Touched, TxnId,
};
use serde::Serialize;
use tokio::sync::watch;

use crate::base::changed;
use crate::chat::{Chat, Live, Source};
use crate::error::{Error, Result};
use crate::live::timeline::SendStatus;

/// A file on its way, with its thumbnail.
#[derive(Debug, Clone)]
pub struct Upload {
    chat: Chat,
    txn_id: TxnId,
    /// What goes to the server before the message, with its bytes.
    parts: Vec<(TxnId, u64)>,
}

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct UploadProgress {
    /// Bytes that went out, as far as this process or page sends them.
    pub sent_bytes: u64,
    /// Bytes in all, the thumbnail's among them.
    pub total_bytes: u64,
    /// How it goes: [`SendStatus::Sent`] once the server has the message.
    #[serde(flatten)]
    pub status: SendStatus,
    /// The latest error, for the user.
    pub error: Option<String>,
}

impl Chat {
    /// The upload of a file that was sent, by its transaction, as after a restart.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the outbox has no such file any more; those of the store.
    pub async fn upload(&self, txn_id: &TxnId) -> Result<Upload> {
        let row = row(self.outbox_handle(), txn_id).await?.filter(|row| !row.media.is_empty());
        let row = row.ok_or_else(|| Error::NotFound { what: format!("the file {txn_id}") })?;
        let mut parts = Vec::with_capacity(row.media.len());
        for key in row.media {
            let query = MediaQuery { key: Some(key.clone()), ..MediaQuery::default() };
            let size = self.store().media_index(query).await?.first().map_or(0, |info| info.size);
            parts.push((part(&key)?, size));
        }
        Ok(Upload { chat: self.clone(), txn_id: row.txn_id, parts })
    }
}

impl Upload {
    pub(super) fn of(chat: Chat, txn_id: TxnId, staged: &[Staged]) -> Result<Self> {
        let parts =
            staged.iter().map(|staged| Ok((part(staged.key())?, staged.size()))).collect::<Result<_>>()?;
        Ok(Self { chat, txn_id, parts })
    }

    /// The transaction of its message.
    pub fn txn_id(&self) -> &TxnId {
        &self.txn_id
    }

    /// How far it is.
    pub fn progress(&self) -> Live<UploadProgress> {
        let outbox = self.chat.outbox_handle().clone();
        let source = Progress {
            sent: outbox.uploads(),
            outbox,
            txn_id: self.txn_id.clone(),
            parts: self.parts.clone(),
        };
        self.chat.live(source)
    }

    /// Pauses it until [`Upload::retry`]; a message that is on its way already is left to it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn pause(&self) -> Result<()> {
        for (txn_id, _) in &self.parts {
            // The first that is there; the others wait for it.
            if row(self.chat.outbox_handle(), txn_id).await?.is_some() {
                self.chat.outbox_handle().pause_upload(txn_id).await?;
                break;
            }
        }
        Ok(())
    }

    /// Tries it again, at once: after a pause, or after the server refused it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retry(&self) -> Result<()> {
        for txn_id in self.parts.iter().map(|(txn_id, _)| txn_id).chain([&self.txn_id]) {
            self.chat.outbox_handle().retry(txn_id).await?;
        }
        Ok(())
    }

    /// Takes it back: it is removed with its bytes, or redacted once it is on the server.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn cancel(&self) -> Result<()> {
        self.chat.cancel(&self.txn_id).await
    }
}

/// The transaction that uploads what is staged under a key.
fn part(key: &MediaKey) -> Result<TxnId> {
    Ok(TxnId::new(key.uri.as_str().strip_prefix(STAGED).unwrap_or(key.uri.as_str()))?)
}

/// Reads a row of the outbox.
pub(crate) async fn row(outbox: &Outbox, txn_id: &TxnId) -> Result<Option<Pending>> {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), skip_damaged: true, ..PendingQuery::default() };
    Ok(outbox.store().pending(query).await?.into_iter().next())
}

struct Progress {
    outbox: Outbox,
    sent: watch::Receiver<Vec<Sent>>,
    txn_id: TxnId,
    parts: Vec<(TxnId, u64)>,
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Source<UploadProgress> for Progress {
    async fn read(&mut self) -> Result<UploadProgress> {
        let total_bytes = self.parts.iter().map(|(_, size)| size).sum();
        let sent = self.sent.borrow_and_update().clone();
        let Some(message) = row(&self.outbox, &self.txn_id).await? else {
            let status = SendStatus::Sent;
            return Ok(UploadProgress { sent_bytes: total_bytes, total_bytes, status, error: None });
        };
        let (mut sent_bytes, mut left) = (0, Vec::new());
        for (txn_id, size) in &self.parts {
            match row(&self.outbox, txn_id).await? {
                Some(part) if RowStatus::of(&part) != RowStatus::Sent => {
                    let under_way = sent.iter().find(|sent| sent.txn_id == *txn_id);
                    sent_bytes += under_way.map_or(0, |sent| sent.sent.min(*size));
                    left.push(part);
                }
                _ => sent_bytes += size,
            }
        }
        let find = |txn_id: &TxnId| left.iter().find(|part: &&Pending| part.txn_id == *txn_id);
        let (status, error) = SendStatus::of_message(&message, find);
        Ok(UploadProgress { sent_bytes, total_bytes, status, error: error.map(str::to_owned) })
    }

    fn note(&mut self, change: &Change) -> bool {
        let ours =
            |txn_id: &TxnId| *txn_id == self.txn_id || self.parts.iter().any(|(part, _)| part == txn_id);
        match change {
            Change::Commit { touched, .. } => {
                touched.iter().any(|touched| matches!(touched, Touched::Pending(txn_id) if ours(txn_id)))
            }
            _ => true,
        }
    }

    async fn stirred(&mut self) {
        changed(&mut self.sent).await
    }
}
