//! All of the script, written while nothing can be sent.

use std::collections::HashSet;
use std::time::Duration;

use haos::{About, Acted, Chat, Enqueued, RoomId, Sendable as _, Text, TxnId};
use haos_cli::parts::{Error, Out, Result};
use haos_matrix::Mentions;
use haos_matrix::compose::{self, FileInfo};
use haos_queue::Draft;

use super::super::script::{FILE, SCRIPT, THUMBNAIL, Write, bytes};
use super::{Said, say};

/// The number of failed attempts that is enough to see.
const ATTEMPTS: u64 = 5;

/// Writes the whole script, and waits to be killed while sending fails.
pub(super) async fn write(chat: &Chat, rooms: &[RoomId], out: &mut Out) -> Result<()> {
    let mut txns: Vec<Option<TxnId>> = Vec::new();
    for (at, (room, write)) in SCRIPT.into_iter().enumerate() {
        let row = one(chat, &rooms[room], write, &txns).await?;
        txns.push(row.as_ref().map(|row| row.txn_id.clone()));
        say(
            out,
            &match row {
                Some(row) => Said::Taken { write: at, txn: row.txn_id, seq: row.seq },
                None => Said::Changed { write: at },
            },
        )?;
    }
    // A room that no sync told of is asked about before anything goes there: what fails then takes no lease.
    let mut failed = HashSet::new();
    loop {
        let rows = chat.outbox_handle().rows(None).await?;
        let again = rows.into_iter().filter(|row| row.error.is_some());
        failed.extend(again.map(|row| (row.txn_id, row.not_before_ms)));
        let attempts = failed.len() as u64;
        if attempts >= ATTEMPTS {
            say(out, &Said::Written { attempts })?;
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The new row; none if an unsent one was changed.
async fn one(chat: &Chat, room: &RoomId, write: Write, txns: &[Option<TxnId>]) -> Result<Option<Enqueued>> {
    let unknown = |at| Error::Failed(format!("line {at} of the script has no row"));
    let of = |at: usize| txns.get(at).cloned().flatten().map(About::Unsent).ok_or_else(|| unknown(at));
    let draft = match write {
        Write::Text(body) => body.draft(room)?,
        Write::Edit(at, body) => {
            let content = compose::text_content(body, &Mentions::default());
            compose::edit(room, &of(at)?, &content, None)?
        }
        Write::React(at, key) => compose::reaction(room, &of(at)?, key)?,
        Write::Answer(at, body) => Text::new(body).reply_to(of(at)?).draft(room)?,
        Write::File(name) => file(chat, room, name).await?,
        Write::Reword(at, body) => return Ok(followed(chat.room(room).edit(of(at)?, body).await?)),
        Write::TakeBack(at) => return Ok(followed(chat.room(room).redact(of(at)?, None).await?)),
    };
    let enqueued = chat.outbox_handle().enqueue(draft).await.map_err(haos::Error::from)?;
    Ok(Some(enqueued))
}

/// The row that follows one which was on its way just then.
fn followed(acted: Acted) -> Option<Enqueued> {
    match acted {
        Acted::Followed(row) | Acted::Replaced(row) => Some(row),
        _ => None,
    }
}

/// A file in pieces, as a camera would give it, and its thumbnail before it.
async fn file(chat: &Chat, room: &RoomId, name: &str) -> Result<Draft> {
    let (outbox, mime) = (chat.outbox_handle(), "image/png");
    let thumbnail = outbox.stage(room, Some(mime), bytes(THUMBNAIL)).await?;
    let file = bytes(FILE);
    let mut pieces = file.chunks(FILE / 4).map(<[u8]>::to_vec);
    let mut file = outbox.stage(room, Some(mime), pieces.next().unwrap_or_default()).await?;
    for piece in pieces {
        outbox.stage_more(&mut file, piece).await?;
    }
    let info = FileInfo { name: name.to_owned(), mime: Some(mime.to_owned()), ..FileInfo::default() };
    Ok(compose::file(room, &info, file, Some(thumbnail))?)
}
