//! Timelines, cut into runs without a gap.

use haos_queue::{Before, HistoryRun, merge_run};
use haos_store_api::{Collection, EventId, Item, Message, Result, RoomId, StorageAdapter};

use super::{Reason, Restore};

/// The most messages of one commit.
const MOST_MESSAGES: usize = 500;
/// The most bytes of one commit, but for the last message.
const MOST_BYTES: usize = 1 << 20;

/// The messages of a room that are not written yet.
#[derive(Debug)]
pub(super) struct Stretch {
    room: RoomId,
    before: Before,
    messages: Vec<Message>,
    bytes: usize,
    /// The newest message so far that is no guess.
    last: Option<EventId>,
}

impl Stretch {
    fn new(room: RoomId) -> Self {
        Self { room, before: Before::Nothing, messages: Vec::new(), bytes: 0, last: None }
    }

    /// Takes the run so far; what comes next goes on from it.
    fn cut(&mut self) -> HistoryRun {
        let next = match (&self.last, &self.before) {
            (Some(last), _) => Before::Message(last.clone()),
            // Guesses alone are nothing to go on from.
            (None, before) => before.clone(),
        };
        self.bytes = 0;
        HistoryRun {
            room: self.room.clone(),
            before: std::mem::replace(&mut self.before, next),
            messages: std::mem::take(&mut self.messages),
        }
    }
}

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    pub(super) async fn timeline(&mut self, room: RoomId, items: Vec<Item>) -> Result<()> {
        if self.stretch.as_ref().is_some_and(|stretch| stretch.room != room) {
            self.end_timeline().await?;
        }
        let mut stretch = self.stretch.take().unwrap_or_else(|| Stretch::new(room));
        for item in items {
            match item {
                Item::Gap(gap) => {
                    if !stretch.messages.is_empty() {
                        self.merge(stretch.cut()).await?;
                    }
                    let after = stretch.last.clone();
                    stretch.before = Before::Gap { after, token: gap.token, position: gap.position };
                }
                Item::Message(message) => {
                    let extra = message.extra.as_ref().map_or(0, |extra| extra.as_str().len());
                    stretch.bytes += message.content.as_str().len() + extra;
                    if !message.provisional {
                        stretch.last = Some(message.id.clone());
                    }
                    stretch.messages.push(message);
                    if stretch.messages.len() >= MOST_MESSAGES || stretch.bytes >= MOST_BYTES {
                        self.merge(stretch.cut()).await?;
                    }
                }
            }
        }
        self.stretch = Some(stretch);
        Ok(())
    }

    /// Writes what is left of a room: messages, or a gap that nothing follows.
    pub(super) async fn end_timeline(&mut self) -> Result<()> {
        let Some(mut stretch) = self.stretch.take() else { return Ok(()) };
        if stretch.messages.is_empty() && !matches!(stretch.before, Before::Gap { .. }) {
            return Ok(());
        }
        self.merge(stretch.cut()).await
    }

    async fn merge(&mut self, run: HistoryRun) -> Result<()> {
        let protocol = self.options.protocol.clone();
        let rows = run.messages.len() as u64;
        match merge_run(self.store, &run, self.own.as_ref(), &*protocol).await? {
            None => self.done.leave_out(Collection::Messages, Reason::NoRoom, rows),
            Some(merged) => {
                self.changed |= merged.changed;
                self.done.new_rows(Collection::Messages, merged.new);
                self.done.merged_rows(Collection::Messages, merged.learned);
                self.done.unchanged_rows(Collection::Messages, merged.held);
            }
        }
        Ok(())
    }
}
