//! The meaning of each capture, on the ids of `ids.json`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use common::{entry, event, id, page, room, sync};
use haos_matrix::MatrixProtocol;
use haos_queue::{Event, apply_sync};
use haos_store_api::{
    Membership, MemoryStore, RelationKind, Room, RoomId, RoomQuery, StorageAdapter as _, Unread, UserId,
};

/// Asserts a relation; `target` is a name of `ids.json` or an id.
fn relates(found: &Event, kind: RelationKind, target: &str, key: Option<&str>) {
    let relation = found.relation.as_ref().unwrap();
    assert_eq!((&relation.kind, relation.key.as_deref()), (&kind, key));
    let target = if target.starts_with('$') { target.to_owned() } else { id(&format!("events/{target}")) };
    assert_eq!(relation.target.as_str(), target);
}

#[test]
fn relations() {
    let delta = sync("initial_all_limit1000");
    let general = room(&delta, &id("rooms/general"));
    let named = |name: &str| event(general, &id(&format!("events/{name}")));
    relates(named("edit1"), RelationKind::Edit, "edited", None);
    relates(named("edit2"), RelationKind::Edit, "edited", None);
    relates(named("malformed_edit"), RelationKind::Edit, "text", None);
    relates(named("react-bob-👍"), RelationKind::Reaction, "text", Some("👍"));
    relates(named("react-bob-❤️"), RelationKind::Reaction, "text", Some("❤️"));
    relates(named("reply2"), RelationKind::Reply, "reply", None);
    relates(named("reply_to_missing"), RelationKind::Reply, &format!("$missing{}", "0".repeat(37)), None);
    relates(named("t2"), RelationKind::Thread, "troot", None);
    relates(named("vote"), RelationKind::Other("m.reference".into()), "poll", None);
    assert_eq!(named("malformed_rel").relation, None);
    assert_eq!(named("malformed_rel").content.member("m.relates_to").unwrap().as_str(), r#""nope""#);
    assert_eq!(named("edited").content.text("body").as_deref(), Some("tpyo in this mesage"));
    let custom = named("custom").content.as_str();
    assert_eq!(custom, r#"{"hello":1,"nested":{"a":[1,2,null,true,-9007199254740991]}}"#);
}

#[test]
fn redactions() {
    let delta = sync("initial_all_limit1000");
    let general = room(&delta, &id("rooms/general"));
    for (by, target) in [("redact", "secret"), ("modredact", "spam"), ("unreact", "react-dave-🎉")] {
        let target_id = id(&format!("events/{target}"));
        let redaction = event(general, &id(&format!("events/{by}")));
        relates(redaction, RelationKind::Redaction, target, None);
        assert_eq!(redaction.extra, None, "`redacts` has its place in the relation");
        let emptied = event(general, &target_id);
        assert_eq!(emptied.redacted_by.as_ref(), Some(&redaction.id));
        assert_eq!((emptied.content.as_str(), &emptied.relation, &emptied.extra), ("{}", &None, &None));
    }
    let old = room(&delta, &id("rooms/v6"));
    let emptied = event(old, &id("events/v6m"));
    relates(event(old, emptied.redacted_by.as_ref().unwrap().as_str()), RelationKind::Redaction, "v6m", None);

    let own = sync("incr_03_own_redaction");
    let redaction = room(&own, &id("rooms/general")).timeline.last().unwrap();
    assert_eq!(redaction.relation.as_ref().unwrap().kind, RelationKind::Redaction);
    assert!(redaction.txn_id.is_some());
}

#[test]
fn encrypted_events_stay_as_they_are() {
    let delta = sync("initial_all_limit1000");
    let secret = room(&delta, &id("rooms/encrypted"));
    for name in ["enc0", "enc1", "enc2"] {
        let found = event(secret, &id(&format!("events/{name}")));
        assert_eq!(found.kind.as_str(), "m.room.encrypted");
        assert!(found.content.text("ciphertext").unwrap().len() > 100);
    }
    assert_eq!(event(secret, &id("events/enc0")).txn_id.as_ref().unwrap().as_str(), "txn-enc0");
    assert_eq!(event(secret, &id("events/enc1")).txn_id, None);
}

#[test]
fn transaction_ids() {
    let own = sync("incr_02_own_echo_txn_id");
    let own = room(&own, &id("rooms/general")).timeline.last().unwrap();
    assert_eq!(own.txn_id.as_ref().unwrap().as_str(), "own-txn-1");
    let other = sync("other_device_same_event_no_txn_id");
    let other = event(room(&other, &id("rooms/general")), own.id.as_str());
    assert_eq!(other, &Event { txn_id: None, ..own.clone() });
    let busy = page("gap_busy_page0", &id("rooms/busy"));
    assert_eq!(busy.events.iter().filter(|event| event.txn_id.is_some()).count(), 1);
}

/// The rows that answers leave in a store, one after the other.
async fn rows(names: &[&str]) -> MemoryStore {
    let store = MemoryStore::new();
    for name in names {
        apply_sync(&store, &sync(name), common::alice().user.as_ref(), &MatrixProtocol).await.unwrap();
    }
    store
}

async fn row(store: &MemoryStore, room: &str) -> Room {
    store.room(&RoomId::new(room).unwrap()).await.unwrap().unwrap()
}

#[tokio::test]
async fn room_rows() {
    let store = rows(&["initial_all_limit1000"]).await;
    let general = row(&store, &id("rooms/general")).await;
    assert_eq!(general.name.as_deref(), Some("General 💬"));
    assert_eq!(general.topic.as_deref(), Some("new topic"));
    assert_eq!(general.avatar.as_deref(), Some("mxc://localhost/rQpUlDEURuIMBNKKQFLmPMnt"));
    assert_eq!(general.kind, None);
    let busy = row(&store, &id("rooms/busy")).await.unread;
    assert_eq!(busy, Unread { notifications: 30, highlights: 0 });
    let dm = row(&store, &id("rooms/dm")).await;
    assert_eq!((dm.name.as_deref(), &dm.topic), (Some("Bob"), &None));
    assert_eq!(row(&store, &id("rooms/invite")).await.name.as_deref(), Some("Please join"));
    assert_eq!(row(&store, &id("rooms/knock")).await.name.as_deref(), Some("Knock me"));

    let store = rows(&["initial_all_limit1000", "incr_05_profile_and_name_change"]).await;
    let renamed = row(&store, &id("rooms/general")).await;
    assert_eq!(renamed.name.as_deref(), Some("General renamed"));
    assert_eq!((renamed.topic.as_deref(), &renamed.kind), (Some("new topic"), &None));
    let changed = sync("incr_06_before_edit");
    let member = entry(&room(&changed, &id("rooms/general")).state, "m.room.member", "@bob:localhost");
    assert_eq!(member.value.member("content").unwrap().text("displayname").as_deref(), Some("Bobby"));
    assert_eq!(member.event_id.as_ref().unwrap().as_str(), member.value.text("event_id").unwrap());
    assert!(member.value.member("unsigned").is_none());
}

#[tokio::test]
async fn a_space() {
    let store = rows(&["initial_all_limit1000"]).await;
    let space = id("rooms/space");
    assert_eq!(row(&store, &space).await.kind.unwrap().as_str(), "m.space");
    let in_space = RoomQuery { space: Some(RoomId::new(&space).unwrap()), ..RoomQuery::default() };
    let rooms = store.rooms(in_space).await.unwrap();
    assert_eq!(rooms.iter().map(|room| room.id.as_str()).collect::<Vec<_>>(), [id("rooms/general")]);
}

#[test]
fn memberships() {
    let initial = sync("initial_all_limit1000");
    let invite = room(&initial, &id("rooms/invite"));
    assert_eq!(invite.membership, Membership::Invite);
    assert_eq!((invite.timeline.len(), invite.state.len()), (0, 5));
    assert!(invite.state.iter().all(|entry| entry.event_id.is_none()));
    let knock = room(&initial, &id("rooms/knock"));
    assert_eq!(knock.membership, Membership::Knock);
    let left = sync("initial_include_leave_limit5");
    assert_eq!(room(&left, &id("rooms/left")).membership, Membership::Leave);

    let of = |name: &str| {
        let delta = sync(name);
        let [room] = &delta.rooms[..] else { panic!("{name}: {} rooms", delta.rooms.len()) };
        (room.id.clone(), room.membership, room.limited, room.timeline.len())
    };
    let (invited, membership, ..) = of("incr_10_invite");
    assert_eq!(membership, Membership::Invite);
    assert_eq!(of("incr_11_invite_rescinded"), (invited, Membership::Leave, false, 1));
    let (joined, membership, limited, count) = of("incr_12_newly_joined_room");
    assert_eq!((membership, limited, count), (Membership::Join, true, 20));
    assert_eq!(of("incr_13_left_room"), (joined.clone(), Membership::Leave, false, 1));
    assert_eq!(of("incr_15_rejoined_room"), (joined.clone(), Membership::Join, true, 20));
    assert_eq!(of("incr_16_banned_room"), (joined, Membership::Ban, false, 1));
}

#[test]
fn receipts() {
    let delta = sync("initial_all_limit1000");
    let general = room(&delta, &id("rooms/general"));
    let found = |key: &str| entry(&general.state, "haos.receipt", key).value.clone();
    let text = |key: &str, member: &str| found(key).text(member).unwrap();
    assert_eq!(text("m.read|@bob:localhost", "event_id"), id("events/custom"));
    assert_eq!(found("m.read|@bob:localhost").member("ts").unwrap().as_str(), "1795362704166");
    assert_eq!(text("m.read.private|@alice:localhost", "event_id"), id("events/image"));
    let threaded = format!("m.read|@bob:localhost|{}", id("events/troot"));
    assert_eq!(text(&threaded, "event_id"), id("events/t1"));
    assert_eq!(text(&threaded, "thread_id"), id("events/troot"));
    assert_eq!(text(&threaded, "user_id"), "@bob:localhost");
    assert!(!general.state.iter().any(|entry| entry.kind.as_str() == "m.typing"));

    let later = sync("incr_04_message_receipt_typing");
    let later = room(&later, &id("rooms/general"));
    let value = &entry(&later.state, "haos.receipt", "m.read|@bob:localhost").value;
    assert!(value.text("event_id").unwrap().starts_with("$gdmysOAn"));
    let bob = Some(vec![UserId::new("@bob:localhost").unwrap()]);
    assert_eq!((&general.typing, &later.typing), (&bob, &bob), "told, and no state");
}

#[test]
fn account_data() {
    let initial = sync("initial_all_limit1000");
    let general = room(&initial, &id("rooms/general"));
    let read = &entry(&general.state, "m.fully_read", "").value;
    assert_eq!(read.text("event_id").unwrap(), id("events/reply"));
    assert!(entry(&initial.account, "m.push_rules", "").value.member("global").is_some());
    assert!(entry(&initial.account, "m.direct", "").value.member("@bob:localhost").is_some());
    let delta = sync("incr_17_account_data_tags");
    assert_eq!(entry(&delta.account, "org.example.pref", "").value.as_str(), r#"{"x":1}"#);
    let tags = &entry(&room(&delta, &id("rooms/general")).state, "m.tag", "").value;
    assert_eq!(tags.as_str(), r#"{"tags":{"m.favourite":{"order":0.25},"m.lowpriority":{"order":0.5}}}"#);
}

#[test]
fn state_after_the_timeline() {
    let delta = sync("initial_msc4222_state_after");
    let [room] = &delta.rooms[..] else { panic!() };
    assert_eq!(room.state.len(), 5);
    let levels = entry(&room.state, "m.room.power_levels", "");
    assert!(levels.value.member("content").unwrap().member("users").is_some());
}

#[test]
fn the_gap_and_its_pages() {
    let delta = sync("incr_09_limited_gap");
    let busy = room(&delta, &id("rooms/busy"));
    assert!(busy.limited && busy.timeline.len() == 20);
    let pages =
        ["gap_busy_page0", "gap_busy_page1", "gap_busy_page2"].map(|name| page(name, &id("rooms/busy")));
    let newest = pages[0].events.last().unwrap();
    assert!(newest.timestamp_ms <= busy.timeline[0].timestamp_ms, "oldest first");
    for page in &pages {
        assert!(page.events.is_sorted_by_key(|event| event.timestamp_ms));
        assert!(page.end.is_some());
    }
    let last = page("end_of_history", &id("rooms/busy"));
    assert_eq!((last.end, last.events), (None, Vec::new()));
    // Four are sent along; the rest are those that its events are about.
    let page = page("general_dir_b_lazy", &id("rooms/general"));
    let members = page.events.iter().filter(|event| event.kind.as_str() == "m.room.member");
    assert_eq!(page.state.len(), 4 + members.count());
}

#[test]
fn nothing_but_a_token() {
    for name in ["incr_01_empty", "incr_14_after_left_nothing", "incr_20_longpoll_timeout_empty"] {
        let delta = sync(name);
        assert!(delta.next.is_some(), "{name}");
        assert!(delta.rooms.is_empty() && delta.account.is_empty(), "{name}");
    }
}
