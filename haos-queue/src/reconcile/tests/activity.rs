//! When something last happened in a room, and what is unread of it.

use super::*;
use crate::reconcile::row::row_after;

const T: i64 = 1_700_000_000_000;

fn stored(membership: Membership, active_ms: i64) -> (MemoryStore, RoomView) {
    let store = store("");
    let known = Room { last_activity_ms: active_ms, ..Room::new(room(), membership) };
    let known = Room { unread: Unread { notifications: 7, ..Unread::default() }, ..known };
    apply(&store, |batch| {
        batch.put_room(known);
        batch.put_message(event("known").into_message(room(), at(100)));
        batch.put_message(Message { provisional: true, ..event("guess").into_message(room(), at(101)) });
    });
    let delta = delta(events("known guess"));
    let mut view = now(sync_view(&store, &delta, (None, &PlainProtocol), MARGINS[0])).unwrap();
    (store, view.rooms.remove(&room()).unwrap())
}

fn after(delta: &SyncDelta, stored: Option<&RoomView>, token: Option<&str>) -> Room {
    let rooms = stored.map(|stored| (room(), stored.clone())).into_iter().collect();
    let view = SyncView { token: token.map(str::to_owned), rooms, ..SyncView::default() };
    row_after(delta, &delta.rooms[0], &view, RoomPatch::default())
}

/// Messages count, and new events; in a room without a message, any event does.
#[test]
fn what_is_said_last_is_the_activity() {
    let related = |of: RelationKind| Some(Relation { kind: of, target: id("x"), key: None });
    let new = |at_ms: i64| Event { timestamp_ms: at_ms, ..event("new") };
    let state = Event { state_key: Some(StateKey::new("").unwrap()), ..new(T + 5) };
    // An event, and the activity where something was said before, and where nothing was.
    let cases = [
        (new(T + 5), T + 5, T + 5),
        (new(T - 5), T, T - 5),
        (state, T, T + 5),
        (Event { relation: related(RelationKind::Reply), ..new(T + 5) }, T + 5, T + 5),
        (Event { relation: related(RelationKind::Thread), ..new(T + 5) }, T + 5, T + 5),
        (Event { relation: related(RelationKind::Other("x".into())), ..new(T + 5) }, T + 5, T + 5),
        (Event { relation: related(RelationKind::Edit), ..new(T + 5) }, T, T + 5),
        (Event { relation: related(RelationKind::Reaction), ..new(T + 5) }, T, T + 5),
        (Event { relation: related(RelationKind::Redaction), ..new(T + 5) }, T, T + 5),
        (Event { relation: related(RelationKind::Ignored), ..new(T + 5) }, T, T + 5),
        (Event { id: id("known"), ..new(T + 5) }, T, 0),
        (Event { id: id("guess"), ..new(T + 5) }, T + 5, T + 5),
        (new(-5), T, 0),
    ];
    let (_, active) = stored(Membership::Join, T);
    let (_, silent) = stored(Membership::Join, 0);
    for (event, then, first) in cases {
        let told = format!("{event:?}");
        let delta = delta(vec![event]);
        assert_eq!(after(&delta, Some(&active), Some("s")).last_activity_ms, then, "{told}");
        assert_eq!(after(&delta, Some(&silent), Some("s")).last_activity_ms, first, "{told}");
    }
    let several = delta(vec![new(T + 9), Event { id: id("b"), ..new(T + 3) }]);
    assert_eq!(after(&several, Some(&active), None).last_activity_ms, T + 9);
    assert_eq!(after(&delta(vec![]), None, None).last_activity_ms, 0);
}

/// A clock that was set bounds what others claim, also what was believed before.
#[test]
fn nothing_happened_later_than_now() {
    let (_, active) = stored(Membership::Join, T);
    let (_, silent) = stored(Membership::Join, 0);
    let state = Event { state_key: Some(StateKey::new("").unwrap()), timestamp_ms: T, ..event("s") };
    const SET: i64 = 1_577_836_800_000;
    for (arrived_ms, then) in [
        (None, T),
        (Some(T - 1), T - 1),
        (Some(T + 1), T),
        (Some(SET), SET),
        (Some(SET - 1), T),
        (Some(0), T),
    ] {
        let delta = SyncDelta { arrived_ms, ..delta(vec![state.clone()]) };
        assert_eq!(after(&delta, Some(&active), None).last_activity_ms, then, "{arrived_ms:?}");
        assert_eq!(after(&delta, Some(&silent), None).last_activity_ms, then, "{arrived_ms:?}");
    }
}

/// When the membership began counts where that is news; all combinations.
#[test]
fn a_membership_begins_where_that_is_news() {
    use Membership::{Ban, Invite, Join, Knock, Leave};
    for before in [None, Some(Leave), Some(Join), Some(Invite)] {
        let view = before.map(|before| stored(before, 5).1);
        for membership in [Join, Invite, Knock, Leave, Ban] {
            for bits in 0..16u32 {
                let [initial, token, since, arrived] = [0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1);
                let (since_ms, arrived_ms) = (since.then_some(T), arrived.then_some(T + 3));
                let brought = RoomDelta { since_ms, ..RoomDelta::new(room(), membership) };
                let delta = SyncDelta { initial, arrived_ms, rooms: vec![brought], ..SyncDelta::default() };
                let row = after(&delta, view.as_ref(), token.then_some("s"));
                let begins = before != Some(membership);
                let is_known = before.is_some();
                let began = match membership {
                    _ if !begins => None,
                    Invite | Knock => since_ms.or(arrived_ms),
                    Join if is_known || (!initial && token) => since_ms,
                    _ => None,
                };
                let was = if is_known { 5 } else { 0 };
                assert_eq!(
                    row.last_activity_ms,
                    began.unwrap_or(was),
                    "{before:?} {membership:?} {bits:04b}"
                );
                assert_eq!(row.membership, membership);
            }
        }
    }
}

#[test]
fn a_change_of_membership_ends_what_was_unread() {
    use Membership::{Ban, Invite, Join, Knock, Leave};
    let counted = |notifications| Unread { notifications, ..Unread::default() };
    for before in [Join, Invite, Leave] {
        let (_, view) = stored(before, 0);
        for membership in [Join, Invite, Knock, Leave, Ban] {
            for unread in [None, Some(counted(3))] {
                let brought = RoomDelta { unread, ..RoomDelta::new(room(), membership) };
                let delta = SyncDelta { rooms: vec![brought], ..SyncDelta::default() };
                let expected = match membership {
                    Leave | Ban => 0,
                    _ => {
                        unread.map_or(if before == membership { 7 } else { 0 }, |unread| unread.notifications)
                    }
                };
                assert_eq!(after(&delta, Some(&view), None).unread, counted(expected));
            }
        }
    }
}
