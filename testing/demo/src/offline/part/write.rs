//! All of the script, written while nothing can be sent.

use std::time::Duration;

use haos_cli::parts::{Error, Out, Result};
use haos_matrix::MatrixProtocol;
use haos_queue::{About, Acted, Draft, EnqueueError, Enqueued, Outbox, Protocol as _, local_event_id};
use haos_store_api::{ErrorKind, EventType, Json, RoomId, TxnId};
use serde_json::json;

use super::super::script::{FILE, SCRIPT, THUMBNAIL, Write, bytes};
use super::{Said, say};

/// The number of failed attempts that is enough to see.
const ATTEMPTS: u64 = 5;

/// Writes the whole script, and waits to be killed while sending fails.
pub(super) async fn write(outbox: &Outbox, rooms: &[RoomId], out: &mut Out) -> Result<()> {
    let mut txns: Vec<Option<TxnId>> = Vec::new();
    for (at, (room, write)) in SCRIPT.into_iter().enumerate() {
        let row = one(outbox, &rooms[room], write, &txns).await.map_err(refused)?;
        txns.push(row.as_ref().map(|row| row.txn_id.clone()));
        say(
            out,
            &match row {
                Some(row) => Said::Taken { write: at, txn: row.txn_id, seq: row.seq },
                None => Said::Changed { write: at },
            },
        )?;
    }
    loop {
        // Every attempt takes a lease, and every lease raises the fence.
        let attempts = outbox.rows(None).await?.iter().map(|row| row.fence).sum();
        if attempts >= ATTEMPTS {
            say(out, &Said::Written { attempts })?;
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn refused(error: EnqueueError) -> Error {
    match error {
        EnqueueError::Store(error) => Error::Store(error),
        other => Error::Failed(format!("the outbox does not take a message: {other}")),
    }
}

/// The new row; none if an unsent one was changed.
async fn one(
    outbox: &Outbox,
    room: &RoomId,
    write: Write,
    txns: &[Option<TxnId>],
) -> Result<Option<Enqueued>, EnqueueError> {
    let of = |at: usize| txns.get(at).cloned().flatten().ok_or_else(|| unknown(at));
    let message = EventType::new("m.room.message")?;
    let text = |body: &str| Json::of(&json!({ "msgtype": "m.text", "body": body }));
    let draft = |kind: &EventType, content| Draft::new(room.clone(), kind.clone(), content);
    let draft = match write {
        Write::Text(body) => draft(&message, text(body)?),
        Write::Edit(at, body) => {
            let about = of(at)?;
            let (kind, content) = MatrixProtocol.edit(&local_event_id(&about)?, &message, &text(body)?)?;
            draft(&kind, content).about(About::Unsent(about))
        }
        Write::React(at, key) => {
            let about = of(at)?;
            let target = local_event_id(&about)?;
            let relates = json!({ "rel_type": "m.annotation", "event_id": target.as_str(), "key": key });
            let content = Json::of(&json!({ "m.relates_to": relates }))?;
            draft(&EventType::new("m.reaction")?, content).about(About::Unsent(about))
        }
        Write::Answer(at, body) => {
            let about = of(at)?;
            let relates = json!({ "m.in_reply_to": { "event_id": local_event_id(&about)?.as_str() } });
            let content = json!({ "msgtype": "m.text", "body": body, "m.relates_to": relates });
            draft(&message, Json::of(&content)?).about(About::Unsent(about))
        }
        Write::File(name) => file(outbox, room, name).await?,
        Write::Reword(at, body) => return Ok(followed(outbox.edit(&of(at)?, text(body)?).await?)),
        Write::TakeBack(at) => return Ok(followed(outbox.cancel(&of(at)?).await?)),
    };
    outbox.enqueue(draft).await.map(Some)
}

fn unknown(at: usize) -> haos_store_api::Error {
    haos_store_api::Error::new(ErrorKind::Invalid, "demo", format!("line {at} of the script has no row"))
}

/// The row that follows one which was on its way just then.
fn followed(acted: Acted) -> Option<Enqueued> {
    match acted {
        Acted::Followed(row) | Acted::Replaced(row) => Some(row),
        _ => None,
    }
}

/// A file in pieces, as a camera would give it, and its thumbnail before it.
async fn file(outbox: &Outbox, room: &RoomId, name: &str) -> Result<Draft, EnqueueError> {
    let mime = "image/png";
    let thumbnail = outbox.stage(room, Some(mime), bytes(THUMBNAIL)).await?;
    let mut file = None;
    for piece in bytes(FILE).chunks(FILE / 4) {
        match &mut file {
            None => file = Some(outbox.stage(room, Some(mime), piece.to_vec()).await?),
            Some(file) => outbox.stage_more(file, piece.to_vec()).await?,
        }
    }
    let file = file.ok_or(EnqueueError::MissingMedia)?;
    let content = json!({
        "msgtype": "m.image",
        "body": name,
        "url": file.key().uri.as_str(),
        "info": { "size": file.size(), "mimetype": mime, "thumbnail_url": thumbnail.key().uri.as_str() },
    });
    let draft = Draft::new(room.clone(), EventType::new("m.room.message")?, Json::of(&content)?);
    Ok(draft.upload(thumbnail).upload(file))
}
