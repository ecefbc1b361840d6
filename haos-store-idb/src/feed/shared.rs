//! The feed of one open store.

use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use haos_store_api::backend::ChangeHub;
use haos_store_api::{Revision, Touched};
use haos_web::{Channel, Trigger, Triggers};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::message::{self, MAX_CHARS, Told};
use super::order::Order;
use crate::durability::StoreId;

/// The database's revision; `None` if it does not answer.
pub(crate) type Stored = LocalBoxFuture<'static, Option<Revision>>;

/// The feed of one open store, until it is dropped.
#[derive(Debug)]
#[must_use = "nothing is heard once this is dropped"]
pub(crate) struct Feed {
    order: Rc<Order>,
    channel: Option<Channel>,
    _triggers: Triggers,
}

impl Feed {
    /// Joins the contexts that have the database `name` open, if it is the same store: one that was deleted and made
    /// again counts its revisions from the start and has another id. `heard` is told first of everything that another
    /// context said, or may have said; `stored` asks the database for its revision.
    pub(crate) fn open(
        name: &str,
        id: StoreId,
        hub: ChangeHub,
        heard: Rc<dyn Fn()>,
        stored: impl Fn() -> Stored + 'static,
    ) -> Self {
        let (order, stored) = (Rc::new(Order::new(hub.clone())), Rc::new(stored));
        let channel = Channel::open(&format!("haos-feed/{id}/{name}"), {
            let (order, heard) = (Rc::clone(&order), Rc::clone(&heard));
            move |message| {
                heard();
                // No transaction is opened for a message that comes in its turn: a page may be frozen at any moment,
                // and would hold up the others' writes with it.
                if order.other(told(&message)) {
                    spawn_local(ask(Rc::clone(&order), Rc::clone(&stored)));
                }
            }
        });
        let triggers = Triggers::listen(move |trigger| {
            // A frozen page hears nothing, and some browsers drop the messages meant for it.
            if matches!(trigger, Trigger::PageShow { persisted: true } | Trigger::Resume) {
                heard();
                hub.resync(hub.latest());
            }
        });
        Self { order, channel, _triggers: triggers }
    }

    /// Tells whether other contexts are heard. If not, their commits become known at the next commit of this one.
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
        self.order.own(revision, touched);
    }

    /// Publishes `revision` here, if commits of others were missed.
    pub(crate) fn saw(&self, revision: Revision) {
        self.order.saw(revision);
    }
}

/// Asks the database as long as messages come that its last answer may have been too early for.
async fn ask(order: Rc<Order>, stored: Rc<impl Fn() -> Stored>) {
    while order.answered(stored().await) {}
}

fn told(message: &JsValue) -> Told {
    // The length is looked at before the text is copied.
    match message.dyn_ref::<js_sys::JsString>() {
        Some(text) if text.length() <= MAX_CHARS => message::decode(&String::from(text)),
        _ => Told::Resync { revision: None },
    }
}
