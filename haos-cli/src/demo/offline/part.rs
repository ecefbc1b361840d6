//! What the processes do that are killed: one writes, one sends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use haos_matrix::{MatrixRules, parse_event};
use haos_queue::sim::LoopbackClient;
use haos_queue::{
    About, Acted, Draft, Driver, EnqueueError, Enqueued, Event, FileLeader, Lead, Outbox, OutboxOptions,
    Protocol as _, RetryPolicy, TokioHost, Transport as _, apply_page, apply_sync, local_event_id,
};
use haos_store_api::{
    ErrorKind, EventType, Json, PendingQuery, RoomId, StorageAdapter, StorageAdapterExt as _, TxnId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::script::{FILE, SCRIPT, THUMBNAIL, Write, bytes, rooms, session};
use crate::cli::{DemoPart, DemoPartArgs};
use crate::error::{Error, Result};
use crate::out::Out;

/// A part that takes longer hangs.
pub(super) const MOST: Duration = Duration::from_secs(40);
/// So many attempts that fail are enough to see.
const ATTEMPTS: u64 = 5;
/// Events of a page of history.
const PAGE: usize = 20;

/// What a part tells the demo, a line of JSON each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub(super) enum Said {
    /// A row of the outbox: it survives from here on.
    Taken { write: usize, txn: TxnId, seq: u64 },
    /// An unsent row was changed, or taken back.
    Changed { write: usize },
    /// All is written, and sending it failed so often.
    Written { attempts: u64 },
    /// The outbox is empty and the store is where the server is.
    Drained,
}

pub(super) fn store_file(folder: &Path) -> PathBuf {
    folder.join("outbox.db")
}

pub(super) async fn open(folder: &Path) -> Result<Arc<dyn StorageAdapter>> {
    Ok(haos_store::open(&format!("sqlite:{}", store_file(folder).display())).await?.store)
}

/// Runs one part; a hidden command.
pub(crate) async fn run(args: &DemoPartArgs, out: &mut Out) -> Result<()> {
    let leader = FileLeader::try_acquire(args.folder.join("outbox.leader"))?;
    let Some(_leader) = leader else {
        return Err(Error::Failed("another process sends from this store: end it first".to_owned()));
    };
    let store = open(&args.folder).await?;
    // As a chat client would have it, but in a hurry.
    let retry = RetryPolicy { base_ms: 20, cap_ms: 200, old_cap_ms: 200, ..RetryPolicy::default() };
    let options = OutboxOptions { retry, echo_ms: 500, ..OutboxOptions::default() };
    let outbox = Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(MatrixRules), options)?;
    let client = LoopbackClient::new(args.address).reading(with_relation);
    let driver = Driver::new(outbox.clone(), Arc::new(client.clone()), session()?);
    let driving = tokio::spawn(driver.run(Lead::Alone));
    let part = async {
        match args.part {
            DemoPart::Write => write(&outbox, out).await,
            DemoPart::Send => send(&*store, &client, out).await,
        }
    };
    let ended = tokio::time::timeout(MOST, part).await;
    outbox.stop(1000);
    let drove = driving.await.map_err(|e| Error::Failed(format!("the driver ended: {e}")))?;
    ended.map_err(|_| Error::Failed(format!("a process of the demo hung for {} s", MOST.as_secs())))??;
    drove?;
    Ok(store.close().await?)
}

/// What an event is about stands in its content: what a transport of Matrix sees to.
fn with_relation(event: Event) -> Event {
    let json = json!({
        "event_id": event.id.as_str(),
        "sender": event.sender.as_str(),
        "type": event.kind.as_str(),
        "content": event.content.parse::<Value>().unwrap_or_default(),
    });
    let read = parse_event(json.to_string().as_bytes()).ok();
    Event { relation: event.relation.clone().or(read.and_then(|read| read.relation)), ..event }
}

fn say(out: &mut Out, said: &Said) -> Result<()> {
    out.json(said)?;
    Ok(std::io::Write::flush(out)?)
}

/// Writes the whole script, and waits to be killed while sending fails.
async fn write(outbox: &Outbox, out: &mut Out) -> Result<()> {
    let rooms = rooms()?;
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
            let (kind, content) = MatrixRules.edit(&local_event_id(&about)?, &message, &text(body)?)?;
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

/// What was on its way just then is followed by a row of its own.
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

/// Sends and syncs until nothing is left to do.
async fn send(store: &dyn StorageAdapter, client: &LoopbackClient, out: &mut Out) -> Result<()> {
    let own = session()?.user;
    let rooms = rooms()?;
    loop {
        let token = store.sync_token().await?;
        let Ok(delta) = client.sync(token.as_deref()).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        apply_sync(store, &delta, Some(&own), &MatrixRules).await?;
        let mut gaps = 0;
        for room in &rooms {
            for gap in store.gaps(room).await? {
                gaps += 1;
                if let Ok(page) = client.history(room, gap.token.as_deref(), PAGE).await {
                    apply_page(store, &gap, &page, Some(&own), &MatrixRules).await?;
                }
            }
        }
        let unsent = store.pending(PendingQuery::default()).await?.len();
        if token.is_some() && delta.rooms.is_empty() && gaps + unsent == 0 {
            return say(out, &Said::Drained);
        }
    }
}
