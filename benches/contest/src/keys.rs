//! Encrypted rooms: a page of one is read, by whichever store keeps the keys.

use std::path::Path;
use std::time::{Duration, Instant};

use matrix_sdk_common::ruma::serde::Raw;
use matrix_sdk_common::ruma::{DeviceId, OwnedRoomId, RoomId, UserId};
use matrix_sdk_crypto::olm::{InboundGroupSession, SenderData};
use matrix_sdk_crypto::store::CryptoStore;
use matrix_sdk_crypto::types::EventEncryptionAlgorithm;
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::vodozemac::megolm::{GroupSession, SessionConfig, SessionKey};
use matrix_sdk_crypto::vodozemac::olm::Account;
use matrix_sdk_crypto::{DecryptionSettings, OlmMachine, TrustRequirement};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Keys a room, and a write.
const EACH: usize = 100;
/// Pages that are read again.
const AGAIN: usize = 25;

/// How many room keys a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// That many.
    pub keys: usize,
}

/// A page of encrypted events, decrypted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Paged {
    /// The opening of the store, in microseconds.
    pub open_us: f64,
    /// The making of a machine over it, in microseconds.
    pub machine_us: f64,
    /// The page right after that, in microseconds.
    pub first_us: f64,
    /// The page once more: the median of several times, in microseconds.
    pub again_us: f64,
}

/// A page, as a server has it: the room, encrypted events, and the keys with which they are read.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The room.
    pub room: OwnedRoomId,
    /// The events, as JSON.
    pub events: Vec<Box<RawValue>>,
    /// What each of them says.
    pub bodies: Vec<String>,
    /// The room keys, in base64.
    keys: Vec<String>,
}

impl Page {
    /// Encrypts contents of messages, under a new key after each `turn` of them.
    ///
    /// # Panics
    /// When one is no JSON with a body.
    pub fn seal(contents: &[String], turn: usize) -> Self {
        let room = RoomId::parse("!page:x").expect("an id");
        let mut page = Self { room, events: Vec::new(), bodies: Vec::new(), keys: Vec::new() };
        for (part, contents) in contents.chunks(turn).enumerate() {
            let mut session = GroupSession::new(SessionConfig::version_1());
            page.keys.push(session.session_key().to_base64());
            for (nth, content) in contents.iter().enumerate() {
                let content: Value = serde_json::from_str(content).expect("JSON");
                page.bodies.push(content["body"].as_str().expect("a body").to_owned());
                let plain = json!({ "type": "m.room.message", "content": content, "room_id": page.room });
                let ciphertext = session.encrypt(plain.to_string().as_bytes()).to_base64();
                let event = json!({
                    "type": "m.room.encrypted",
                    "event_id": format!("$event{part}-{nth}"),
                    "sender": "@writer:x",
                    "origin_server_ts": part * turn + nth,
                    "content": {
                        "algorithm": "m.megolm.v1.aes-sha2",
                        "ciphertext": ciphertext,
                        "session_id": session.session_id(),
                    },
                });
                page.events.push(serde_json::value::to_raw_value(&event).expect("JSON"));
            }
        }
        page
    }

    /// Reads a page from a file.
    ///
    /// # Panics
    /// When there is none.
    pub fn load(file: &Path) -> Self {
        let text = std::fs::read(file).expect("a page is in the file");
        serde_json::from_slice(&text).expect("a page is JSON")
    }
}

/// Adds a page's room keys, then others until there are so many, and tells how many there are.
///
/// # Panics
/// When the store fails.
pub async fn fill<S: CryptoStore>(store: &S, page: &Page, count: usize) -> Kept {
    let sender = Account::new();
    let key = |text: &String| SessionKey::from_base64(text).expect("a key");
    let keys = page.keys.iter().map(|text| room_key(&sender, &page.room, &key(text))).collect();
    store.save_inbound_group_sessions(keys, None).await.expect("keys are stored");
    let others = count - page.keys.len();
    for nth in 0..others.div_ceil(EACH) {
        let room = RoomId::parse(format!("!other{nth}:x")).expect("an id");
        let new = || GroupSession::new(SessionConfig::version_1()).session_key();
        let keys = (0..EACH.min(others - nth * EACH)).map(|_| room_key(&sender, &room, &new())).collect();
        store.save_inbound_group_sessions(keys, None).await.expect("keys are stored");
    }
    Kept { keys: store.inbound_group_session_counts(None).await.expect("keys are counted").total }
}

fn room_key(sender: &Account, room: &RoomId, key: &SessionKey) -> InboundGroupSession {
    let (from, unknown) = (sender.identity_keys(), SenderData::unknown());
    let algorithm = EventEncryptionAlgorithm::MegolmV1AesSha2;
    InboundGroupSession::new(from.curve25519, from.ed25519, room, key, unknown, None, algorithm, None, false)
        .expect("a key is one")
}

/// Makes a machine over a store and decrypts a page with it, several times.
///
/// # Panics
/// When an event says something else than it should.
pub async fn read<S: CryptoStore + 'static>(opened: (S, Duration), page: &Page) -> Paged {
    let (store, open) = opened;
    let user = <&UserId>::try_from("@reader:x").expect("an id");
    let clock = Instant::now();
    let machine = OlmMachine::with_store(user, <&DeviceId>::from("READER"), store, None).await;
    let machine = machine.expect("a machine is made");
    let made = clock.elapsed();
    let first_us = decrypt(&machine, page).await;
    let mut again_us = Vec::with_capacity(AGAIN);
    for _ in 0..AGAIN {
        again_us.push(decrypt(&machine, page).await);
    }
    again_us.sort_by(f64::total_cmp);
    Paged { open_us: us(open), machine_us: us(made), first_us, again_us: again_us[AGAIN / 2] }
}

/// Decrypts the events one after the other, as a timeline does; the time in microseconds.
async fn decrypt(machine: &OlmMachine, page: &Page) -> f64 {
    let raw = |event: &Box<RawValue>| Raw::<EncryptedEvent>::from_json(event.clone());
    let events: Vec<_> = page.events.iter().map(raw).collect();
    let trust = TrustRequirement::Untrusted;
    let settings = DecryptionSettings { sender_device_trust_requirement: trust };
    let mut read = Vec::with_capacity(events.len());
    let clock = Instant::now();
    for event in &events {
        read.push(machine.decrypt_room_event(event, &page.room, &settings).await.expect("it can be read"));
    }
    let time = us(clock.elapsed());
    for (event, body) in read.iter().zip(&page.bodies) {
        let event: Value = serde_json::from_str(event.event.json().get()).expect("JSON");
        assert_eq!(event["content"]["body"], **body, "it says what was written");
    }
    time
}

/// A time in microseconds.
pub fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
