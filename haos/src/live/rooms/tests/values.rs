//! What a list shows of a room besides its latest message.

use std::collections::BTreeMap;

use haos_matrix::{Account, parse_sync};
use haos_queue::apply_sync;

use super::*;

#[tokio::test]
async fn a_room_without_a_name_is_empty_and_its_counts_are_the_servers() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(unread(room("!r", 5), 7, 2));
        })
        .await;
    let item = world.item("!r").await;
    assert_eq!((item.name.as_str(), item.unread, item.mentions), ("Empty room", 7, 2));
    assert_eq!((item.last_activity_ms, item.membership), (5, Membership::Join));
    assert_eq!((item.latest, item.avatar), (None, None));
    assert!(!item.has_draft && !item.is_muted && !item.is_marked_unread && !item.is_favourite);
    assert!(item.direct.is_empty() && item.typing.is_empty());
}

#[tokio::test]
async fn a_direct_chat_has_the_picture_of_the_other_person_unless_it_has_one() {
    let world = World::new();
    let heroes = r#"[{"user_id":"@zoe","displayname":"Zoe","avatar_url":"mxc://x/zoe"}]"#;
    world
        .apply(|batch| {
            batch.put_room(room("!ada", 1));
            batch.put_room(Room { avatar: Some("mxc://x/room".to_owned()), ..room("!own", 2) });
            batch.put_room(room("!zoe", 3));
            batch.put_room(room("!other", 4));
            for id in ["!ada", "!own", "!other"] {
                batch.put_state(member(id, "@ada", "Ada"));
            }
            batch.put_state(in_room("!zoe", "haos.summary", "heroes", heroes));
            let direct = r#"{"@ada":["!ada","!own"],"@zoe":["!zoe"],"@me":["!ada"]}"#;
            batch.put_state(account("m.direct", "", direct));
        })
        .await;
    for (id, avatar, direct) in [
        ("!ada", Some("mxc://x/Ada"), &["@ada"][..]),
        ("!own", Some("mxc://x/room"), &["@ada"]),
        ("!zoe", Some("mxc://x/zoe"), &["@zoe"]),
        ("!other", None, &[]),
    ] {
        let item = world.item(id).await;
        assert_eq!(item.avatar.as_deref(), avatar, "{id}");
        assert_eq!(item.direct, direct.iter().map(|id| user(id)).collect::<Vec<_>>(), "{id}");
    }
}

#[tokio::test]
async fn the_accounts_data_and_drafts_show_as_they_change() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1));
        })
        .await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    let told = |mirror: &mut Mirror| {
        mirror.catch_up();
        let room = &mirror.items[0];
        [room.is_muted, room.is_marked_unread, room.is_favourite, room.has_draft, !room.direct.is_empty()]
    };
    assert_eq!(told(&mut mirror), [false; 5]);
    let muted = r#"{"global":{"room":[{"rule_id":"!r","actions":["dont_notify"],"enabled":true}]}}"#;
    for (entry, expected) in [
        (account("m.push_rules", "", muted), [true, false, false, false, false]),
        (account("haos.marked_unread", "!r", r#"{"unread":true}"#), [true, true, false, false, false]),
        (favourite("!r", r#"{"order":0.5}"#), [true, true, true, false, false]),
        (in_room("!r", "haos.draft", "", r#"{"body":"hm"}"#), [true, true, true, true, false]),
        (account("m.direct", "", r#"{"@a":["!r"]}"#), [true; 5]),
        (account("m.push_rules", "", "{}"), [false, true, true, true, true]),
        (account("haos.marked_unread", "!r", r#"{"unread":false}"#), [false, false, true, true, true]),
        (account("haos.tags", "!r", r#"{"tags":{}}"#), [false, false, false, true, true]),
        (account("m.direct", "", "{}"), [false, false, false, true, false]),
    ] {
        world
            .apply(|batch| {
                batch.put_state(entry);
            })
            .await;
        assert_eq!(told(&mut mirror), expected);
    }
    let draft = (Scope::Room(room_id("!r")), kind("haos.draft"), StateKey::new("").unwrap());
    world
        .apply(|batch| {
            batch.remove_state(draft.0, draft.1, draft.2);
        })
        .await;
    assert_eq!(told(&mut mirror), [false; 5]);
}

#[tokio::test]
async fn who_is_typing_shows_at_once_but_the_user() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_state(member("!r", "@ada", "Ada"));
        })
        .await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    let type_in = |users: &[&str]| {
        let users = users.iter().map(|id| user(id)).collect();
        drop(world.typing.send(Arc::new(BTreeMap::from([(room_id("!r"), users)]))));
    };
    type_in(&["@me", "@ada", "@bob"]);
    mirror.catch_up();
    let typing: Vec<_> =
        mirror.items[0].typing.iter().map(|who| (who.id.as_str(), who.name.as_deref())).collect();
    assert_eq!(typing, [("@ada", Some("Ada")), ("@bob", None)]);
    type_in(&["@me"]);
    mirror.catch_up();
    assert_eq!(mirror.items[0].typing, []);
    assert_eq!(mirror.catch_up(), 0);
}

#[tokio::test]
async fn whose_messages_are_the_own_ones_shows_once_the_user_is_known() {
    let world = World::new();
    world.me.send_replace(None);
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_message(text("!r", 1, "@me", "mine"));
        })
        .await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    let is_own = |mirror: &Mirror| mirror.items[0].latest.as_ref().unwrap().is_own;
    assert!(!is_own(&mirror));
    world.me.send_replace(Some(user("@me")));
    mirror.catch_up();
    assert!(is_own(&mirror));
}

#[tokio::test]
async fn what_a_list_shows_has_a_plain_form() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(named("!r", 1, "R")).put_message(text("!r", 1, "@a", "hi"));
        })
        .await;
    let json = Json::of(&world.item("!r").await).unwrap();
    assert_eq!(json.text("name").as_deref(), Some("R"));
    assert_eq!(json.member("latest").unwrap().text("text").as_deref(), Some("hi"));
}

#[tokio::test]
async fn a_favourite_and_a_mark_come_with_a_sync() {
    let world = World::new();
    let (store, account) = (&*world.base.store, Account::of(user("@me")));
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    for (tags, unread, expected) in [
        (r#"{"m.favourite":{"order":0.5}}"#, true, ["!a true true", "!b false false"]),
        ("{}", false, ["!b false false", "!a false false"]),
    ] {
        let (tags, unread) = (
            format!(r#"{{"type":"m.tag","content":{{"tags":{tags}}}}}"#),
            format!(r#"{{"type":"m.marked_unread","content":{{"unread":{unread}}}}}"#),
        );
        let event = r#"{"event_id":"$b","sender":"@b","type":"m.x","content":{},"origin_server_ts":5}"#;
        let answer = format!(
            r#"{{"next_batch":"s","rooms":{{"join":{{"!a":{{"account_data":{{"events":[{tags},{unread}]}}}},
                "!b":{{"timeline":{{"events":[{event}]}}}}}}}}}}"#
        );
        let delta = parse_sync(answer.as_bytes(), &account).unwrap();
        apply_sync(store, &delta, Some(&user("@me")), &MatrixProtocol).await.unwrap();
        mirror.catch_up();
        let told = mirror.items.iter();
        let told: Vec<_> =
            told.map(|room| format!("{} {} {}", room.id, room.is_favourite, room.is_marked_unread)).collect();
        assert_eq!(told, expected);
    }
}
