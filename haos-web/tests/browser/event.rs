use std::cell::RefCell;
use std::rc::Rc;

use haos_web::{Listener, Trigger, Triggers, is_online, is_visible};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget};

use super::counter;

#[wasm_bindgen_test]
fn listener_hears_until_dropped() {
    let target = EventTarget::new().unwrap();
    let heard = counter();
    let listener = Listener::on(&target, "ping", {
        let heard = heard.clone();
        move |event| {
            assert_eq!(event.type_(), "ping");
            heard.set(heard.get() + 1);
        }
    });
    for event in ["ping", "pong", "ping"] {
        target.dispatch_event(&Event::new(event).unwrap()).unwrap();
    }
    assert_eq!(heard.get(), 2);
    drop(listener);
    target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
    assert_eq!(heard.get(), 2);
}

#[wasm_bindgen_test]
fn listener_may_cause_its_event_and_drop_itself() {
    let target = EventTarget::new().unwrap();
    let heard = counter();
    let slot: Rc<RefCell<Option<Listener>>> = Rc::default();
    let listener = Listener::on(&target, "ping", {
        let (target, heard, slot) = (target.clone(), heard.clone(), slot.clone());
        move |_| {
            heard.set(heard.get() + 1);
            target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
            drop(slot.take());
        }
    });
    slot.replace(Some(listener));
    for _ in 0..2 {
        target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
    }
    assert_eq!(heard.get(), 1);
}

#[wasm_bindgen_test]
fn triggers_tell_of_the_network() {
    assert!(is_online(), "the tests came through a network");
    let _ = is_visible();
    let heard: Rc<RefCell<Vec<Trigger>>> = Rc::default();
    let triggers = Triggers::listen({
        let heard = heard.clone();
        move |trigger| heard.borrow_mut().push(trigger)
    });
    let global: JsValue = js_sys::global().into();
    let global: EventTarget = global.unchecked_into();
    let tell = |event| global.dispatch_event(&Event::new(event).unwrap()).unwrap();
    tell("offline");
    tell("online");
    drop(triggers);
    tell("offline");
    assert_eq!(*heard.borrow(), [Trigger::Offline, Trigger::Online]);
}
