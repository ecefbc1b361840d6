//! Messages between the contexts of an origin.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

use crate::{Listener, WebError, js};

const API: &str = "BroadcastChannel";

/// A channel to all other windows and workers of this origin that opened one of the same name, closed when it
/// is dropped. Only they can listen: other origins cannot.
#[derive(Debug)]
#[must_use = "the channel is closed when this is dropped"]
pub struct Channel {
    channel: JsValue,
    _listeners: [Listener; 2],
}

impl Channel {
    /// Opens the channel `name`; `None` where the engine has no `BroadcastChannel` or refuses it.
    ///
    /// `on_message` is called with what others post, in the order of each sender; `undefined` stands for a
    /// message that could not be read. What is posted through this value is not heard by it, but by every other
    /// one, also of the same context.
    pub fn open(name: &str, on_message: impl FnMut(JsValue) + 'static) -> Option<Self> {
        let channel = js::construct(API, &[&name.into()]).ok()?;
        let target: &EventTarget = channel.unchecked_ref();
        let on_message = std::rc::Rc::new(std::cell::RefCell::new(on_message));
        let heard = move |event: Event| {
            let data = js::get(&event, "data").unwrap_or(JsValue::UNDEFINED);
            // Events are not nested, so nobody else holds it.
            if let Ok(mut on_message) = on_message.try_borrow_mut() {
                on_message(data);
            }
        };
        let listeners =
            [Listener::on(target, "message", heard.clone()), Listener::on(target, "messageerror", heard)];
        Some(Self { channel, _listeners: listeners })
    }

    /// Posts `message`, which is cloned, to all others.
    ///
    /// # Errors
    /// `Refused` for what cannot be cloned, such as a function.
    pub fn post(&self, message: &JsValue) -> Result<(), WebError> {
        js::call(API, &self.channel, "postMessage", &[message]).map(drop)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let _ = js::call(API, &self.channel, "close", &[]);
    }
}
