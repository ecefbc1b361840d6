use std::cmp::Reverse;
use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::*;

/// The same examples every time.
fn examples(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x4841_4f53),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn room_id(n: u8) -> RoomId {
    RoomId::new(format!("!{n}")).unwrap()
}

fn event(n: u8) -> EventId {
    EventId::new(format!("${n}")).unwrap()
}

fn txn(n: u8) -> TxnId {
    TxnId::new(format!("t{n}")).unwrap()
}

fn media_key(n: u8) -> MediaKey {
    MediaKey { uri: MediaUri::new(format!("mxc://h/{n}")).unwrap(), format: MediaFormat::new("").unwrap() }
}

fn media(n: u8) -> MediaInfo {
    MediaInfo {
        key: media_key(n),
        size: 0,
        mime: None,
        rooms: vec![room_id(1), room_id(2)],
        last_access_ms: 0,
        fetched_at_ms: 0,
        pinned: false,
    }
}

fn message() -> Message {
    Message {
        room: room_id(1),
        id: event(1),
        position: Position::FIRST,
        sender: UserId::new("@a").unwrap(),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::empty(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn pending() -> Pending {
    let row = Pending::new(txn(1), room_id(1), EventType::new("m.x").unwrap(), Json::empty(), 0);
    Pending { seq: 5, not_before_ms: 10, event_id: Some(event(1)), parent: Some(txn(2)), ..row }
}

// Rooms

fn rooms() -> impl Strategy<Value = Vec<Room>> {
    vec((0..5_i64, any::<bool>(), any::<bool>()), 0..12).prop_map(|rooms| {
        let room = |(n, (activity, in_space, left)): (usize, (i64, bool, bool))| Room {
            last_activity_ms: activity,
            spaces: if in_space { vec![room_id(99)] } else { Vec::new() },
            ..Room::new(room_id(n as u8), if left { Membership::Leave } else { Membership::Join })
        };
        rooms.into_iter().enumerate().map(room).collect()
    })
}

fn room_query() -> impl Strategy<Value = RoomQuery> {
    let after = prop::option::of((-1..6_i64, 0..12_u8));
    (after, any::<bool>(), prop::option::of(any::<bool>()), 0..6_usize).prop_map(
        |(after, in_space, left, limit)| RoomQuery {
            after: after.map(|(last_activity_ms, n)| RoomCursor { last_activity_ms, id: room_id(n) }),
            space: in_space.then(|| room_id(99)),
            membership: left.map(|left| if left { Membership::Leave } else { Membership::Join }),
            limit,
        },
    )
}

proptest! {
    #![proptest_config(examples(2_000))]
    /// Rooms come by falling activity; those of one activity in any order.
    #[test]
    fn a_page_of_rooms_is_the_first_of_those_that_are_asked_for(
        rooms in rooms(), query in room_query(),
    ) {
        let order = |room: &Room| (Reverse(room.last_activity_ms), room.id.clone());
        let after = query.after.as_ref().map(|after| (Reverse(after.last_activity_ms), after.id.clone()));
        let mut expected: Vec<Room> = rooms.clone();
        expected.retain(|room| {
            after.as_ref().is_none_or(|after| order(room) > *after)
                && (query.space.is_none() || room.spaces.contains(&room_id(99)))
                && (query.membership.is_none() || query.membership == Some(room.membership))
        });
        expected.sort_by_key(order);
        expected.truncate(query.limit);

        let mut arriving = rooms;
        arriving.sort_by_key(|room| Reverse(room.last_activity_ms));
        let mut pager = RoomPager::new(query.clone());
        let newest = pager.newest_ms();
        prop_assert_eq!(newest, query.after.map_or(i64::MAX, |after| after.last_activity_ms));
        let wanted = arriving.into_iter().filter(|room| room.last_activity_ms <= newest);
        for room in wanted {
            if !pager.push(room) {
                break;
            }
        }
        prop_assert_eq!(pager.finish(), expected);
    }
}

#[test]
fn a_full_page_wants_no_room_of_less_activity() {
    let room = |n, last_activity_ms| Room { last_activity_ms, ..Room::new(room_id(n), Membership::Join) };
    let mut pager = RoomPager::new(RoomQuery::latest(2));
    // The third may still be the second by its id.
    assert_eq!(
        [room(1, 9), room(3, 8), room(2, 8), room(4, 7)].map(|room| pager.push(room)),
        [true, true, true, false]
    );
    assert_eq!(pager.finish(), [room(1, 9), room(2, 8)]);
    let mut none = RoomPager::new(RoomQuery::latest(0));
    assert!(!none.push(room(1, 9)));
    assert_eq!(none.finish(), []);
}

// Media

fn items() -> impl Strategy<Value = Vec<(MediaInfo, bool)>> {
    let time = prop_oneof![-2..3_i64, Just(i64::MIN), Just(i64::MAX)];
    vec((0..4_u64, time, 0..8_u8), 0..7).prop_map(|items| {
        let item = |(n, (size, last_access_ms, held)): (usize, (u64, i64, u8))| {
            let info = MediaInfo { size, last_access_ms, pinned: held == 6, ..media((n * 5 % 7) as u8) };
            (info, held == 7)
        };
        items.into_iter().enumerate().map(item).collect()
    })
}

proptest! {
    #![proptest_config(examples(3_000))]
    #[test]
    fn an_eviction_takes_no_more_than_the_policy_says(
        items in items(), max_total in 0..10_u64, max_item in 0..4_u64, max_idle_ms in 0..4_i64, now in -1..3_i64,
    ) {
        let policy = MediaPolicy { max_total, max_item, max_idle_ms };
        let in_outbox: HashSet<_> = items.iter().filter(|item| item.1).map(|item| item.0.key.clone()).collect();
        let is_free = |info: &MediaInfo| !info.pinned && !in_outbox.contains(&info.key);
        let idle = |info: &MediaInfo| i128::from(now) - i128::from(info.last_access_ms);
        let mut left: Vec<MediaInfo> = items.iter().map(|(info, _)| info.clone()).collect();
        left.sort_by_key(|info| (info.last_access_ms, info.key.clone()));
        let mut expected = Vec::new();
        let too_much =
            |info: &MediaInfo| is_free(info) && (info.size > max_item || idle(info) > max_idle_ms.into());
        while let Some(at) = left.iter().position(too_much) {
            expected.push(left.remove(at).key);
        }
        while left.iter().map(|info| info.size).sum::<u64>() > max_total {
            let Some(at) = left.iter().position(is_free) else { break };
            expected.push(left.remove(at).key);
        }
        let infos: Vec<MediaInfo> = items.into_iter().map(|(info, _)| info).collect();
        prop_assert_eq!(evict(&infos, &in_outbox, policy, now), expected);
    }

    #[test]
    fn media_are_listed_the_longest_unused_first(items in items(), limit in 0..8_usize) {
        let mut found: Vec<MediaInfo> = items.into_iter().map(|(info, _)| info).collect();
        let mut expected = found.clone();
        expected.sort_by_key(|info| (info.last_access_ms, info.key.clone()));
        expected.truncate(limit);
        sort_media(&mut found, limit);
        prop_assert_eq!(found, expected);
    }
}

// Pages

proptest! {
    #![proptest_config(examples(1_000))]
    #[test]
    fn a_page_is_cut_at_the_end_that_its_direction_goes_to(
        gaps in vec(any::<bool>(), 0..6), limit in 0..7_usize, rotated in 0..6_usize,
    ) {
        let at = |n: usize| Position::FIRST.newer(n as u64).unwrap();
        let (mut messages, mut holes) = (Vec::new(), Vec::new());
        for (n, is_gap) in gaps.iter().enumerate() {
            let hole = Gap { room: room_id(1), position: at(n), token: None, revision: Revision::ZERO };
            if *is_gap {
                holes.push(hole);
            } else {
                messages.push(Message { position: at(n), id: event(n as u8), ..message() });
            }
        }
        // In any order.
        let turn = rotated % messages.len().max(1);
        messages.rotate_left(turn);
        holes.reverse();
        for (direction, from) in [(Direction::Newer, 0), (Direction::Older, gaps.len().saturating_sub(limit))] {
            let page = slice(messages.clone(), holes.clone(), direction, limit);
            let places: Vec<Position> = page.items.iter().map(Item::position).collect();
            let expected: Vec<Position> = (from..gaps.len()).take(limit).map(at).collect();
            prop_assert_eq!((places, page.more), (expected, gaps.len() > limit));
        }
    }
}

// The queries: each condition is asked for alone, and holds or fails.

#[test]
fn an_outbox_row_answers_what_each_part_of_a_query_asks() {
    let all = PendingQuery::default;
    let row = pending();
    for (query, answers) in [
        (all(), true),
        (PendingQuery { txn_id: Some(txn(1)), ..all() }, true),
        (PendingQuery { txn_id: Some(txn(2)), ..all() }, false),
        (PendingQuery { room: Some(room_id(1)), ..all() }, true),
        (PendingQuery { room: Some(room_id(2)), ..all() }, false),
        (PendingQuery { event_id: Some(event(1)), ..all() }, true),
        (PendingQuery { event_id: Some(event(2)), ..all() }, false),
        (PendingQuery { due_ms: Some(11), ..all() }, true),
        (PendingQuery { due_ms: Some(10), ..all() }, true),
        (PendingQuery { due_ms: Some(9), ..all() }, false),
        (PendingQuery { parent: Some(txn(2)), ..all() }, true),
        (PendingQuery { parent: Some(txn(1)), ..all() }, false),
        (PendingQuery { after_seq: 4, ..all() }, true),
        (PendingQuery { after_seq: 5, ..all() }, false),
        (PendingQuery { txn_id: Some(txn(1)), room: Some(room_id(2)), ..all() }, false),
        (PendingQuery { txn_id: Some(txn(2)), room: Some(room_id(1)), ..all() }, false),
    ] {
        assert_eq!(pending_matches(&query, &row), answers, "{query:?}");
    }
    let bare = Pending { event_id: None, parent: None, ..row };
    assert!(pending_matches(&all(), &bare));
    assert!(!pending_matches(&PendingQuery { event_id: Some(event(1)), ..all() }, &bare));
    assert!(!pending_matches(&PendingQuery { parent: Some(txn(2)), ..all() }, &bare));
}

#[test]
fn a_message_answers_what_is_asked_about_its_target() {
    let relation = Relation { kind: RelationKind::Reaction, target: event(1), key: None };
    let (related, alone) = (Message { relation: Some(relation), ..message() }, message());
    let all = RelationQuery::of(&room_id(1), &event(1));
    let of = |kind| RelationQuery { kind: Some(kind), ..all.clone() };
    for (query, target, message, answers) in [
        (&all, event(1), &related, true),
        (&all, event(2), &related, false),
        (&all, event(1), &alone, false),
        (&of(RelationKind::Reaction), event(1), &related, true),
        (&of(RelationKind::Reaction), event(2), &related, false),
        (&of(RelationKind::Reaction), event(1), &alone, false),
        (&of(RelationKind::Edit), event(1), &related, false),
        (&of(RelationKind::Edit), event(2), &related, false),
    ] {
        assert_eq!(relation_matches(query, &target, message), answers, "{query:?} {target}");
    }
}

#[test]
fn state_is_ordered_by_kind_then_key() {
    let entry = |kind: &str, key: &str| StateEntry {
        scope: Scope::Account,
        kind: EventType::new(kind).unwrap(),
        key: StateKey::new(key).unwrap(),
        event_id: None,
        value: Json::empty(),
    };
    let mut entries = [entry("b", ""), entry("a", "z"), entry("b", "a"), entry("a", "y")];
    sort_state(&mut entries);
    assert_eq!(entries, [entry("a", "y"), entry("a", "z"), entry("b", ""), entry("b", "a")]);
}

#[test]
fn media_answer_what_each_part_of_a_query_asks() {
    let all = MediaQuery::default;
    for (query, answers) in [
        (all(), true),
        (MediaQuery { key: Some(media_key(1)), ..all() }, true),
        (MediaQuery { key: Some(media_key(2)), ..all() }, false),
        (MediaQuery { room: Some(room_id(2)), ..all() }, true),
        (MediaQuery { room: Some(room_id(3)), ..all() }, false),
        (MediaQuery { key: Some(media_key(1)), room: Some(room_id(3)), ..all() }, false),
        (MediaQuery { key: Some(media_key(2)), room: Some(room_id(1)), ..all() }, false),
    ] {
        assert_eq!(media_matches(&query, &media(1)), answers, "{query:?}");
    }
}

// Merging

/// Two identifiers may be cut to one key: that is an error, and neither takes the other's place.
#[test]
fn only_the_same_event_and_the_same_row_merge() {
    let stored = message();
    for other in [Message { room: room_id(2), ..message() }, Message { id: event(2), ..message() }] {
        assert_eq!(resolve_message(&stored, &other).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(resolve_message(&stored, &stored).unwrap(), stored);
    let elsewhere = Pending { room: room_id(2), ..pending() };
    assert_eq!(resolve_pending(&pending(), &elsewhere).unwrap_err().kind(), ErrorKind::Invalid);
}

/// A row keeps the values given at its insert, also if a writer hands in an earlier reading.
#[test]
fn an_outbox_row_keeps_its_place_its_age_and_its_revision() {
    let stored = Pending { created_ms: 3, fence: 7, revision: Revision(9), ..pending() };
    let older = Pending { seq: 0, created_ms: 8, fence: 6, revision: Revision(2), ..stored.clone() };
    assert_eq!(resolve_pending(&stored, &older).unwrap(), stored);
    let later = Pending { attempts: 1, fence: 8, ..older };
    let expected = Pending { attempts: 1, fence: 8, ..stored.clone() };
    assert_eq!(resolve_pending(&stored, &later).unwrap(), expected);
}

/// Every pair of attempts and of differing content.
#[test]
fn content_changes_until_the_first_attempt_and_never_after() {
    let json = |text: &str| Json::new(text).unwrap();
    let other_kind = EventType::new("m.y").unwrap();
    // (stored, incoming, whether both mean the same)
    let pairs = [
        (pending(), pending(), true),
        (pending(), Pending { kind: other_kind, ..pending() }, false),
        (pending(), Pending { content: json("2"), ..pending() }, false),
    ];
    for (stored, incoming, same) in pairs {
        let merged = resolve_pending(&stored, &incoming).unwrap();
        assert_eq!(merged, incoming);
        let tried = Pending { first_attempt_ms: Some(1), ..stored };
        let merged = resolve_pending(&tried, &incoming);
        if same {
            assert_eq!(merged.unwrap(), Pending { first_attempt_ms: Some(1), ..incoming });
        } else {
            assert_eq!(merged.unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}

/// Every state, doubted or not: the form on the wire changes while no attempt can have arrived.
#[test]
fn the_form_of_what_may_have_arrived_stays() {
    let json = |text: &str| Json::new(text).unwrap();
    let form = |wire: Option<&str>, kind: Option<&str>| {
        (wire.map(json), kind.map(|kind| EventType::new(kind).unwrap()))
    };
    let forms =
        [form(None, None), form(Some("1"), None), form(Some("2"), None), form(Some("1"), Some("m.y"))];
    let refused = PendingState::Parked(ParkReason::Refused);
    let states = [
        (PendingState::Blocked, false),
        (PendingState::Queued, false),
        (refused, false),
        (PendingState::Sending, true),
        (PendingState::Sent, true),
    ];
    for (state, is_out) in states {
        for (ambiguous, tried) in [(false, false), (false, true), (true, false), (true, true)] {
            let first_attempt_ms = tried.then_some(1);
            for ((wire, wire_kind), (later, later_kind)) in
                forms.iter().flat_map(|a| forms.iter().map(move |b| (a, b)))
            {
                let (wire, wire_kind) = (wire.clone(), wire_kind.clone());
                let stored = Pending { state, ambiguous, first_attempt_ms, wire, wire_kind, ..pending() };
                let incoming =
                    Pending { wire: later.clone(), wire_kind: later_kind.clone(), ..stored.clone() };
                let allowed = !tried || !(ambiguous || is_out) || incoming == stored;
                assert_eq!(resolve_pending(&stored, &incoming).ok(), allowed.then_some(incoming));
            }
        }
    }
}
