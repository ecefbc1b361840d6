//! What a hundred thousand room keys cost beside a thousand.

use std::time::{Duration, Instant};

use haos_backends::{Backend, Home};
use haos_crypto::KeyStore;
use matrix_sdk_crypto::olm::{InboundGroupSession, SenderDataType};
use matrix_sdk_crypto::store::CryptoStore as _;
use ruma::RoomId;

use crate::rules::{account, room_key};

/// Keys a room: as many at either size, so that a list by room has the same length.
const EACH: usize = 100;

async fn figures(backend: Backend, sealed: bool, count: usize) -> Vec<(&'static str, Duration)> {
    let mut home = Home::new(backend, sealed);
    let store = home.open().await;
    let keys = KeyStore::open(store.clone()).await.unwrap();
    let account = account();
    let sender = account.identity_keys().curve25519;
    let mut rooms = Vec::new();
    let began = Instant::now();
    let mut making = Duration::ZERO;
    for nth in 0..count / EACH {
        let room = RoomId::parse(format!("!r{nth}:example.org")).unwrap();
        let mut made: Vec<InboundGroupSession> = Vec::with_capacity(EACH);
        let making_began = Instant::now();
        for _ in 0..EACH {
            made.push(room_key(&account, &room).await);
        }
        making += making_began.elapsed();
        keys.save_inbound_group_sessions(made, None).await.unwrap();
        rooms.push(room);
    }
    let saved = began.elapsed() - making;
    let size = store.usage().await.unwrap().total_bytes / count as u64;
    println!(
        "{backend:?}, sealed: {sealed}: {count} keys, {size} bytes each, {:?} a key",
        saved / count as u32
    );
    let mut figures = Vec::new();
    macro_rules! median {
        ($what:literal, $call:expr) => {{
            let mut times = Vec::new();
            for nth in 0..15 {
                let began = Instant::now();
                let call = $call;
                call(nth).await;
                times.push(began.elapsed());
            }
            times.sort();
            figures.push(($what, times[7]));
        }};
    }
    median!("backup batch of 100", async |_| {
        assert_eq!(keys.inbound_group_sessions_for_backup("1", 100).await.unwrap().len(), 100);
    });
    median!("list by room of 100", async |nth: usize| {
        let room = &rooms[nth * 7 % rooms.len()];
        assert_eq!(keys.get_inbound_group_sessions_by_room_id(room).await.unwrap().len(), EACH);
    });
    median!("device batch of 100", async |_| {
        let unknown = SenderDataType::UnknownDevice;
        let batch = keys.get_inbound_group_sessions_for_device_batch(sender, unknown, None, 100).await;
        assert_eq!(batch.unwrap().len(), 100);
    });
    median!("backup of 100, marked", async |_| {
        let batch = keys.inbound_group_sessions_for_backup("2", 100).await.unwrap();
        let ids: Vec<_> = batch.iter().map(|key| (key.room_id(), key.session_id())).collect();
        keys.mark_inbound_group_sessions_as_backed_up("1", &ids).await.unwrap();
    });
    median!("counts", async |_| {
        assert_eq!(keys.inbound_group_session_counts(Some("1")).await.unwrap().total, count);
    });
    store.close().await.unwrap();
    figures
}

/// `cargo test --release -p haos-crypto scale -- --ignored --nocapture`
#[tokio::test]
#[ignore = "figures, not a test: some minutes"]
async fn scale() {
    for (backend, sealed) in [(Backend::Sqlite, false), (Backend::Sqlite, true), (Backend::Sled, false)] {
        let few = figures(backend, sealed, 1_000).await;
        let many = figures(backend, sealed, 100_000).await;
        for ((what, few), (_, many)) in few.into_iter().zip(many) {
            println!(
                "  {what:24} {few:>12.3?} {many:>12.3?}  x{:.2}",
                many.as_secs_f64() / few.as_secs_f64()
            );
        }
    }
}
