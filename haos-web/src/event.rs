//! Listeners of events.

use std::cell::RefCell;
use std::fmt;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

/// A listener of one event of one target, removed when it is dropped.
#[must_use = "the listener is removed when this is dropped"]
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    heard: Closure<dyn Fn(Event)>,
}

impl Listener {
    /// Calls `heard` with every `event` of `target`. An event that `heard` itself causes within its call is
    /// not told again.
    pub fn on(target: &EventTarget, event: &'static str, heard: impl FnMut(Event) + 'static) -> Self {
        let heard = RefCell::new(heard);
        let heard = Closure::new(move |event| {
            if let Ok(mut heard) = heard.try_borrow_mut() {
                heard(event);
            }
        });
        // It is refused for what is no target only, and an `EventTarget` is one.
        let _ = target.add_event_listener_with_callback(event, heard.as_ref().unchecked_ref());
        Self { target: target.clone(), event, heard }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ =
            self.target.remove_event_listener_with_callback(self.event, self.heard.as_ref().unchecked_ref());
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("event", &self.event).finish_non_exhaustive()
    }
}
