//! The means that only windows have, and those that windows and their workers share.

use std::cell::RefCell;
use std::rc::Rc;

use haos_web::{Beacon, Channel, Lock, Trigger, Triggers};
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget};

use crate::{counter, in_window, unique, until};

fn run(code: &str) -> JsValue {
    Function::new_no_args(code).call0(&JsValue::UNDEFINED).unwrap()
}

/// A worker that runs `code`.
fn worker(code: &str) -> JsValue {
    let text = js_sys::JSON::stringify(&code.into()).unwrap();
    run(&format!("return new Worker(URL.createObjectURL(new Blob([{text}])))"))
}

fn method(object: &JsValue, name: &str) {
    let function: Function = Reflect::get(object, &name.into()).unwrap().unchecked_into();
    function.call0(object).unwrap();
}

#[wasm_bindgen_test]
async fn killed_worker_frees_its_lock() {
    if !in_window() {
        return;
    }
    let name = unique("killed");
    let told = counter();
    let _channel = Channel::open(&name, {
        let told = told.clone();
        move |_| told.set(told.get() + 1)
    });
    let worker = worker(&format!(
        "navigator.locks.request('{name}', () => {{
            new BroadcastChannel('{name}').postMessage('held');
            return new Promise(() => {{}});
        }})"
    ));
    until(|| told.get() == 1).await;
    assert!(Lock::try_acquire(&name).await.unwrap().is_none(), "the worker holds it");
    method(&worker, "terminate");
    drop(Lock::acquire(&name).await.unwrap());
}

#[wasm_bindgen_test]
async fn workers_read_what_a_window_wrote() {
    if !in_window() {
        return;
    }
    let name = unique("beacon");
    let beacon = Beacon::new(name.clone());
    assert!(beacon.write("written in a window").await);
    assert_eq!(beacon.read().await.len(), 2, "localStorage and the Cache API");
    let heard: Rc<RefCell<Option<String>>> = Rc::default();
    let _channel = Channel::open(&name, {
        let heard = heard.clone();
        move |message| drop(heard.replace(message.as_string()))
    });
    let worker = worker(&format!(
        "(async () => {{
            const cache = await caches.open('haos-beacon');
            const response = await cache.match(location.origin + '/.haos-beacon/{name}');
            new BroadcastChannel('{name}').postMessage(await response.text());
        }})()"
    ));
    until(|| heard.borrow().is_some()).await;
    assert_eq!(heard.borrow().as_deref(), Some("written in a window"));
    method(&worker, "terminate");
    beacon.remove().await;
}

#[wasm_bindgen_test]
fn beacon_is_written_at_once() {
    if !in_window() {
        return;
    }
    let beacon = Beacon::new(unique("now"));
    assert!(beacon.write_now("gone in a moment"));
    assert_eq!(beacon.read_now().as_deref(), Some("gone in a moment"));
}

#[wasm_bindgen_test]
fn triggers_tell_of_the_page() {
    if !in_window() {
        return;
    }
    let heard: Rc<RefCell<Vec<Trigger>>> = Rc::default();
    let triggers = Triggers::listen({
        let heard = heard.clone();
        move |trigger| heard.borrow_mut().push(trigger)
    });
    let target = |name: &str| -> EventTarget { run(&format!("return {name}")).unchecked_into() };
    let (window, document) = (target("window"), target("document"));
    for (event, persisted) in [("pagehide", true), ("pageshow", true), ("pageshow", false)] {
        let event = format!("return new PageTransitionEvent('{event}', {{ persisted: {persisted} }})");
        window.dispatch_event(run(&event).unchecked_ref()).unwrap();
    }
    for event in ["freeze", "resume", "visibilitychange"] {
        document.dispatch_event(&Event::new(event).unwrap()).unwrap();
    }
    drop(triggers);
    let seen = if haos_web::is_visible() { Trigger::Visible } else { Trigger::Hidden };
    assert_eq!(
        *heard.borrow(),
        [
            Trigger::PageHide { persisted: true },
            Trigger::PageShow { persisted: true },
            Trigger::PageShow { persisted: false },
            Trigger::Freeze,
            Trigger::Resume,
            seen,
        ]
    );
}
