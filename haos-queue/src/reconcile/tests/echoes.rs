//! Which rows of the outbox an answer confirms, and what becomes of those that waited.

use super::*;
use crate::local_event_id;

fn row(name: &str, state: PendingState) -> Pending {
    Pending { state, ..Pending::new(txn(name), room(), kind("m.room.message"), Json::empty(), 0) }
}

fn sent(name: &str, event: &str) -> Pending {
    Pending { event_id: Some(id(event)), ..row(name, PendingState::Sent) }
}

fn put(store: &MemoryStore, row: Pending) {
    apply(store, |batch| {
        batch.put_pending(row);
    });
}

fn mine(name: &str, txn_id: Option<&str>) -> Event {
    Event { sender: user("me"), txn_id: txn_id.map(txn), ..event(name) }
}

/// By transaction id and own sender in its room, else by event id; the same text is never a match.
#[test]
fn an_echo_is_known_by_its_transaction_else_by_its_event() {
    let theirs = |name, txn_id| Event { sender: user("other"), ..mine(name, txn_id) };
    for (echoes, own, left) in [
        (vec![mine("x", Some("t1"))], true, "t2 t3 far"),
        (vec![mine("x", Some("t3"))], true, "t1 t2 far"),
        (vec![mine("x", Some("none"))], true, "t1 t2 t3 far"),
        (vec![mine("e2", None)], true, "t1 t3 far"),
        (vec![mine("e2", Some("none"))], true, "t1 t2 t3 far"),
        (vec![mine("e1", None)], true, "t1 t2 t3 far"),
        (vec![mine("e1", Some("t2"))], true, "t1 t3 far"),
        (vec![theirs("x", Some("t1"))], true, "t1 t2 t3 far"),
        (vec![theirs("e2", None)], true, "t1 t2 t3 far"),
        (vec![theirs("x", Some("t1"))], false, "t2 t3 far"),
        (vec![theirs("e2", None)], false, "t1 t3 far"),
        // Of another room.
        (vec![mine("x", Some("far"))], true, "t1 t2 t3 far"),
        (vec![mine("efar", None)], true, "t1 t2 t3 far"),
        // Several, and one twice.
        (vec![mine("x", Some("t1")), mine("e2", None), mine("y", Some("t3"))], true, "far"),
        (vec![mine("e2", None), mine("x", None), mine("e2", Some("t2"))], true, "t1 t3 far"),
    ] {
        let store = store("a");
        apply(&store, |batch| {
            batch.put_room(Room::new(RoomId::new("!far").unwrap(), Membership::Join));
        });
        put(&store, row("t1", PendingState::Sending));
        put(&store, sent("t2", "e2"));
        put(&store, row("t3", PendingState::Parked(ParkReason::Ambiguous)));
        put(&store, Pending { room: RoomId::new("!far").unwrap(), ..sent("far", "efar") });
        let own = own.then(|| user("me"));
        now(apply_sync(&store, &delta(echoes.clone()), own.as_ref(), &PlainProtocol)).unwrap();
        let names: Vec<_> = rows(&store).iter().map(|row| row.txn_id.to_string()).collect();
        assert_eq!(names.join(" "), left, "{echoes:?}");
    }
}

#[test]
fn a_row_is_confirmed_once() {
    let store = store("a");
    put(&store, sent("t", "e"));
    let brought = delta(vec![mine("e", Some("t")), mine("e", None), mine("x", Some("t"))]);
    let view = now(sync_view(&store, &brought, (Some(&user("me")), &PlainProtocol), MARGINS[0])).unwrap();
    let confirmed: Vec<_> =
        view.confirmed.iter().map(|echo| (&echo.family.row.txn_id, &echo.event_id)).collect();
    assert_eq!(confirmed, [(&txn("t"), &id("e"))], "as the first of them says");
}

#[test]
fn a_page_confirms_as_a_sync_does() {
    let store = store("a |t b");
    put(&store, row("t1", PendingState::Sending));
    put(&store, sent("t2", "e2"));
    let child = Pending { parent: Some(txn("t1")), ..row("child", PendingState::Blocked) };
    put(&store, child);
    filled(&store, &gap(&store), &page(vec![mine("x", Some("t1")), mine("e2", None)], Some("u")));
    let left = rows(&store);
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0].txn_id, left[0].state), (&txn("child"), PendingState::Queued));
}

/// The echoes of a row, of one that waited for it, and of one that waited for that, in any order and number: what
/// is left names everything by the server's ids, and waits for what is left.
#[test]
fn echoes_of_one_family_in_one_answer() {
    let names = ["p", "c", "g", "last"];
    for bits in 1..16usize {
        for backwards in [false, true] {
            let store = store("a");
            for (n, name) in names.into_iter().enumerate() {
                let of: Vec<_> =
                    names[..n].iter().map(|of| local_event_id(&txn(of)).unwrap().to_string()).collect();
                let state = if n == 0 { PendingState::Sending } else { PendingState::Blocked };
                let parent = n.checked_sub(1).map(|parent| txn(names[parent]));
                put(&store, Pending { parent, content: Json::of(&of).unwrap(), ..row(name, state) });
            }
            let brought: Vec<usize> = (0..4).filter(|n| bits >> n & 1 == 1).collect();
            let mut echoes: Vec<_> =
                brought.iter().map(|n| mine(&format!("e{n}"), Some(names[*n]))).collect();
            if backwards {
                echoes.reverse();
            }
            synced(&store, &delta(echoes));
            let left = rows(&store);
            let expected: Vec<usize> = (0..4).filter(|n| !brought.contains(n)).collect();
            assert_eq!(left.len(), expected.len());
            for (row, n) in left.iter().zip(expected) {
                assert_eq!(row.txn_id, txn(names[n]));
                let named = |of: usize| match brought.contains(&of) {
                    true => format!("$e{of}"),
                    false => local_event_id(&txn(names[of])).unwrap().to_string(),
                };
                let content: Vec<String> = row.content.parse().unwrap();
                assert_eq!(content, (0..n).map(named).collect::<Vec<_>>(), "{bits:04b} {}", row.txn_id);
                let waits = n > 0 && !brought.contains(&(n - 1));
                assert_eq!(row.parent, waits.then(|| txn(names[n - 1])), "{bits:04b} {}", row.txn_id);
                assert_eq!(row.state == PendingState::Blocked, waits, "{bits:04b} {}", row.txn_id);
            }
        }
    }
}
