//! Rooms that the user is invited to, joins, leaves, is banned from; rooms that take each other's place.

use haos_store_api::{Item, Membership};
use serde_json::json;

use crate::client::{Client, room};

fn membership(client: &Client, id: &str) -> Option<Membership> {
    client.stored(id).map(|room| room.membership)
}

/// The gap a timeline begins with is history that nobody asked for yet.
fn inner_gaps(client: &Client, id: &str) -> usize {
    client.items(id).iter().skip(1).filter(|item| matches!(item, Item::Gap(_))).count()
}

#[test]
fn invited_joined_left_and_joined_again() {
    let mut client = Client::new(5);
    client.wire.model().create("!a");
    client.wire.model().messages("!a", 3);
    client.start();
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), None);

    client.wire.model().own("!a", "invite");
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Invite));
    assert_eq!(client.stored("!a").unwrap().name.as_deref(), Some("!a"));
    assert_eq!(client.items("!a").len(), 0);

    client.wire.model().join("!a");
    client.wire.model().messages("!a", 20);
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Join));
    client.check();

    client.wire.model().own("!a", "leave");
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Leave));
    let before = client.items("!a").len();
    client.wire.model().messages("!a", 30);
    assert!(client.caught_up());
    assert_eq!(client.items("!a").len(), before, "nothing comes from a room that was left");

    client.wire.model().join("!a");
    client.wire.model().messages("!a", 2);
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Join));
    assert_eq!(inner_gaps(&client, "!a"), 1, "what was missed is behind a gap");
    client.check();
    assert!(client.fill_all());
    client.check_complete();
}

#[test]
fn a_ban_keeps_what_was_said() {
    let mut client = Client::new(6);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.wire.model().messages("!a", 4);
    client.start();
    assert!(client.caught_up());
    client.wire.model().own("!a", "ban");
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Ban));
    assert!(client.items("!a").len() > 4);
    // A lost token brings no word of it: a ban stays one.
    client.wire.model().age += 1;
    client.start();
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Ban));
}

#[test]
fn an_invitation_taken_back_while_the_token_was_lost() {
    let mut client = Client::new(6);
    client.wire.model().create("!a");
    client.wire.model().own("!a", "invite");
    client.start();
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Invite));
    client.kill();
    client.wire.model().own("!a", "leave");
    client.wire.model().age += 1;
    client.start();
    assert!(client.caught_up());
    assert_eq!(membership(&client, "!a"), Some(Membership::Leave));
}

#[test]
fn a_room_that_takes_anothers_place() {
    let mut client = Client::new(8);
    for id in ["!old:sim", "!new"] {
        client.wire.model().create(id);
        client.wire.model().join(id);
    }
    client.start();
    assert!(client.caught_up());
    let before = { neighbours(&mut client, "!old:sim") };
    assert_eq!(before, (None, None));
    let tombstone = json!({ "body": "moved", "replacement_room": "!new" });
    client.wire.model().state("!old:sim", "@bob:sim", "m.room.tombstone", "", tombstone);
    let create = json!({ "room_version": "12", "predecessor": { "room_id": "!old:sim" } });
    client.wire.model().state("!new", "@bob:sim", "m.room.create", "", create);
    assert!(client.caught_up());
    assert_eq!(neighbours(&mut client, "!old:sim"), (None, Some("!new".to_owned())));
    assert_eq!(neighbours(&mut client, "!new"), (Some("!old:sim".to_owned()), None));
    assert_eq!(neighbours(&mut client, "!unknown"), (None, None));
}

/// Predecessor and successor.
fn neighbours(client: &mut Client, id: &str) -> (Option<String>, Option<String>) {
    let (engine, id) = (client.engine.clone(), room(id));
    client.act(async move {
        let text = |room: Option<haos_store_api::RoomId>| room.map(|room| room.to_string());
        (text(engine.predecessor(&id).await.unwrap()), text(engine.successor(&id).await.unwrap()))
    })
}

/// The own message comes back with a sync: its row is done, and nothing is doubled.
#[test]
fn an_echo_takes_its_row() {
    let mut client = Client::new(9);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.start();
    assert!(client.caught_up());
    let (outbox, draft) = (client.outbox.clone(), haos_matrix::compose::text(&room("!a"), "mine").unwrap());
    let row = client.act(async move { outbox.enqueue(draft).await.unwrap() });
    client.wire.model().echo("!a", row.txn_id.as_str());
    assert!(client.caught_up());
    let outbox = client.outbox.clone();
    assert_eq!(client.act(async move { outbox.rows(None).await.unwrap() }), []);
    client.check_complete();
}
