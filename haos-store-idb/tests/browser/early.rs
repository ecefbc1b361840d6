//! What a page shows before the store is open, as its script reads it.

use haos_store_api::backend::Crc32;
use haos_store_api::{
    ErrorKind, EventId, EventType, Json, KeyChange, Maintenance, Membership, Message, Position, Progress,
    Redact, Revision, Room, RoomId, Secret, StorageAdapter, UserId, WriteBatch,
};
use haos_store_idb::{IdbOptions, IdbStore};
use js_sys::{Function, JSON, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::canary::unique;

const SCRIPT: &str = include_str!("../../js/early.js");

/// Runs code with the script's function; `args` are its arguments.
async fn run(code: &str, args: [&JsValue; 3]) -> JsValue {
    let script = SCRIPT.replace("export function", "function");
    let code = format!("{script}\nreturn (async () => {{ {code} }})()");
    let function = Function::new_with_args("name, one, other", &code);
    let [name, one, other] = args;
    let promise = function.call3(&JsValue::NULL, name, one, other).unwrap();
    JsFuture::from(promise.unchecked_into::<Promise>()).await.unwrap()
}

/// Returns what the script hands out, as JSON text.
async fn kept(name: &str, key: &JsValue) -> Option<String> {
    let code = "const close = early(name, one); const kept = await close.kept; close(); return kept";
    let kept = run(code, [&name.into(), key, &JsValue::UNDEFINED]).await;
    (!kept.is_undefined()).then(|| String::from(JSON::stringify(&kept).unwrap()))
}

const META: &str = "
    const request = indexedDB.open(name);
    await new Promise((resolve, reject) => { request.onsuccess = resolve; request.onerror = reject; });
    const transaction = request.result.transaction('meta', 'readwrite');
    const meta = transaction.objectStore('meta');
    const asked = other === undefined ? meta.get(one) : meta.put(other, one);
    await new Promise((resolve, reject) => { transaction.oncomplete = resolve; transaction.onabort = reject; });
    request.result.close();
    return asked.result;
";

/// Reads a named record of a store past its back.
async fn meta(name: &str, record: &str) -> Option<Vec<u8>> {
    let found = run(META, [&name.into(), &record.into(), &JsValue::UNDEFINED]).await;
    found.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec())
}

async fn put_meta(name: &str, record: &str, bytes: &[u8]) {
    run(META, [&name.into(), &record.into(), &Uint8Array::from(bytes).into()]).await;
}

fn room() -> RoomId {
    RoomId::new("!room").unwrap()
}

fn message(number: u64) -> Message {
    Message {
        room: room(),
        id: EventId::new(format!("$event{number}")).unwrap(),
        position: Position::new(1000 + number).unwrap(),
        sender: UserId::new("@ada").unwrap(),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::of("hello").unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

async fn say(store: &IdbStore, number: u64) -> Revision {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(), Membership::Join));
    batch.put_message(message(number));
    store.apply(batch).await.unwrap().revision
}

fn content() -> Json {
    Json::new("{\"rooms\":[\"žluť\"]}").unwrap()
}

fn shown(at: Revision) -> Option<String> {
    Some(format!("{{\"revision\":{},\"content\":{{\"rooms\":[\"žluť\"]}}}}", at.0))
}

fn options(name: &str, is_sealed: bool) -> IdbOptions {
    let options = IdbOptions::new(name);
    if is_sealed { options.secret(Secret::key([7; 32])) } else { options }
}

/// Returns a store with a message and its revision.
async fn begun(name: &str, is_sealed: bool) -> (IdbStore, Revision) {
    let store = IdbStore::open(options(name, is_sealed)).await.unwrap();
    let at = say(&store, 1).await;
    (store, at)
}

async fn key_of(store: &IdbStore) -> JsValue {
    store.early_key().await.unwrap().map_or(JsValue::UNDEFINED, JsValue::from)
}

#[wasm_bindgen_test]
async fn an_absent_or_foreign_database_keeps_nothing_and_stays_as_it_is() {
    let name = unique("early-absent");
    assert_eq!(kept(&name, &JsValue::UNDEFINED).await, None);
    // WebKit goes on to list what was not made, without a version.
    let exists = "const all = await indexedDB.databases();
        return all.some((database) => database.name === name && database.version > 0)";
    assert_eq!(run(exists, [&name.as_str().into(), &JsValue::NULL, &JsValue::NULL]).await, JsValue::FALSE);
    let foreign = "const request = indexedDB.open(name, 2); await new Promise((resolve) => request.onsuccess = resolve);
        request.result.close();";
    run(foreign, [&name.as_str().into(), &JsValue::NULL, &JsValue::NULL]).await;
    assert_eq!(kept(&name, &JsValue::UNDEFINED).await, None);
}

#[wasm_bindgen_test]
async fn what_was_kept_is_handed_out_plain_and_sealed() {
    for is_sealed in [false, true] {
        let name = unique("early");
        let (store, at) = begun(&name, is_sealed).await;
        let key = key_of(&store).await;
        assert_eq!(key.is_undefined(), !is_sealed);
        assert_eq!((kept(&name, &key).await, store.early().await.unwrap().is_some()), (None, false));
        assert!(store.keep_early(at, &content()).await.unwrap());
        let early = store.early().await.unwrap().unwrap();
        assert_eq!((early.revision, early.content.as_str()), (at, content().as_str()));
        assert_eq!(kept(&name, &key).await, shown(at), "the log has the latest commit");
        let later = say(&store, 2).await;
        assert_eq!(kept(&name, &key).await, shown(at), "an older one is shown");
        store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
        assert_eq!(kept(&name, &key).await, shown(at), "folded");
        assert!(store.keep_early(later, &content()).await.unwrap());
        store.close().await.unwrap();
        assert_eq!(kept(&name, &key).await, shown(later));
        let store = IdbStore::open(options(&name, is_sealed)).await.unwrap();
        assert_eq!(store.early().await.unwrap().map(|early| early.revision), Some(later));
        store.close().await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn what_is_sealed_needs_its_key() {
    let (name, other) = (unique("early-sealed"), unique("early-other"));
    let (store, at) = begun(&name, true).await;
    assert!(store.keep_early(at, &content()).await.unwrap());
    let record = meta(&name, "early").await.unwrap();
    assert!(!record.windows(5).any(|part| part == b"rooms"), "it is sealed");
    assert_eq!(kept(&name, &JsValue::UNDEFINED).await, None, "no key");
    let (stranger, at) = begun(&other, true).await;
    let strange = key_of(&stranger).await;
    assert_eq!(kept(&name, &strange).await, None, "another store's key");
    let key = key_of(&store).await;
    let exported = "try { await crypto.subtle.exportKey('raw', one); return true } catch { return false }";
    assert_eq!(run(exported, [&JsValue::NULL, &key, &JsValue::NULL]).await, JsValue::FALSE);

    let plain = plain(&name, at).await;
    put_meta(&name, "early", &plain).await;
    assert_eq!(kept(&name, &key).await, None, "a plain one in a sealed store");
    assert!(store.early().await.unwrap().is_none());
    stranger.close().await.unwrap();
    store.close().await.unwrap();
}

/// Makes the record of a plain store, or one that looks like it.
async fn plain(name: &str, at: Revision) -> Vec<u8> {
    let id = meta(name, "id").await.unwrap();
    let mut record = [&[1], at.0.to_be_bytes().as_slice(), &id, content().as_str().as_bytes()].concat();
    record.extend(Crc32::of(&record).to_be_bytes());
    record
}

#[wasm_bindgen_test]
async fn what_is_damaged_or_newer_or_a_strangers_is_not_shown() {
    let name = unique("early-damaged");
    let (store, at) = begun(&name, false).await;
    let good = plain(&name, at).await;
    let changed = |place: usize| {
        let mut bytes = good.clone();
        bytes[place] ^= 1;
        bytes
    };
    let newer = plain(&name, Revision(at.0 + 1)).await;
    for is_folded in [false, true] {
        let mut bad = vec![Vec::new(), b"no record".to_vec(), vec![0; 99], newer.clone()];
        // Its kind, its revision, its store, its content and its checksum.
        bad.extend([0, 8, 20, 30, good.len() - 1].map(changed));
        bad.extend([10, 25, good.len() - 1].map(|cut| good[..cut].to_vec()));
        for record in bad {
            put_meta(&name, "early", &record).await;
            assert_eq!(kept(&name, &JsValue::UNDEFINED).await, None, "{record:?}");
            assert!(store.early().await.unwrap().is_none(), "{record:?}");
        }
        put_meta(&name, "early", &good).await;
        assert_eq!(kept(&name, &JsValue::UNDEFINED).await, shown(at));
        assert!(store.early().await.unwrap().is_some());
        if !is_folded {
            store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
        }
    }
    say(&store, 2).await;
    put_meta(&name, "early", &newer).await;
    assert_eq!(kept(&name, &JsValue::UNDEFINED).await, shown(Revision(at.0 + 1)), "it is newer no more");
    store.close().await.unwrap();
}

#[wasm_bindgen_test]
async fn only_the_latest_state_is_kept() {
    let name = unique("early-late");
    let (store, at) = begun(&name, false).await;
    let other = IdbStore::open(options(&name, false)).await.unwrap();
    let later = say(&other, 2).await;
    assert!(!store.keep_early(at, &content()).await.unwrap(), "another context committed");
    assert!(!store.keep_early(Revision(later.0 + 1), &content()).await.unwrap(), "there is no such commit");
    assert!(store.early().await.unwrap().is_none());
    assert!(store.keep_early(later, &content()).await.unwrap());
    let large = Json::of(&"x".repeat(48 << 10)).unwrap();
    assert_eq!(store.keep_early(later, &large).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert!(other.early().await.unwrap().is_some(), "what was kept stays");
    other.close().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.keep_early(later, &content()).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.early().await.unwrap_err().kind(), ErrorKind::Closed);
}

#[wasm_bindgen_test]
async fn it_goes_with_what_it_may_show_and_with_its_key() {
    let name = unique("early-erased");
    let (store, _) = begun(&name, true).await;
    let redact = |batch: &mut WriteBatch| {
        let content = Json::new("{}").unwrap();
        let by = EventId::new("$by").unwrap();
        batch.redact(Redact { room: room(), target: message(2).id, by, content });
    };
    let erasing: [&dyn Fn(&mut WriteBatch); 4] = [
        &redact,
        &|batch| {
            batch.remove_message(room(), message(3).id);
        },
        &|batch| {
            batch.remove_room(room());
        },
        // Folded at once, since it is large.
        &|batch| {
            let large = Json::of(&"x".repeat(300 << 10)).unwrap();
            batch.remove_message(room(), message(2).id);
            batch.put_message(Message { content: large, ..message(9) });
        },
    ];
    for erase in erasing {
        say(&store, 2).await;
        let at = say(&store, 3).await;
        assert!(store.keep_early(store.info().opened_at.max(at), &content()).await.unwrap());
        let mut batch = WriteBatch::relaxed();
        erase(&mut batch);
        store.apply(batch).await.unwrap();
        assert_eq!(meta(&name, "early").await, None);
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(room(), Membership::Leave));
        store.apply(batch).await.unwrap();
    }
    let at = say(&store, 4).await;
    let key = key_of(&store).await;
    assert!(store.keep_early(at, &content()).await.unwrap());
    store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(meta(&name, "early").await, None, "under a key that is gone");
    assert!(store.keep_early(at, &content()).await.unwrap());
    assert_eq!(kept(&name, &key).await, None);
    assert_eq!(kept(&name, &key_of(&store).await).await, shown(at));
    store.change_keys(KeyChange::Shred).await.unwrap();
    assert_eq!(meta(&name, "early").await, None);
}
