use haos_store_api::{
    EventId, Item, MessageView, RelationKind, Result, RoomId, Slice, StorageAdapter, StorageAdapterExt as _,
    ViewItem,
};
use jiff::Timestamp;

use super::names::Names;
use super::{Attachment, Shows};

/// The most characters of a quotation.
const QUOTED: usize = 120;
const REMOVED: &str = "message removed";

/// A message to show.
pub(super) struct Entry<'v> {
    pub(super) view: &'v MessageView,
    /// The sender's name.
    pub(super) sender: String,
    pub(super) text: Option<String>,
    /// The message that it answers.
    pub(super) quote: Option<Quote>,
    pub(super) file: Option<Saved>,
}

/// The message that another one answers.
pub(super) struct Quote {
    pub(super) sender: String,
    pub(super) text: String,
}

/// An attachment, and the path of its bytes from the room's folder; absent if they are not exported.
pub(super) struct Saved {
    pub(super) attachment: Attachment,
    pub(super) path: Option<String>,
}

impl<'v> Entry<'v> {
    /// Reads what a message shows of others.
    pub(super) async fn read(
        store: &dyn StorageAdapter,
        shows: &dyn Shows,
        names: &mut Names<'_>,
        view: &'v MessageView,
        file: Option<Saved>,
    ) -> Result<Self> {
        let sender = names.of(store, &view.message.sender).await?;
        let quote = match answered(view) {
            Some(target) => Quote::read(store, shows, names, &view.message.room, target).await?,
            None => None,
        };
        let text = if view.is_redacted() { None } else { shows.text(view) };
        Ok(Self { view, sender, text, quote, file })
    }

    /// Returns the words that stand for a message without a text.
    pub(super) fn stand_in(&self) -> String {
        if self.view.is_redacted() {
            return REMOVED.to_owned();
        }
        match self.view.message.state_key.as_ref().map(|key| key.as_str()) {
            None | Some("") => self.view.message.kind.to_string(),
            Some(about) => format!("{} of {about}", self.view.message.kind),
        }
    }

    pub(super) fn time(&self) -> String {
        time(self.view.message.timestamp_ms)
    }
}

fn answered(view: &MessageView) -> Option<&EventId> {
    let relation = view.message.relation.as_ref()?;
    (relation.kind == RelationKind::Reply).then_some(&relation.target)
}

impl Quote {
    async fn read(
        store: &dyn StorageAdapter,
        shows: &dyn Shows,
        names: &mut Names<'_>,
        room: &RoomId,
        target: &EventId,
    ) -> Result<Option<Self>> {
        let Some(message) = store.message(room, target).await? else { return Ok(None) };
        let sender = message.sender.clone();
        // As it is shown in its own place: of its latest edit.
        let slice = Slice { items: vec![Item::Message(message)], more: false };
        let text = match store.view_of(room, slice).await?.items.first() {
            Some(ViewItem::Message(view)) if view.is_redacted() => REMOVED.to_owned(),
            Some(ViewItem::Message(view)) => shows.text(view).unwrap_or_default(),
            _ => String::new(),
        };
        let line = text.lines().next().unwrap_or_default();
        let mut text: String = line.chars().take(QUOTED).collect();
        if text.len() < line.len() {
            text.push('…');
        }
        Ok(Some(Self { sender: names.of(store, &sender).await?, text }))
    }
}

/// Writes a moment as `2026-01-31 12:00:00 UTC`.
pub(super) fn time(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{ms} ms"),
    }
}
