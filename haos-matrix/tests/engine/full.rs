//! A store without room: media makes some; without, the engine waits and loses nothing.

use haos_queue::ConnectionState;
use haos_queue::pressure::PressureOptions;
use haos_sim::Blow;
use haos_store_api::*;

use crate::client::{Client, token};

fn picture(n: u32) -> MediaInfo {
    let uri = MediaUri::new(format!("mxc://sim/{n}")).unwrap();
    MediaInfo {
        key: MediaKey { uri, format: MediaFormat::new("original").unwrap() },
        size: 0,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: i64::from(n),
        fetched_at_ms: 0,
        pinned: false,
    }
}

#[test]
fn media_makes_room_for_messages() {
    let mut client = Client::new(17);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.pressure = Some(PressureOptions {
        quota_bytes: Some(200_000),
        headroom_bytes: 10_000,
        ..PressureOptions::default()
    });
    let rows = client.rows.clone();
    client.act(async move {
        for n in 0..18 {
            let mut batch = WriteBatch::relaxed();
            batch.put_media(picture(n), vec![0; 10_000]);
            rows.apply(batch).await.unwrap();
        }
    });
    client.wire.model().messages("!a", 200);
    client.start();
    assert!(client.caught_up() && client.fill_all());
    client.check_complete();
    let rows = client.rows.clone();
    let usage = client.act(async move { rows.usage().await.unwrap() });
    let bytes: u64 = usage.collections.iter().map(|(_, size)| size.bytes).sum();
    assert!(bytes <= 200_000, "{bytes}");
}

#[test]
fn full_is_waited_out_and_the_token_stays() {
    let mut client = Client::new(18);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.start();
    assert!(client.caught_up());
    let before = token(&client.rows);
    client.plan.lock().unwrap().blow = Some((0..=u64::MAX, Blow::Fail(ErrorKind::Full)));
    client.wire.model().messages("!a", 9);
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    let asked = client.wire.asked("sync").len();
    client.pass(3_600_000);
    let tries = client.wire.asked("sync").len() - asked;
    assert!((5..30).contains(&tries), "{tries} tries in an hour");
    assert_eq!(token(&client.rows), before);
    client.plan.lock().unwrap().blow = None;
    assert!(client.caught_up());
    client.check();
}

#[test]
fn a_closed_store_ends_the_run() {
    let mut client = Client::new(19);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.plan.lock().unwrap().blow = Some((2..=2, Blow::Fail(ErrorKind::Closed)));
    let engine = client.engine.clone();
    let ended = client.act(async move { engine.run().await });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Closed);
}
