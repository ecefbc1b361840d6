//! The store at the end, held against the server.

use haos_cli::parts::{Result, body};
use haos_store_api::{
    ByteRange, Json, MediaFormat, MediaKey, MediaQuery, MediaUri, Page, PendingQuery, StorageAdapter,
    StorageAdapterExt as _, ViewItem,
};
use serde_json::Value;

use super::super::super::truth::{Slot, Timelines};
use super::super::super::verify;
use super::super::script::{FILE, SCRIPT, THUMBNAIL, Write, bytes};
use super::super::server::{Held, Place, Server};
use super::{Arrived, wrong};

/// The bytes are on the server once, and in the store under the server's name; how many.
pub(super) async fn media(
    store: &dyn StorageAdapter,
    server: &impl Server,
    files_held: Option<usize>,
    arrived: &Arrived<'_>,
) -> Result<u64> {
    let (mut size, mut files) = (0, 0);
    for (at, kept) in arrived {
        let Write::File(name) = SCRIPT[*at].1 else { continue };
        let content: Value = kept.event.content.parse()?;
        for (uri, bytes) in
            [(&content["url"], bytes(FILE)), (&content["info"]["thumbnail_url"], bytes(THUMBNAIL))]
        {
            let uri = MediaUri::new(uri.as_str().unwrap_or_default())?;
            if server.file(&uri).await?.as_ref() != Some(&bytes) {
                return wrong(format_args!("the server has other bytes of {name} at {uri}"));
            }
            let key = MediaKey { uri, format: MediaFormat::new("")? };
            let held = store.media(&key, ByteRange::ALL).await?;
            if held.is_none_or(|held| held.bytes != bytes) {
                return wrong(format_args!("the store has other bytes of {name} at {}", key.uri));
            }
            (size, files) = (size + bytes.len() as u64, files + 1);
        }
    }
    if files_held.is_some_and(|held| held != files) {
        return wrong("bytes were uploaded twice");
    }
    match store
        .media_index(MediaQuery::default())
        .await?
        .iter()
        .find(|info| !info.key.uri.as_str().starts_with("mxc:"))
    {
        Some(info) => wrong(format_args!("{} is left in the store", info.key.uri)),
        None => Ok(size),
    }
}

/// The store's timelines are the server's, and its outbox is empty; how many events.
pub(super) async fn same(store: &dyn StorageAdapter, held: &Held) -> Result<u64> {
    let mut expected = Timelines::new();
    for (id, events) in &held.rooms {
        let slots = events.iter().map(|sent| Slot::Event(sent.event.id.as_str()));
        expected.insert(id.as_str(), slots.collect());
    }
    let stored = verify::timelines(store).await?;
    verify::same(&expected, &stored)?;
    for message in stored.values().flatten().filter_map(|item| item.as_message()) {
        let mut events = held.rooms.get(&message.room).into_iter().flatten();
        let sent = events.find(|sent| sent.event.id == message.id);
        if sent.is_none_or(|sent| !alike(&sent.event.content, &message.content, held.exact)) {
            return wrong(format_args!("{} has another content in the store", message.id));
        }
    }
    if !store.pending(PendingQuery::default()).await?.is_empty() {
        return wrong("rows are left in the outbox");
    }
    Ok(verify::count(&stored).0)
}

/// Tells if two contents are the same: byte for byte, or by their meaning.
fn alike(a: &Json, b: &Json, exact: bool) -> bool {
    a == b || !exact && matches!((a.parse::<Value>(), b.parse::<Value>()), (Ok(a), Ok(b)) if a == b)
}

/// How the edited text and the one with a reaction show.
pub(super) async fn shown(
    store: &dyn StorageAdapter,
    places: &[Place],
    arrived: &Arrived<'_>,
) -> Result<String> {
    let mut lines = Vec::new();
    for (room, write) in SCRIPT {
        let (Write::Edit(of, _) | Write::React(of, _)) = write else { continue };
        let view = store.timeline_view(&places[room].id, Page::newest(1000)).await?;
        let found = view.items.iter().find_map(|item| match item {
            ViewItem::Message(view) if arrived.get(&of).is_some_and(|of| of.event.id == view.message.id) => {
                Some(view)
            }
            _ => None,
        });
        let Some(view) = found else { return wrong(format_args!("{} does not show", SCRIPT[of].1.name())) };
        let body = body(view).unwrap_or_default();
        lines.push(match write {
            Write::Edit(_, new) if view.edit.is_some() && body == new => format!("“{body}” (edited)"),
            Write::React(_, key) if view.reactions.iter().any(|group| group.key == key) => {
                format!("“{body}” [{key} 1]")
            }
            _ => return wrong(format_args!("{} does not show", write.name())),
        });
    }
    Ok(lines.join(", "))
}
