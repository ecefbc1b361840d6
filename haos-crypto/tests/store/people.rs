//! Machines, and the little that a server does between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use haos_crypto::KeyStore;
use haos_store_api::StorageAdapter;
use matrix_sdk_crypto::types::events::room::encrypted::EncryptedEvent;
use matrix_sdk_crypto::types::requests::AnyOutgoingRequest;
use matrix_sdk_crypto::vodozemac::megolm::MegolmMessage;
use matrix_sdk_crypto::{
    DecryptionSettings, EncryptionSettings, EncryptionSyncChanges, OlmMachine, RoomEventDecryptionResult,
    TrustRequirement,
};
use ruma::api::client::keys::{claim_keys, get_keys, upload_keys};
use ruma::api::client::sync::sync_events::DeviceLists;
use ruma::api::client::to_device::send_event_to_device;
use ruma::encryption::{DeviceKeys, OneTimeKey};
use ruma::events::AnyToDeviceEvent;
use ruma::serde::Raw;
use ruma::{OneTimeKeyAlgorithm, OwnedOneTimeKeyId, RoomId, UserId, room_id, user_id};
use serde_json::{Value, json};

pub(crate) type Failed = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Tried<T> = Result<T, Failed>;
pub(crate) type ToDevice = Raw<AnyToDeviceEvent>;
pub(crate) type Event = Raw<EncryptedEvent>;

const SETTINGS: DecryptionSettings =
    DecryptionSettings { sender_device_trust_requirement: TrustRequirement::Untrusted };

pub(crate) fn alice() -> &'static UserId {
    user_id!("@alice:example.org")
}

pub(crate) fn bob() -> &'static UserId {
    user_id!("@bob:example.org")
}

pub(crate) fn room() -> &'static RoomId {
    room_id!("!room:example.org")
}

/// Opens the machine of a user's only device.
pub(crate) async fn machine(user: &UserId, store: Arc<dyn StorageAdapter>) -> Tried<(OlmMachine, KeyStore)> {
    let keys = KeyStore::open(store).await?;
    Ok((OlmMachine::with_store(user, "PHONE".into(), keys.clone(), None).await?, keys))
}

/// What a server has of users' devices, each of which is called PHONE.
#[derive(Default)]
pub(crate) struct Server {
    devices: BTreeMap<String, Raw<DeviceKeys>>,
    one_time: BTreeMap<String, BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>>,
}

impl Server {
    /// Answers what a machine asks for, until it asks for nothing more.
    pub(crate) async fn serve(&mut self, of: &OlmMachine) -> Tried<()> {
        loop {
            let requests = of.outgoing_requests().await?;
            if requests.is_empty() {
                return Ok(());
            }
            for request in requests {
                let id = request.request_id();
                match request.request() {
                    AnyOutgoingRequest::KeysUpload(keys) => {
                        let user = of.user_id().to_string();
                        self.devices.extend(keys.device_keys.clone().map(|keys| (user.clone(), keys)));
                        let stored = self.one_time.entry(user).or_default();
                        stored.extend(keys.one_time_keys.clone());
                        let count = u32::try_from(stored.len()).unwrap().into();
                        let counts = BTreeMap::from([(OneTimeKeyAlgorithm::SignedCurve25519, count)]);
                        of.mark_request_as_sent(id, &upload_keys::v3::Response::new(counts)).await?;
                    }
                    AnyOutgoingRequest::KeysQuery(query) => {
                        let mut answer = get_keys::v3::Response::new();
                        for user in query.device_keys.keys() {
                            let known =
                                self.devices.get(user.as_str()).map(|keys| ("PHONE".into(), keys.clone()));
                            answer.device_keys.insert(user.clone(), known.into_iter().collect());
                        }
                        of.mark_request_as_sent(id, &answer).await?;
                    }
                    other => return Err(format!("not served: {other:?}").into()),
                }
            }
        }
    }

    /// Gives a machine one key for each device that it has no session with.
    pub(crate) async fn claim(&mut self, of: &OlmMachine, user: &UserId) -> Tried<()> {
        let Some((id, _)) = of.get_missing_sessions([user].into_iter()).await? else { return Ok(()) };
        let stored = self.one_time.entry(user.to_string()).or_default();
        let keys = stored.pop_first().into_iter().collect();
        let answer = BTreeMap::from([(user.to_owned(), BTreeMap::from([("PHONE".into(), keys)]))]);
        of.mark_request_as_sent(&id, &claim_keys::v3::Response::new(answer)).await?;
        Ok(())
    }
}

/// Shares the room's key with a user; `deliver` is given what the server would.
pub(crate) async fn share(from: &OlmMachine, to: &UserId, mut deliver: impl FnMut(ToDevice)) -> Tried<()> {
    let requests = from.share_room_key(room(), [to].into_iter(), EncryptionSettings::default()).await?;
    for request in requests {
        for content in request.messages.values().flat_map(BTreeMap::values) {
            let event = json!({ "type": request.event_type.to_string(), "sender": from.user_id(), "content": content });
            deliver(Raw::from_json_string(event.to_string())?);
        }
        from.mark_request_as_sent(&request.txn_id, &send_event_to_device::v3::Response::new()).await?;
    }
    Ok(())
}

/// Takes a sync with to-device events.
pub(crate) async fn receive(at: &OlmMachine, events: Vec<ToDevice>) -> Tried<()> {
    let changes = EncryptionSyncChanges {
        to_device_events: events,
        changed_devices: &DeviceLists::default(),
        one_time_keys_counts: &BTreeMap::new(),
        unused_fallback_keys: None,
        next_batch_token: None,
    };
    at.receive_sync_changes(changes, &SETTINGS).await?;
    Ok(())
}

/// Encrypts a text, as the event that a server would make of it.
pub(crate) async fn encrypt(from: &OlmMachine, body: &str) -> Tried<Event> {
    let content = Raw::from_json_string(json!({ "msgtype": "m.text", "body": body }).to_string())?;
    let sealed = from.encrypt_room_event_raw(room(), "m.room.message", &content).await?;
    let content: Value = serde_json::from_str(sealed.content.json().get())?;
    let event = json!({
        "type": "m.room.encrypted", "event_id": format!("${body}"), "sender": from.user_id(), "room_id": room(),
        "origin_server_ts": 1_800_000_000_000_u64, "content": content, "unsigned": {},
    });
    Ok(Raw::from_json_string(event.to_string())?)
}

/// Decrypts an event, if the key is there.
pub(crate) async fn read(at: &OlmMachine, event: &Event) -> Tried<Option<String>> {
    Ok(match at.try_decrypt_room_event(event, room(), &SETTINGS).await? {
        RoomEventDecryptionResult::Decrypted(event) => {
            let value: Value = serde_json::from_str(event.event.json().get())?;
            value["content"]["body"].as_str().map(str::to_owned)
        }
        RoomEventDecryptionResult::UnableToDecrypt(_) => None,
    })
}

/// Returns what a message was encrypted under: the session, and its index there.
pub(crate) fn step(event: &Event) -> (String, u32) {
    let value: Value = serde_json::from_str(event.json().get()).unwrap();
    let text = |name: &str| value["content"][name].as_str().unwrap().to_owned();
    (text("session_id"), MegolmMessage::from_base64(&text("ciphertext")).unwrap().message_index())
}
