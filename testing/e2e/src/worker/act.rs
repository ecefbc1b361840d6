use haos_matrix::{Client, MediaRequest, Mentions, compose};
use haos_queue::{About, Draft, Enqueued, Staged};
use haos_store_api::{ByteRange, EventId, MediaUri, RoomId, TxnId};
use serde_json::{Value, json};

use super::client::Active;
use super::command::{To, WorkerCommand};
use super::dump::{Dump, outbox};
use crate::{Error, Result};

/// Bytes of a file that are staged at once.
const CHUNK: usize = 256 << 10;

impl Active {
    /// Does what a command says.
    pub(super) async fn act(&self, command: WorkerCommand) -> Result<Value> {
        use WorkerCommand as C;
        let client = &self.client;
        match command {
            C::Write { room, body } => write(client, compose::text(&id(&room)?, &body)).await,
            C::Reply { room, to, body } => {
                write(client, compose::reply(&id(&room)?, &about(&to)?, None, &body)).await
            }
            C::React { room, to, body } => {
                write(client, compose::reaction(&id(&room)?, &about(&to)?, &body)).await
            }
            C::Edit { room, to, body } => {
                let content = compose::text_content(&body, &Mentions::default());
                write(client, compose::edit(&id(&room)?, &about(&to)?, &content, None)).await
            }
            C::Redact { room, to } => {
                write(client, compose::redaction(&id(&room)?, &about(&to)?, None)).await
            }
            C::File { room, path, mime, thumbnail } => {
                file(client, &id(&room)?, &path, mime, thumbnail).await
            }
            C::Rows => Ok(json!({ "rows": outbox(&**client.store()).await.map_err(odd)? })),
            C::State => Ok(self.state(client)),
            C::Settle => self.settle(client).await,
            C::Fill => self.fill(client).await,
            C::Dump { path } => {
                let dump = Dump::of(&**client.store()).await.map_err(odd)?;
                let text = serde_json::to_string(&dump).map_err(odd)?;
                std::fs::write(path, text).map(|()| json!({})).map_err(odd)
            }
            C::Media { uri, start, end, into } => media(client, uri, (start, end), into).await,
            C::Clock { offset_ms } => {
                self.host.set(offset_ms);
                client.outbox().try_now();
                Ok(json!({}))
            }
            C::Stop => self.stop().await.map(|()| json!({})),
        }
    }
}

pub(super) fn odd(error: impl std::fmt::Display) -> Error {
    Error::new("worker", error)
}

pub(super) fn id(room: &str) -> Result<RoomId> {
    RoomId::new(room).map_err(odd)
}

fn txn(txn_id: &str) -> Result<TxnId> {
    TxnId::new(txn_id).map_err(odd)
}

fn about(to: &To) -> Result<About> {
    Ok(match to {
        To::Event(event) => About::Event(EventId::new(&**event).map_err(odd)?),
        To::Txn(txn_id) => About::Unsent(txn(txn_id)?),
    })
}

fn told(enqueued: &Enqueued) -> Value {
    json!({ "txn_id": enqueued.txn_id.as_str(), "seq": enqueued.seq })
}

async fn write(client: &Client, draft: haos_store_api::Result<Draft>) -> Result<Value> {
    Ok(told(&client.outbox().enqueue(draft.map_err(odd)?).await.map_err(odd)?))
}

async fn file(
    client: &Client,
    room: &RoomId,
    path: &str,
    mime: Option<String>,
    thumbnail: Option<String>,
) -> Result<Value> {
    let staged = stage(client, room, path, mime.as_deref()).await?;
    let small = match &thumbnail {
        Some(path) => Some(stage(client, room, path, Some("image/png")).await?),
        None => None,
    };
    let uri = staged.key().uri.to_string();
    let name = std::path::Path::new(path).file_name().unwrap_or_default();
    let info = compose::FileInfo {
        name: name.to_string_lossy().into_owned(),
        mime,
        thumbnail_mime: small.as_ref().map(|_| "image/png".to_owned()),
        ..compose::FileInfo::default()
    };
    let mut told = write(client, compose::file(room, &info, staged, small)).await?;
    told["uri"] = uri.into();
    Ok(told)
}

async fn stage(client: &Client, room: &RoomId, path: &str, mime: Option<&str>) -> Result<Staged> {
    let bytes = std::fs::read(path).map_err(odd)?;
    let mut chunks = bytes.chunks(CHUNK);
    let first = chunks.next().unwrap_or_default().to_vec();
    let mut staged = client.outbox().stage(room, mime, first).await.map_err(odd)?;
    for chunk in chunks {
        client.outbox().stage_more(&mut staged, chunk.to_vec()).await.map_err(odd)?;
    }
    Ok(staged)
}

async fn media(
    client: &Client,
    uri: String,
    (start, end): (Option<u64>, Option<u64>),
    into: Option<String>,
) -> Result<Value> {
    let uri = MediaUri::new(uri).map_err(odd)?;
    let stored = client.media().is_stored(&uri, haos_matrix::Variant::Original).await.map_err(odd)?;
    let range = ByteRange { start: start.unwrap_or(0), end: end.unwrap_or(u64::MAX) };
    let request = MediaRequest { range, ..MediaRequest::new(uri) };
    let media = client.media().get(&request).await.map_err(odd)?;
    if let Some(path) = into {
        std::fs::write(path, &media.bytes).map_err(odd)?;
    }
    Ok(json!({ "size": media.info.size, "length": media.bytes.len(), "stored": stored }))
}
