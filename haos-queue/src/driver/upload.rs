use std::sync::atomic::{AtomicU64, Ordering};

use haos_store_api::{Pending, Result, StorageAdapter, TxnId, WriteBatch};

use super::Driver;
use super::attempt::{Begun, Limit, Tried};
use super::gate::Net;
use super::prove::AGAIN_MS;
use super::seal::Form;
use crate::draft::has_sealed_bytes;
use crate::machine::{Event, Step, step};
use crate::transport::{Body, Created};
use crate::{Answer, Lookup, Unready};

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadProgress {
    /// Which one.
    pub txn_id: TxnId,
    /// Bytes that went out.
    pub sent: u64,
    /// Bytes in all.
    pub total: u64,
}

impl Driver {
    /// Uploads the bytes of a row.
    pub(super) async fn upload(&self, row: Pending, begun: Begun) -> Result<Tried> {
        let shared = &self.outbox.shared;
        let info = match row.media.first() {
            Some(key) => shared.staged(key).await?,
            None => None,
        };
        let Some(info) = info else {
            let row = self.record(row, &Event::MediaMissing, None, begun.children).await?;
            return Ok(Tried { row, ..Tried::default() });
        };
        let form = if has_sealed_bytes(&row) { Form::Held } else { Form::Open };
        if matches!(form, Form::Open) {
            let why = "the room is encrypted now and the file is not: send it anew";
            match self.is_encrypted(&row.room).await {
                Ok(false) => {}
                Ok(true) => return self.unready(row, Unready::Refused(why.to_owned()), begun).await,
                Err(unready) => return self.unready(row, unready, begun).await,
            }
        }
        // The answer to an earlier attempt may have been lost: nothing is uploaded that is there.
        let request_ms = shared.options.request_ms;
        if let Some(uri) = row.remote.as_ref().filter(|_| row.ambiguous) {
            let asked = self.within(self.transport.media_exists(uri), request_ms).await;
            match asked.unwrap_or(Lookup::Failed(Answer::NoAnswer)) {
                Lookup::Found(()) => {
                    let row = self.record(row, &Event::Accepted(None), None, begun.children).await?;
                    return Ok(Tried { row, net: Some(Net::Heard), ..Tried::default() });
                }
                Lookup::Failed(answer) => {
                    let now_ms = shared.now_ms();
                    let (net, later_ms) =
                        (Some(Net::of(&answer, now_ms)), Some(now_ms.saturating_add(AGAIN_MS)));
                    return Ok(Tried { row: Some(row), net, later_ms, failed: None });
                }
                Lookup::Missing | Lookup::Unknown => {}
            }
        }
        let mut row = self.lease(row, form).await?;
        if row.remote.is_none() {
            let created = self.transport.create_media();
            let (created, held) = self.hold(row, created, Limit::Total(request_ms)).await;
            row = held;
            match created {
                Some(Created::At(uri)) => row = self.placed(row, uri).await?,
                Some(Created::Unsupported) => {}
                Some(Created::Failed(answer)) => return self.settle(row, answer, begun).await,
                None => return self.settle(row, Answer::NoAnswer, begun).await,
            }
        }
        let count = AtomicU64::new(0);
        let progress = Shown::new(self, &row, info.size);
        let tell = |sent: u64| {
            count.store(sent, Ordering::Relaxed);
            progress.tell(sent);
        };
        let store: &dyn StorageAdapter = &*shared.store;
        let body = Body { store, key: info.key, size: info.size, mime: info.mime, progress: &tell };
        let remote = row.remote.clone();
        let uploading = self.transport.upload(body, remote.as_ref());
        let stall = Limit::Stall(shared.options.stall_ms, &count);
        let (answer, row) = self.hold(row, uploading, stall).await;
        self.settle(row, answer.unwrap_or(Answer::NoAnswer), begun).await
    }

    /// Writes down where the server will keep the bytes, before they go there.
    async fn placed(&self, row: Pending, uri: haos_store_api::MediaUri) -> Result<Pending> {
        let shared = &self.outbox.shared;
        match step(&row, &Event::Placed(uri), &shared.context()) {
            Step::Put(next) => shared.put(&row, *next, WriteBatch::relaxed()).await,
            _ => Ok(row),
        }
    }
}

/// An upload's line in what the user watches, as long as it goes on.
struct Shown<'a> {
    driver: &'a Driver,
    txn_id: TxnId,
    total: u64,
}

impl<'a> Shown<'a> {
    fn new(driver: &'a Driver, row: &Pending, total: u64) -> Self {
        let shown = Self { driver, txn_id: row.txn_id.clone(), total };
        shown.tell(0);
        shown
    }

    fn tell(&self, sent: u64) {
        self.driver.outbox.shared.uploads.send_modify(|uploads| {
            let progress = UploadProgress { txn_id: self.txn_id.clone(), sent, total: self.total };
            match uploads.iter_mut().find(|upload| upload.txn_id == self.txn_id) {
                Some(upload) => *upload = progress,
                None => uploads.push(progress),
            }
        });
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        let ours = |upload: &UploadProgress| upload.txn_id == self.txn_id;
        self.driver.outbox.shared.uploads.send_modify(|uploads| uploads.retain(|upload| !ours(upload)));
    }
}
