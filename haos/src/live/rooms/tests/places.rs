//! Which rooms are shown, and in which order.

use super::*;

#[tokio::test]
async fn favourites_stand_first_and_the_others_by_their_activity() {
    let world = World::new();
    world
        .apply(|batch| {
            for (id, ms) in [("!a", 1), ("!b", 5), ("!c", 9), ("!d", 9), ("!e", 2), ("!f", 3)] {
                batch.put_room(room(id, ms));
            }
            for (id, order) in
                [("!a", r#"{"order":0.7}"#), ("!e", r#"{"order":0.2}"#), ("!f", "{}"), ("!gone", "{}")]
            {
                batch.put_state(favourite(id, order));
            }
        })
        .await;
    assert_eq!(world.ids(RoomFilter::joined()).await, ["!e", "!a", "!f", "!c", "!d", "!b"]);
    assert_eq!(world.ids(RoomFilter::joined().favourites()).await, ["!e", "!a", "!f"]);
    assert!(world.item("!e").await.is_favourite);
    assert!(!world.item("!b").await.is_favourite);
}

#[tokio::test]
async fn a_filter_chooses_rooms_that_meet_all_its_conditions() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(named("!a", 1, "Ada"));
            batch.put_room(unread(named("!b", 2, "Bob and Ada"), 1, 0));
            batch.put_room(unread(named("!c", 3, "Cafe"), 0, 2));
            batch.put_room(Room { membership: Membership::Invite, ..named("!i", 4, "Adagio") });
            batch.put_room(Room { membership: Membership::Leave, ..room("!l", 5) });
            batch.put_room(Room { kind: Some(kind("m.space")), ..named("!s", 6, "Space") });
            batch.put_room(Room { spaces: vec![room_id("!s")], ..unread(named("!in", 7, "Inside"), 1, 1) });
            batch.put_room(Room { kind: Some(kind("org.call")), ..room("!odd", 0) });
            batch.put_state(account("haos.marked_unread", "!a", r#"{"unread":true}"#));
            batch.put_state(account("haos.marked_unread", "!odd", r#"{"unread":false}"#));
            batch.put_state(account("m.direct", "", r#"{"@b:x":["!b"],"@i:x":["!i"],"@me":["!a"]}"#));
            batch.put_state(favourite("!b", "{}")).put_state(favourite("!c", "{}"));
        })
        .await;
    let space = room_id("!s");
    for (filter, ids) in [
        (RoomFilter::joined(), "!c !b !in !a !odd"),
        (RoomFilter::invites(), "!i"),
        (RoomFilter::all(), "!c !b !in !l !i !a !odd"),
        (RoomFilter::all().spaces(), "!s"),
        (RoomFilter::all().spaces().named("space"), "!s"),
        (RoomFilter::invites().spaces(), ""),
        (RoomFilter::joined().unread(), "!c !b !in !a"),
        (RoomFilter::joined().space(&space), "!in"),
        (RoomFilter::joined().space(&space).unread(), "!in"),
        (RoomFilter::joined().space(&room_id("!other")), ""),
        (RoomFilter::all().named("ada"), "!b !i !a"),
        (RoomFilter::joined().named("ada").unread(), "!b !a"),
        (RoomFilter::all().named("empty"), "!l !odd"),
        (RoomFilter::all().direct(), "!b !i"),
        (RoomFilter::joined().direct(), "!b"),
        (RoomFilter::joined().direct().favourites(), "!b"),
        (RoomFilter::invites().direct().favourites(), ""),
        (RoomFilter::all().favourites().unread().named("bob"), "!b"),
    ] {
        assert_eq!(world.ids(filter.clone()).await.join(" "), ids, "{filter:?}");
    }
}

#[tokio::test]
async fn only_a_window_is_shown_and_it_widens() {
    let world = World::new();
    world
        .apply(|batch| {
            (0..60).for_each(|n| {
                batch.put_room(room(&format!("!{n}"), n));
            })
        })
        .await;
    let list = world.list(RoomFilter::joined());
    assert_eq!((list.now().await.unwrap().len(), list.has_more().await.unwrap()), (50, true));
    let list = list.window(2);
    assert_eq!((list.now().await.unwrap().len(), list.has_more().await.unwrap()), (2, true));
    let mut mirror = Mirror::of(&list).await;
    list.more(57).await.unwrap();
    assert_eq!((list.now().await.unwrap().len(), list.has_more().await.unwrap()), (59, true));
    list.more(usize::MAX).await.unwrap();
    assert_eq!((list.now().await.unwrap().len(), list.has_more().await.unwrap()), (60, false));
    assert_eq!(mirror.catch_up(), 1, "both at once");
    assert_eq!(mirror.items, list.now().await.unwrap().to_vec());
    let list = list.window(0);
    assert_eq!((list.now().await.unwrap().len(), list.has_more().await.unwrap()), (0, true));
}

#[tokio::test]
async fn a_room_comes_up_with_its_activity_and_goes_when_it_is_left() {
    let world = World::new();
    world
        .apply(|batch| {
            (0..6).for_each(|n| {
                batch.put_room(room(&format!("!{n}"), n));
            });
        })
        .await;
    let list = world.list(RoomFilter::joined()).window(3);
    let mut mirror = Mirror::of(&list).await;
    let ids = |mirror: &Mirror| mirror.items.iter().map(|room| room.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&mirror), ["!5", "!4", "!3"]);
    world
        .apply(|batch| {
            batch.put_room(room("!0", 9));
        })
        .await;
    mirror.catch_up();
    assert_eq!(ids(&mirror), ["!0", "!5", "!4"]);
    world
        .apply(|batch| {
            batch.put_room(Room { membership: Membership::Leave, ..room("!0", 10) });
        })
        .await;
    mirror.catch_up();
    assert_eq!(ids(&mirror), ["!5", "!4", "!3"], "what had gone comes back");
    world
        .apply(|batch| {
            batch.remove_room(room_id("!5"));
        })
        .await;
    mirror.catch_up();
    assert_eq!(ids(&mirror), ["!4", "!3", "!2"]);
    world
        .apply(|batch| {
            batch.put_state(favourite("!1", "{}"));
        })
        .await;
    mirror.catch_up();
    assert_eq!(ids(&mirror), ["!1", "!4", "!3"]);
}

#[tokio::test]
async fn so_many_changes_that_all_is_read_again() {
    let world = World::new();
    world
        .apply(|batch| {
            (0..600).for_each(|n| {
                batch.put_room(room(&format!("!{n}"), n));
            })
        })
        .await;
    let list = world.list(RoomFilter::joined()).window(5);
    let mut mirror = Mirror::of(&list).await;
    world
        .apply(|batch| {
            (0..600).for_each(|n| {
                batch.put_room(room(&format!("!{n}"), 600 - n));
            })
        })
        .await;
    mirror.catch_up();
    let ids: Vec<&str> = mirror.items.iter().map(|room| room.id.as_str()).collect();
    assert_eq!(ids, ["!0", "!1", "!2", "!3", "!4"]);
}
