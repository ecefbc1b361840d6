//! The list of rooms first, by sliding sync; what the parser makes of a real server's answers.

use haos_matrix::{Account, ParseError, parse_sliding};
use haos_queue::{ConnectionState, SyncProgress};
use haos_sim::Blow;
use haos_store_api::{Membership, StorageAdapter as _, UserId};

use crate::client::{Client, options, room, token};
use crate::wire::{Fault, refused};

fn many(sliding: bool) -> Client {
    let client = Client::with(13, options(), sliding);
    for n in 0..150 {
        let id = format!("!r{n:03}");
        client.wire.model().create(&id);
        client.wire.model().join(&id);
        client.wire.model().messages(&id, 10);
    }
    client
}

#[test]
fn rooms_stand_before_their_messages() {
    let mut client = many(true);
    client.start();
    client.until("twenty rooms", |_, state| {
        *state == ConnectionState::CatchingUp(SyncProgress { done: 20, total: Some(150) })
    });
    assert_eq!(token(&client.rows), None, "no token comes with a list");
    let room = client.stored("!r149").unwrap();
    assert_eq!((room.name.as_deref(), room.membership), (Some("!r149"), Membership::Join));
    assert_eq!(client.items("!r149").len(), 2, "the newest message, and the gap before it");
    client.check();
    assert!(client.caught_up());
    client.check();
    assert_eq!(client.wire.asked("sliding").len(), 3);
    assert_eq!(client.items("!r149").len(), 6);
    assert!(client.fill_all());
    client.check_complete();
}

/// Of a room with few messages the list has the newest, the sync has all: no gap is left.
#[test]
fn a_small_room_has_no_gap() {
    let mut client = Client::with(14, options(), true);
    client.wire.model().create("!dm");
    client.wire.model().join("!dm");
    client.start();
    until_listed(&mut client);
    assert!(client.caught_up());
    assert_eq!(client.gaps("!dm"), []);
    client.check_complete();
}

#[test]
fn a_list_that_fails_is_left_to_the_sync() {
    for fault in [Fault::Fail(refused(404, "M_UNRECOGNIZED")), Fault::Body("<html>"), Fault::Hang] {
        let mut client = many(true);
        client.wire.next("sliding", [Fault::None, fault]);
        client.start();
        assert!(client.caught_up() && client.fill_all());
        client.check_complete();
    }
}

#[test]
fn a_death_between_list_and_sync() {
    for at in 1..7 {
        let mut client = many(true);
        client.plan.lock().unwrap().blow = Some((at..=at, Blow::DieAfter));
        client.start();
        if !client.caught_up() {
            client.check();
            client.start();
            assert!(client.caught_up());
        }
        assert!(client.wire.asked("sliding").len() <= 3, "it is not asked for again");
        client.plan.lock().unwrap().blow = None;
        assert!(client.fill_all());
        client.check_complete();
    }
}

/// The list has brought the room, and with it a gap.
fn until_listed(client: &mut Client) {
    client.until("listed", |rows, _| {
        futures_util::FutureExt::now_or_never(rows.gaps(&room("!dm"))).unwrap().unwrap().len() == 1
    });
}

/// A client whose list failed, and whose first sync was answered; the answer did not come through.
fn without_an_answer(seed: u64, messages: usize) -> Client {
    let mut client = Client::with(seed, options(), true);
    client.wire.model().create("!dm");
    client.wire.model().join("!dm");
    client.wire.model().messages("!dm", messages);
    client.wire.next("sliding", [Fault::Fail(refused(500, "M_UNKNOWN"))]);
    client.wire.next("sync", [Fault::Cut]);
    client.start();
    let wire = client.wire.clone();
    client.until("asked", move |_, state| {
        !wire.asked("sync").is_empty() && matches!(state, ConnectionState::Degraded { .. })
    });
    client
}

/// A server keeps the answer of a sync that was lost on its way; a later run has the list before it asks the same.
/// The list is newer than that answer.
#[test]
fn what_a_server_kept_from_before_the_list_is_not_asked_for() {
    for (held, new) in [(0, 1), (0, 3), (10, 1), (10, 30)] {
        let mut client = without_an_answer(15, held);
        client.kill();
        client.wire.model().messages("!dm", new);
        client.wire.next("sync", [Fault::Cached]);
        client.start();
        assert!(client.caught_up());
        client.check();
        assert!(client.fill_all());
        client.check_complete();
    }
}

/// The same, and it was another context that stored the list meanwhile.
#[test]
fn what_a_server_kept_from_before_another_contexts_list_is_not_asked_for() {
    // More than an answer has: where that begins with the room, it finds its place anyway.
    let mut client = without_an_answer(16, 10);
    client.wire.model().messages("!dm", 30);
    client.wire.next("sync", [Fault::Hang, Fault::Cached]);
    let (_, other) = client.another();
    client.spawn(other);
    until_listed(&mut client);
    assert!(client.caught_up());
    client.check();
    assert!(client.fill_all());
    client.check_complete();
}

#[test]
fn a_server_without_it() {
    let mut client = many(false);
    client.start();
    assert!(client.caught_up());
    assert_eq!(client.wire.asked("sliding").len(), 0);
}

fn capture(name: &str) -> haos_matrix::Sliding {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix/sliding").join(name);
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let alice = Account::of(UserId::new("@alice:localhost").unwrap());
    parse_sliding(whole["body"].to_string().as_bytes(), &alice).unwrap()
}

#[test]
fn a_real_servers_answer() {
    let answer = capture("initial.json");
    assert_eq!(answer.pos, "1/s564_1_4_5_6_1_1_7_0_1_1_1_1_1");
    assert_eq!(answer.counts["all"], 12);
    assert_eq!((answer.delta.rooms.len(), &answer.delta.next), (12, &None));
    let room = |id: &str| answer.delta.rooms.iter().find(|room| room.id.as_str().starts_with(id)).unwrap();
    assert_eq!(room("!Mi9RR").membership, Membership::Invite);
    assert_eq!(room("!qNeIB").membership, Membership::Knock);
    assert_eq!(room("!KvgHU").membership, Membership::Leave);
    assert_eq!(room("!X4JBS").membership, Membership::Ban);
    let secret = room("!NaCqL");
    assert_eq!(secret.membership, Membership::Join);
    let name = secret.state.iter().find(|entry| entry.kind.as_str() == "m.room.name").unwrap();
    assert_eq!(name.value.member("content").unwrap().text("name").as_deref(), Some("Secret"));
    assert_eq!((secret.timeline.len(), secret.limited), (5, true));
    assert!(secret.prev.is_some() && secret.unread.is_some());
    let direct = room("!Frysx");
    let heroes = direct.state.iter().find(|entry| entry.key.as_str() == "m.heroes").unwrap();
    assert_eq!(heroes.value.as_str(), r#"["@bob:localhost"]"#);
    let unreadable = |entry: &&haos_store_api::StateEntry| entry.kind.as_str() == "haos.unreadable";
    for room in &answer.delta.rooms {
        assert_eq!(room.state.iter().filter(unreadable).count(), 0, "{}", room.id);
    }
}

#[test]
fn a_gap_and_an_own_message() {
    let answer = capture("incr1_with_gap.json");
    assert_eq!(answer.delta.rooms.len(), 2);
    let own =
        answer.delta.rooms.iter().flat_map(|room| &room.timeline).filter_map(|event| event.txn_id.as_ref());
    assert_eq!(own.map(|txn| txn.as_str()).collect::<Vec<_>>(), ["sl-own-1"]);
    assert_eq!(answer.delta.rooms.iter().filter(|room| room.limited).count(), 1);
}

#[test]
fn odd_answers() {
    let read = |json: &str| parse_sliding(json.as_bytes(), &Account::default());
    assert!(matches!(read(r#"{"pos":1}"#), Err(ParseError::Shape { .. })));
    assert!(matches!(read(r#"{"pos":"1","rooms":[]}"#), Err(ParseError::Shape { .. })));
    assert!(matches!(read("<html>"), Err(ParseError::Syntax { .. })));
    let odd = r#"{"pos":"1","lists":{"x":{"count":-1},"y":3},"rooms":{"":{},"!a":3,"!b":{"timeline":{},
        "required_state":7,"heroes":[1,{"user_id":2}],"notification_count":"x"}}}"#;
    let answer = read(odd).unwrap();
    assert_eq!(answer.delta.rooms.len(), 1);
    assert_eq!(answer.delta.account.len(), 2, "what is no room is set aside");
    assert!(answer.delta.rooms[0].state.iter().any(|entry| entry.kind.as_str() == "haos.unreadable"));
}
