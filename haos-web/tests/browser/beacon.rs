use haos_web::Beacon;
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use super::unique;

#[wasm_bindgen_test]
async fn keeps_what_was_written_last() {
    let beacon = Beacon::new(unique("a name/with?signs#ü"));
    assert!(beacon.is_available());
    assert!(beacon.read().await.is_empty());
    for text in ["one", "two, with ünïcode"] {
        assert!(beacon.write(text).await);
        let copies = beacon.read().await;
        console_log!("{} copies", copies.len());
        assert!(!copies.is_empty() && copies.iter().all(|copy| copy == text), "{copies:?}");
    }
    assert!(Beacon::new(unique("other")).read().await.is_empty());
    beacon.remove().await;
    assert!(beacon.read().await.is_empty());
    beacon.remove().await;
}
