//! The feed of one open store.

use std::collections::BTreeSet;

use haos_store_api::{ChangeHub, Revision, Touched};
use haos_web::{Channel, Trigger, Triggers};
use wasm_bindgen::{JsCast, JsValue};

use super::message::{self, MAX_CHARS, Told};
use super::order;
use crate::durability::StoreId;

/// The feed of one open store, until it is dropped.
#[derive(Debug)]
#[must_use = "nothing is heard once this is dropped"]
pub(crate) struct Feed {
    hub: ChangeHub,
    channel: Option<Channel>,
    _triggers: Triggers,
}

impl Feed {
    /// Joins the contexts that have the database `name` open, if it is the same store: one that was deleted and
    /// made again counts its revisions anew and has another id.
    pub(crate) fn open(name: &str, id: StoreId, hub: ChangeHub) -> Self {
        let channel = Channel::open(&format!("haos-feed/{id}/{name}"), {
            let hub = hub.clone();
            move |message| order::other(&hub, told(&message))
        });
        let triggers = Triggers::listen({
            let hub = hub.clone();
            move |trigger| {
                // A frozen page hears nothing, and some browsers drop what it would have heard.
                if matches!(trigger, Trigger::PageShow { persisted: true } | Trigger::Resume) {
                    hub.resync(hub.latest());
                }
            }
        });
        Self { hub, channel, _triggers: triggers }
    }

    /// Whether other contexts are heard. If not, what they commit is known at the next commit of this one.
    pub(crate) fn is_shared(&self) -> bool {
        self.channel.is_some()
    }

    /// Tells of a commit of this context, here and to the others.
    pub(crate) fn tell(&self, revision: Revision, touched: BTreeSet<Touched>) {
        if let Some(channel) = &self.channel {
            // Others that miss it learn of it from the revision of the next.
            if let Err(error) = channel.post(&message::encode(revision, &touched).into()) {
                tracing::debug!(%error, "a change was not posted");
            }
        }
        order::own(&self.hub, revision, touched);
    }

    /// Tells here that the store is at `revision`, if commits of others were missed.
    pub(crate) fn saw(&self, revision: Revision) {
        order::other(&self.hub, Told::Resync { revision: Some(revision) });
    }
}

fn told(message: &JsValue) -> Told {
    // The length is looked at before the text is copied.
    match message.dyn_ref::<js_sys::JsString>() {
        Some(text) if text.length() <= MAX_CHARS => message::decode(&String::from(text)),
        _ => Told::Resync { revision: None },
    }
}
