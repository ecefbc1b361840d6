use std::cell::RefCell;
use std::rc::Rc;

use haos_web::Channel;
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{counter, unique, until};

#[wasm_bindgen_test]
async fn others_hear_in_order() {
    let name = unique("channel");
    let heard: Rc<RefCell<Vec<f64>>> = Rc::default();
    let own = counter();
    let sender = Channel::open(&name, {
        let own = own.clone();
        move |_| own.set(own.get() + 1)
    });
    let sender = sender.unwrap();
    let receiver = Channel::open(&name, {
        let heard = heard.clone();
        move |message| heard.borrow_mut().push(message.as_f64().unwrap())
    });
    let strange = counter();
    let elsewhere = Channel::open(&unique("elsewhere"), {
        let strange = strange.clone();
        move |_| strange.set(strange.get() + 1)
    });
    for n in 0..50 {
        sender.post(&JsValue::from(n)).unwrap();
    }
    until(|| heard.borrow().len() == 50).await;
    assert!(heard.borrow().iter().copied().eq((0..50).map(f64::from)));
    assert_eq!((own.get(), strange.get()), (0, 0), "neither its own nor another's");
    drop((receiver, elsewhere));
}

#[wasm_bindgen_test]
async fn dropped_channel_is_deaf() {
    let name = unique("deaf");
    let (deaf, hears) = (counter(), counter());
    let open = |count: &Rc<std::cell::Cell<u32>>| {
        let count = count.clone();
        Channel::open(&name, move |_| count.set(count.get() + 1)).unwrap()
    };
    let (sender, closed, _receiver) = (open(&counter()), open(&deaf), open(&hears));
    sender.post(&JsValue::from(1)).unwrap();
    drop(closed);
    sender.post(&JsValue::from(2)).unwrap();
    until(|| hears.get() == 2).await;
    assert_eq!(deaf.get(), 0);
}

#[wasm_bindgen_test]
fn what_cannot_be_cloned_is_refused() {
    let channel = Channel::open(&unique("refused"), |_| ()).unwrap();
    let error = channel.post(&Function::new_no_args("")).unwrap_err();
    assert_eq!(error.name(), "DataCloneError");
}
