//! Filling without being asked: near the end, slowly, and not while nothing answers.

use haos_matrix::{FillOptions, SyncOptions};
use haos_queue::{Answer, ConnectionState, PauseReason, Refusal};

use crate::client::{Client, options};
use crate::wire::Fault;

fn client(fill: FillOptions) -> Client {
    let client = Client::with(23, SyncOptions { fill, ..options() }, false);
    for n in 0..4 {
        let id = format!("!r{n}");
        client.wire.model().create(&id);
        client.wire.model().join(&id);
        client.wire.model().messages(&id, 60);
    }
    client
}

#[test]
fn near_the_end_and_slowly() {
    let mut client = client(FillOptions { pages_per_minute: 6, pages_per_room: 50, depth: 30, rooms: 3 });
    client.start();
    assert!(client.caught_up());
    client.pass(60_000);
    assert!((5..=7).contains(&client.wire.asked("messages").len()), "{:?}", client.wire.asked("messages"));
    client.pass(3_600_000);
    // From 5 stored messages with pages of 7: four pages until 30 are above the gap.
    assert_eq!(client.wire.asked("messages").len(), 3 * 4);
    assert_eq!(client.wire.asked("messages !r0").len(), 0, "the room that was quiet for longest");
    client.check();
    client.kill();
    client.wire.model().messages("!r0", 12);
    client.start();
    client.pass(3_600_000);
    assert!(!client.wire.asked("messages !r0").is_empty());
    client.check();
}

#[test]
fn a_room_has_its_share() {
    let mut client = client(FillOptions { pages_per_room: 2, depth: u64::MAX, ..FillOptions::default() });
    client.start();
    client.pass(3_600_000);
    for n in 0..4 {
        assert_eq!(client.wire.asked(&format!("messages !r{n}")).len(), 2);
    }
}

#[test]
fn not_while_nothing_answers_nor_while_paused() {
    let mut client = client(FillOptions { depth: u64::MAX, pages_per_room: 1000, ..FillOptions::default() });
    client.wire.next("sync", std::iter::once(Fault::None).chain(vec![Fault::Fail(Answer::NoAnswer); 8]));
    client.start();
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    client.pass(3000);
    let before = client.wire.asked("messages").len();
    client.pass(30_000);
    assert_eq!(client.wire.asked("messages").len(), before);
    assert!(client.caught_up());
    client.pass(60_000);
    assert!(client.wire.asked("messages").len() > before);
    let outbox = client.outbox.clone();
    client.act(async move { outbox.pause(None, PauseReason::User).await.unwrap() });
    client.pass(40_000);
    let before = client.wire.asked("messages").len();
    client.pass(600_000);
    assert_eq!(client.wire.asked("messages").len(), before);
}

/// A wait that the server asks for is kept, here too.
#[test]
fn a_server_that_wants_quiet_has_it() {
    let mut client = client(FillOptions { depth: u64::MAX, pages_per_room: 1000, ..FillOptions::default() });
    let quiet = Refusal { retry_after_ms: Some(600_000), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
    client.wire.next("messages", [Fault::Fail(Answer::Refused(quiet))]);
    client.start();
    client.pass(500_000);
    assert_eq!(client.wire.asked("messages").len(), 1);
    client.pass(3_600_000);
    assert_eq!(client.gaps("!r0"), []);
}

#[test]
fn hidden_history_stops_nothing_else() {
    let mut client = client(FillOptions { depth: u64::MAX, pages_per_room: 1000, ..FillOptions::default() });
    client.wire.model().rooms.get_mut("!r3").unwrap().forbidden = true;
    client.start();
    client.pass(3_600_000);
    assert_eq!(client.wire.asked("messages !r3").len(), 1);
    for id in ["!r0", "!r1", "!r2"] {
        assert_eq!(client.gaps(id), []);
    }
}
