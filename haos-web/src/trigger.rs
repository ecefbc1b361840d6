//! Events of a context: the network, visibility, and the life cycle of its page.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

use crate::{Listener, js};

/// An event of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// The device has a network again; whether a server can be reached is not known.
    Online,
    /// The device has no network.
    Offline,
    /// The page can be seen.
    Visible,
    /// The page cannot be seen. On mobile systems this is the last that a page hears.
    Hidden,
    /// The page is shown.
    PageShow {
        /// It came back from the back/forward cache.
        persisted: bool,
    },
    /// The page is left.
    PageHide {
        /// It may come back from the back/forward cache.
        persisted: bool,
    },
    /// The browser freezes the page: no more code runs until `Resume`, or ever.
    Freeze,
    /// The page runs again.
    Resume,
}

/// The listeners of every trigger that this context has, removed when it is dropped.
///
/// A window hears all of them (`Freeze` and `Resume` in Chromium only), a worker `Online` and `Offline`.
#[must_use = "the listeners are removed when this is dropped"]
pub struct Triggers {
    _listeners: Vec<Listener>,
}

impl Triggers {
    /// Calls `heard` with every trigger.
    pub fn listen(heard: impl FnMut(Trigger) + 'static) -> Self {
        let heard: Rc<RefCell<dyn FnMut(Trigger)>> = Rc::new(RefCell::new(heard));
        let global: JsValue = js_sys::global().into();
        let mut listeners = Vec::new();
        for event in ["online", "offline", "pageshow", "pagehide"] {
            listeners.push(listen(&global, event, &heard));
        }
        if let Some(document) = js::global("document") {
            for event in ["visibilitychange", "freeze", "resume"] {
                listeners.push(listen(&document, event, &heard));
            }
        }
        Self { _listeners: listeners }
    }
}

impl fmt::Debug for Triggers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Triggers").finish_non_exhaustive()
    }
}

fn listen(target: &JsValue, event: &'static str, heard: &Rc<RefCell<dyn FnMut(Trigger)>>) -> Listener {
    let heard = heard.clone();
    let target: &EventTarget = target.unchecked_ref();
    Listener::on(target, event, move |event| {
        // A trigger that the call itself causes is not told again.
        if let (Some(trigger), Ok(mut heard)) = (trigger(&event), heard.try_borrow_mut()) {
            heard(trigger);
        }
    })
}

fn trigger(event: &Event) -> Option<Trigger> {
    let persisted = || js::get(event, "persisted").is_some_and(|value| value.is_truthy());
    Some(match event.type_().as_str() {
        "online" => Trigger::Online,
        "offline" => Trigger::Offline,
        "pageshow" => Trigger::PageShow { persisted: persisted() },
        "pagehide" => Trigger::PageHide { persisted: persisted() },
        "visibilitychange" if is_visible() => Trigger::Visible,
        "visibilitychange" => Trigger::Hidden,
        "freeze" => Trigger::Freeze,
        "resume" => Trigger::Resume,
        _ => return None,
    })
}

/// Tells if the device has a network, as far as the browser knows; true where it does not say.
pub fn is_online() -> bool {
    js::navigator("onLine").is_none_or(|value| !value.is_falsy())
}

/// Tells if the page can be seen; true in workers, which cannot know.
pub fn is_visible() -> bool {
    let state = js::global("document").and_then(|document| js::get(&document, "visibilityState"));
    state.is_none_or(|state| state.as_string().as_deref() != Some("hidden"))
}
