use std::collections::HashSet;
use std::sync::Arc;

use haos::{TimelineItem, TimelineItemKind};

/// Finds what shows twice, and what goes and comes back.
#[derive(Default)]
pub(super) struct Flicker {
    unsent: HashSet<Arc<str>>,
    /// What was unsent and went.
    gone: HashSet<Arc<str>>,
}

impl Flicker {
    /// Looks at the items as they are now.
    pub(super) fn look(&mut self, items: &[Arc<TimelineItem>]) -> Option<String> {
        let mut shown = HashSet::new();
        for item in items {
            if !shown.insert(&*item.id) {
                return Some(format!("two items have one id: {item:?}"));
            }
            if self.gone.contains(&item.id) {
                return Some(format!("it went, and came back: {item:?}"));
            }
        }
        let mut events = HashSet::new();
        for item in items {
            if let TimelineItemKind::Event(event) = &item.kind
                && !events.insert(&event.event_id)
            {
                return Some(format!("it shows twice: {item:?}"));
            }
        }
        self.gone.extend(self.unsent.drain().filter(|id| !shown.contains(&**id)));
        let unsent = items.iter().filter(|item| matches!(item.kind, TimelineItemKind::Local(_)));
        self.unsent.extend(unsent.map(|item| item.id.clone()));
        None
    }
}
