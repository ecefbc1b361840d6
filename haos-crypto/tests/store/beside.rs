//! Beside matrix-sdk-crypto's own store in memory: the same calls, the same answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use haos_backends::{Backend, Home};
use haos_crypto::KeyStore;
use matrix_sdk_crypto::olm::{InboundGroupSession, OlmMessageHash, SenderData, SenderDataType, Session};
use matrix_sdk_crypto::store::types::{
    BackupDecryptionKey, Changes, DehydratedDeviceKey, DeviceChanges, PendingChanges, RoomSettings,
    SecretsInboxItem,
};
use matrix_sdk_crypto::store::{CryptoStore, MemoryStore};
use matrix_sdk_crypto::{Account, DeviceData, GossipRequest, SecretInfo};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ruma::events::secret::request::SecretName;
use ruma::{OwnedRoomId, RoomId, TransactionId, UserId, user_id};
use serde_json::{Value, json};

use crate::rules::{account, room_key};

/// What the calls are about: a few of each, so that they meet.
struct Pool {
    account: Account,
    keys: Vec<InboundGroupSession>,
    rooms: Vec<OwnedRoomId>,
    sessions: Vec<Session>,
    devices: Vec<DeviceData>,
    users: [&'static UserId; 2],
}

const VERSIONS: [&str; 2] = ["1", "2"];

impl Pool {
    async fn new() -> Self {
        let account = account();
        let other = Account::with_device_id(user_id!("@b:example.org"), "TABLET".into());
        let rooms: Vec<_> = (0..3).map(|n| RoomId::parse(format!("!r{n}:example.org")).unwrap()).collect();
        let mut keys = Vec::new();
        for n in 0..9 {
            let of = if n % 4 == 0 { &other } else { &account };
            keys.push(room_key(of, &rooms[n % 3]).await);
        }
        let mut sessions = Vec::new();
        for n in 0..4 {
            let mut friend = Account::with_device_id(user_id!("@c:example.org"), "PHONE".into());
            if n % 2 == 1 {
                friend = other.deep_clone();
            }
            friend.generate_one_time_keys(1);
            let key = *friend.one_time_keys().values().next().unwrap();
            let device = DeviceData::from_account(&friend);
            let one_time = vodozemac_session(&account, &device, key);
            sessions.push(one_time);
        }
        let devices = [&account, &other].map(DeviceData::from_account).into();
        let users = [user_id!("@a:example.org"), user_id!("@b:example.org")];
        Self { account, keys, rooms, sessions, devices, users }
    }
}

fn vodozemac_session(
    account: &Account,
    device: &DeviceData,
    one_time: matrix_sdk_crypto::vodozemac::Curve25519PublicKey,
) -> Session {
    use matrix_sdk_crypto::vodozemac::olm::SessionConfig;
    let own = DeviceData::from_account(account).as_device_keys().clone();
    let identity = device.curve25519_key().unwrap();
    account.create_outbound_session_helper(SessionConfig::default(), identity, one_time, false, own).unwrap()
}

/// Does the call that three numbers name, on either store.
async fn call<S: CryptoStore>(store: &S, pool: &Pool, (what, a, b): (u8, usize, usize)) {
    let key = &pool.keys[a % pool.keys.len()];
    let room = &pool.rooms[a % 3];
    let user = pool.users[a % 2];
    match what {
        // A key as it is known by now, and something that is learned of its sender.
        0..4 => {
            let mut key =
                match store.get_inbound_group_session(key.room_id(), key.session_id()).await.unwrap() {
                    Some(stored) => stored,
                    None => key.clone(),
                };
            if b % 3 == 1 {
                let device = &pool.devices[b % 2];
                key.sender_data = SenderData::device_info(device.as_device_keys().clone());
            }
            store
                .save_changes(Changes { inbound_group_sessions: vec![key], ..Changes::default() })
                .await
                .unwrap();
        }
        4 => {
            let pickle = key.pickle().await;
            let key = InboundGroupSession::from_pickle(pickle).unwrap();
            key.mark_as_backed_up();
            store.save_inbound_group_sessions(vec![key], Some(VERSIONS[b % 2])).await.unwrap();
        }
        5..8 => {
            let other = &pool.keys[b % pool.keys.len()];
            let ids = [(key.room_id(), key.session_id()), (other.room_id(), other.session_id())];
            store.mark_inbound_group_sessions_as_backed_up(VERSIONS[b % 2], &ids).await.unwrap();
        }
        8 => store.reset_backup_state().await.unwrap(),
        9 => {
            let session = pool.sessions[a % pool.sessions.len()].clone();
            store.save_changes(Changes { sessions: vec![session], ..Changes::default() }).await.unwrap();
        }
        10 => {
            let hash = OlmMessageHash { sender_key: format!("k{}", a % 2), hash: format!("h{}", b % 3) };
            store.save_changes(Changes { message_hashes: vec![hash], ..Changes::default() }).await.unwrap();
        }
        11 => {
            let device = pool.devices[1].clone();
            let devices = match b % 2 {
                0 => DeviceChanges { new: vec![device], ..DeviceChanges::default() },
                _ => DeviceChanges { deleted: vec![device], ..DeviceChanges::default() },
            };
            store.save_changes(Changes { devices, ..Changes::default() }).await.unwrap();
        }
        12 => {
            let key_requests = vec![request(a, b % 2 == 0)];
            store.save_changes(Changes { key_requests, ..Changes::default() }).await.unwrap();
        }
        13 => store.delete_outgoing_secret_requests(&request(a, true).request_id).await.unwrap(),
        14 => {
            let secret = SecretsInboxItem { secret_name: name(a), secret: format!("secret {b}").into() };
            let secrets = vec![secret.clone(), secret];
            store.save_changes(Changes { secrets, ..Changes::default() }).await.unwrap();
        }
        15 => store.delete_secrets_from_inbox(&name(a)).await.unwrap(),
        16 => {
            let settings = RoomSettings { only_allow_trusted_devices: b % 2 == 0, ..RoomSettings::default() };
            let change = Changes { room_settings: [(room.clone(), settings)].into(), ..Changes::default() };
            store.save_changes(change).await.unwrap();
        }
        17 => {
            let room_key_backups_fully_downloaded = [room.clone()].into();
            let change = Changes { room_key_backups_fully_downloaded, ..Changes::default() };
            store.save_changes(change).await.unwrap();
        }
        18 => store.save_tracked_users(&[(user, b % 2 == 0)]).await.unwrap(),
        19 => store
            .set_custom_value(&format!("c{}", a % 3), vec![u8::try_from(b % 250).unwrap(); b % 5])
            .await
            .unwrap(),
        20 => store.remove_custom_value(&format!("c{}", a % 3)).await.unwrap(),
        21 => {
            let change = Changes { next_batch_token: Some(format!("s{a}")), ..Changes::default() };
            store.save_changes(change).await.unwrap();
        }
        22 => {
            let change = Changes { backup_version: Some(VERSIONS[a % 2].to_owned()), ..Changes::default() };
            store.save_changes(change).await.unwrap();
        }
        _ if b % 2 == 0 => store.delete_dehydrated_device_pickle_key().await.unwrap(),
        _ => {
            let change = Changes {
                dehydrated_device_pickle_key: Some(DehydratedDeviceKey::from_bytes(&[7; 32])),
                ..Changes::default()
            };
            store.save_changes(change).await.unwrap();
        }
    }
}

fn name(a: usize) -> SecretName {
    [SecretName::RecoveryKey, SecretName::CrossSigningMasterKey][a % 2].clone()
}

/// Each asks for a thing of its own: with two for one thing, the store in memory forgets the later one with the earlier.
fn request(a: usize, sent_out: bool) -> GossipRequest {
    let request_id = <&TransactionId>::from(["t0", "t1"][a % 2]).to_owned();
    let info = SecretInfo::SecretRequest(name(a));
    GossipRequest { request_recipient: user_id!("@a:example.org").to_owned(), request_id, info, sent_out }
}

async fn keys(found: Vec<InboundGroupSession>) -> BTreeMap<String, Value> {
    let mut keys = BTreeMap::new();
    for key in &found {
        keys.insert(key.session_id().to_owned(), serde_json::to_value(key.pickle().await).unwrap());
    }
    assert_eq!(keys.len(), found.len(), "one comes twice");
    keys
}

/// Asks a store everything.
async fn answers<S: CryptoStore>(store: &S, pool: &Pool) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut tell = |what: String, value: Value| all.push((what, value));
    for key in &pool.keys {
        let found = store.get_inbound_group_session(key.room_id(), key.session_id()).await.unwrap();
        tell(format!("key {}", key.session_id()), json!(keys(found.into_iter().collect()).await));
    }
    for room in &pool.rooms {
        let of_room = store.get_inbound_group_sessions_by_room_id(room).await.unwrap();
        tell(format!("keys of {room}"), json!(keys(of_room).await));
        tell(format!("settings of {room}"), json!(store.get_room_settings(room).await.unwrap()));
        tell(format!("all of {room}"), json!(store.has_downloaded_all_room_keys(room).await.unwrap()));
    }
    tell("all keys".to_owned(), json!(keys(store.get_inbound_group_sessions().await.unwrap()).await));
    for version in VERSIONS {
        let missing = store.inbound_group_sessions_for_backup(version, usize::MAX).await.unwrap();
        for limit in [0, 1, 3] {
            let some = store.inbound_group_sessions_for_backup(version, limit).await.unwrap();
            assert_eq!(some.len(), limit.min(missing.len()));
        }
        tell(format!("not in {version}"), json!(keys(missing).await));
    }
    for version in [None, Some("1"), Some("2"), Some("3")] {
        let counts = store.inbound_group_session_counts(version).await.unwrap();
        tell(format!("counts {version:?}"), json!([counts.total, counts.backed_up]));
    }
    for device in &pool.devices {
        for trust in
            [SenderDataType::UnknownDevice, SenderDataType::DeviceInfo, SenderDataType::SenderVerified]
        {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let key = device.curve25519_key().unwrap();
                let batch =
                    store.get_inbound_group_sessions_for_device_batch(key, trust, after, 2).await.unwrap();
                after = batch.last().map(|key| key.session_id().to_owned());
                found.extend(batch);
                if after.is_none() {
                    break;
                }
            }
            tell(format!("from {} {trust:?}", device.device_id()), json!(keys(found).await));
        }
        let mut sessions = BTreeMap::new();
        let key = device.curve25519_key().unwrap().to_base64();
        for session in store.get_sessions(&key).await.unwrap().unwrap_or_default() {
            sessions.insert(
                session.session_id().to_owned(),
                serde_json::to_value(session.pickle().await).unwrap(),
            );
        }
        tell(format!("sessions with {}", device.device_id()), json!(sessions));
        let stored = store.get_device(device.user_id(), device.device_id()).await.unwrap();
        tell(format!("device {}", device.device_id()), json!(stored));
        let devices: BTreeMap<_, _> =
            store.get_user_devices(device.user_id()).await.unwrap().into_iter().collect();
        tell(format!("devices of {}", device.user_id()), json!(devices));
    }
    for (key, hash) in (0..2).flat_map(|key| (0..3).map(move |hash| (key, hash))) {
        let message = OlmMessageHash { sender_key: format!("k{key}"), hash: format!("h{hash}") };
        tell(format!("{message:?}"), json!(store.is_message_known(&message).await.unwrap()));
    }
    for n in 0..2 {
        let request = request(n, true);
        let by_id = store.get_outgoing_secret_requests(&request.request_id).await.unwrap();
        let by_info = store.get_secret_request_by_info(&request.info).await.unwrap();
        tell(format!("request {n}"), json!([by_id, by_info]));
        let secrets = store.get_secrets_from_inbox(&name(n)).await.unwrap();
        tell(format!("secrets {n}"), json!(secrets.iter().map(|secret| secret.as_str()).collect::<Vec<_>>()));
    }
    let mut unsent = store.get_unsent_secret_requests().await.unwrap();
    unsent.sort_by(|a, b| a.request_id.cmp(&b.request_id));
    tell("unsent".to_owned(), json!(unsent));
    let mut tracked = store.load_tracked_users().await.unwrap();
    tracked.sort_by(|a, b| a.user_id.cmp(&b.user_id));
    tell("tracked".to_owned(), json!(tracked));
    for n in 0..3 {
        tell(format!("custom {n}"), json!(store.get_custom_value(&format!("c{n}")).await.unwrap()));
    }
    tell("token".to_owned(), json!(store.next_batch_token().await.unwrap()));
    let backup = store.load_backup_keys().await.unwrap();
    let key = backup.decryption_key.as_ref().map(BackupDecryptionKey::to_base64);
    tell("backup".to_owned(), json!([key, backup.backup_version]));
    let dehydrated = store.load_dehydrated_device_pickle_key().await.unwrap();
    tell("dehydrated".to_owned(), json!(dehydrated.map(|key| key.to_base64())));
    all
}

async fn play(pool: &Pool, sealed: bool, calls: &[(u8, usize, usize)]) {
    let mut home = Home::new(Backend::Memory, sealed);
    let ours = KeyStore::open(home.open().await).await.unwrap();
    let theirs = MemoryStore::new();
    begin(&ours, pool).await;
    begin(&theirs, pool).await;
    for (nth, each) in calls.iter().enumerate() {
        call(&ours, pool, *each).await;
        call(&theirs, pool, *each).await;
        if nth % 8 == 7 || nth + 1 == calls.len() {
            let told = answers(&theirs, pool).await.into_iter().zip(answers(&ours, pool).await);
            for (theirs, ours) in told {
                assert_eq!(ours, theirs);
            }
        }
    }
}

async fn begin<S: CryptoStore>(store: &S, pool: &Pool) {
    store.save_pending_changes(PendingChanges { account: Some(pool.account.deep_clone()) }).await.unwrap();
    let devices = DeviceChanges { new: vec![pool.devices[0].clone()], ..DeviceChanges::default() };
    store.save_changes(Changes { devices, ..Changes::default() }).await.unwrap();
}

#[test]
fn answers_are_those_of_the_store_in_memory() {
    let runtime = Arc::new(tokio::runtime::Builder::new_current_thread().build().unwrap());
    let pool = runtime.block_on(Pool::new());
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[23; 32]);
    let calls = proptest::collection::vec((0..24_u8, any::<usize>(), any::<usize>()), 1..60);
    TestRunner::new_with_rng(config, rng)
        .run(&(calls, any::<bool>()), |(calls, sealed)| {
            runtime.block_on(play(&pool, sealed, &calls));
            Ok(())
        })
        .unwrap();
}
