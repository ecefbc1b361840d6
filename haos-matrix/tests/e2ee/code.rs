//! Code for encryption that comes apart from the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use haos_matrix::{ClientOptions, KeyCode};
use haos_store_api::StorageAdapterExt as _;
use haos_stub::town::Town;

use super::world::{Person, ROOM, options, until};

/// Code that fails to load as often as is said.
#[derive(Debug, Default)]
struct Code {
    failures: AtomicU32,
    loads: AtomicU32,
}

#[async_trait::async_trait]
impl KeyCode for Code {
    async fn load(&self) -> Result<(), String> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        match self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err("no network".to_owned()),
            Err(_) => Ok(()),
        }
    }
}

/// Ada, whose code comes apart; she is in no room.
async fn ada(town: &Town, failures: u32) -> (Person, Arc<Code>) {
    let code = Arc::new(Code { failures: failures.into(), ..Code::default() });
    let options = ClientOptions { key_code: Some(code.clone()), ..options() };
    (Person::logged_in(town, "ada", &options).await, code)
}

#[tokio::test]
async fn it_is_loaded_for_the_first_encrypted_room_and_not_before() {
    let town = Town::start();
    let bob = Person::new(&town, "bob").await;
    let (ada, code) = ada(&town, 0).await;
    until("ada syncs", async || ada.client.store().sync_token().await.unwrap().is_some()).await;
    let asked = |what: &str| town.bodies(what).len();
    let before = asked("/keys/upload");
    assert_eq!((code.loads.load(Ordering::SeqCst), town.one_time_keys("ada")), (0, 0));
    town.encrypted_room(ROOM, &["ada", "bob"]);
    until("ada has keys", async || town.one_time_keys("ada") > 0).await;
    bob.says("hello").await;
    ada.until_reads(&["hello"]).await;
    ada.says("hello, bob").await;
    bob.until_reads(&["hello", "hello, bob"]).await;
    assert!(code.loads.load(Ordering::SeqCst) > 0 && asked("/keys/upload") > before);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_tried_again_and_nothing_goes_out_in_clear() {
    let town = Town::start();
    let bob = Person::new(&town, "bob").await;
    let (ada, code) = ada(&town, 8).await;
    town.encrypted_room(ROOM, &["ada", "bob"]);
    ada.says("hello").await;
    bob.until_reads(&["hello"]).await;
    ada.until_sent().await;
    assert!(code.loads.load(Ordering::SeqCst) > 8);
    let is_clear = |body: &Vec<u8>| String::from_utf8_lossy(body).contains("hello");
    assert!(!town.bodies("/send/").iter().any(is_clear));
}
