//! The effect of the network and of the page's life on a term.

use haos_web::{Trigger, is_online};

use super::background::ask_if_left;
use super::term::Term;

impl Term<'_> {
    pub(super) fn trigger(&mut self, trigger: Trigger) {
        match trigger {
            Trigger::Online => self.network(true),
            Trigger::Offline => {
                self.network(false);
                self.ask_for_sync();
            }
            // The network may have come back while nothing was heard.
            Trigger::Visible | Trigger::Resume | Trigger::PageShow { .. } if self.offline.is_some() => {
                self.network(is_online());
            }
            Trigger::Visible | Trigger::Resume | Trigger::PageShow { .. } => self.driver.outbox.try_now(),
            Trigger::Hidden => self.ask_for_sync(),
            _ => {}
        }
    }

    /// The browser says whether there is a network. Without one, no attempts are wasted.
    pub(super) fn network(&mut self, online: bool) {
        self.offline = (!online && self.options.offline_ms > 0)
            .then(|| self.driver.outbox.host().sleep(self.options.offline_ms));
        self.reset |= online;
        self.driver.outbox.platform_online(online);
    }

    fn ask_for_sync(&self) {
        if let Some(tag) = &self.options.sync_tag {
            ask_if_left(self.driver.outbox.clone(), tag.clone());
        }
    }
}
