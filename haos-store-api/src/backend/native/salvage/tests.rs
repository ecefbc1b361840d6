use super::*;
use crate::conformance::durable::{at, gap, message, pending, room, room_id};
use crate::kv::{Head, Layer, Map, Transaction};
use crate::law::{RoomRows, TimelineRows};
use crate::{Codec, Position};

fn unsent(name: &str, seq: u64, revision: u64) -> Pending {
    Pending { seq, revision: Revision(revision), ..pending("a", name) }
}

fn seqs(salvage: &Salvage) -> Vec<(u64, &str, u64)> {
    salvage.pending().map(|row| (row.seq, row.txn_id.as_str(), row.revision.0)).collect()
}

#[test]
fn the_later_of_two_versions_of_an_unsent_row_is_kept() {
    for order in [[1, 2], [2, 1]] {
        let mut salvage = Salvage::default();
        order.iter().for_each(|revision| salvage.add_pending(unsent("t", 5, *revision)));
        assert_eq!(seqs(&salvage), [(5, "t", 2)]);
        assert_eq!((salvage.last_seq, salvage.revision), (5, Revision(2)));
    }
}

#[test]
fn no_two_unsent_rows_have_one_number() {
    let mut salvage = Salvage::default();
    salvage.count(9, Revision(3));
    for name in ["a", "b", "c"] {
        salvage.add_pending(unsent(name, 4, 1));
    }
    assert_eq!(seqs(&salvage), [(4, "a", 1), (10, "b", 1), (11, "c", 1)]);
}

#[test]
fn what_another_place_gives_is_not_unreadable() {
    let mut salvage = Salvage::default();
    salvage.named(Collection::Pending, 3);
    salvage.add_pending(unsent("a", 1, 1));
    assert_eq!(salvage.of(Collection::Pending), CarriedOver { rows: 1, unreadable: 2 });
    salvage.add_pending(unsent("b", 2, 1));
    salvage.add_pending(unsent("c", 3, 1));
    salvage.add_pending(unsent("d", 4, 1));
    assert_eq!(salvage.of(Collection::Pending), CarriedOver { rows: 4, unreadable: 0 });
}

#[test]
fn the_unreadable_are_those_found_or_those_named_and_absent() {
    let mut salvage = Salvage::default();
    salvage.named(Collection::Media, 5);
    (0..3).for_each(|_| salvage.carried(Collection::Media));
    assert_eq!(salvage.of(Collection::Media), CarriedOver { rows: 3, unreadable: 2 });
    salvage.retract(Collection::Media, 1);
    assert_eq!(salvage.of(Collection::Media), CarriedOver { rows: 2, unreadable: 3 });
    (0..7).for_each(|_| salvage.lost(Collection::Media));
    assert_eq!(salvage.of(Collection::Media).unreadable, 8);
}

#[test]
fn the_token_is_forgotten_for_what_a_sync_tells_once() {
    for (of, forgets) in [
        (Collection::Rooms, true),
        (Collection::State, true),
        (Collection::Messages, false),
        (Collection::Gaps, false),
        (Collection::Media, false),
        (Collection::Pending, false),
    ] {
        let mut salvage = Salvage::default();
        salvage.lost(of);
        assert_eq!(salvage.forgets_token(), forgets, "{of:?}");
    }
    let mut salvage = Salvage::default();
    salvage.lacks_news();
    assert!(salvage.forgets_token());
}

/// Weaves the messages of rooms, with tears before some; returns the gaps' places, and whether news may be lost.
fn woven(items: &[Item], gaps: &[(&'static str, u64)]) -> (Vec<(String, Position)>, bool) {
    let (tree, codec, mut layer) = (Map::new(), Codec::plain(), Layer::new(Head::default()));
    let mut rows = Transaction::new(&tree, &codec, &mut layer, Revision(1));
    for name in ["a", "b"] {
        rows.write_room(&room(name)).unwrap();
    }
    for (name, offset) in gaps {
        rows.write_gap(&gap(name, *offset, "token")).unwrap();
    }
    let (mut weaver, mut salvage) = (Weaver::default(), Salvage::default());
    for item in items {
        match item {
            Item::Tear => weaver.tear(),
            Item::Message(name, offset) => {
                let message = message(name, &format!("{name}{offset}"), *offset);
                rows.insert_message(&message).unwrap();
                weaver.message(&mut rows, &mut salvage, &message.room, message.position).unwrap();
            }
        }
    }
    weaver.end(&mut salvage);
    let mut found = Vec::new();
    for name in ["a", "b"] {
        let gaps = rows.gaps(&room_id(name)).unwrap();
        found.extend(gaps.into_iter().map(|gap| (name.to_owned(), gap.position)));
    }
    (found, salvage.forgets_token())
}

enum Item {
    Tear,
    Message(&'static str, u64),
}

fn places(places: &[(&str, u64)]) -> Vec<(String, Position)> {
    places.iter().map(|(name, offset)| ((*name).to_owned(), at(*offset))).collect()
}

#[test]
fn a_tear_is_a_gap_right_before_the_next_message() {
    use Item::{Message, Tear};
    let (gaps, forgets) = woven(&[Message("a", 1), Tear, Message("a", 5), Message("a", 9)], &[]);
    assert_eq!((gaps, forgets), (places(&[("a", 4)]), false));
    let (gaps, _) = woven(&[Message("a", 1), Tear, Message("a", 2)], &[]);
    assert_eq!(gaps, places(&[]), "nothing stood between neighbours");
    let (gaps, _) = woven(&[Message("a", 1), Tear, Message("a", 5)], &[("a", 4)]);
    assert_eq!(gaps, places(&[("a", 4)]), "its token stays");
    let (gaps, _) = woven(&[Message("a", 1), Tear, Message("a", 9)], &[("a", 4)]);
    assert_eq!(gaps, places(&[("a", 4), ("a", 8)]), "something may have stood behind the gap");
}

#[test]
fn a_tear_at_the_end_of_a_room_forgets_the_token() {
    use Item::{Message, Tear};
    let (gaps, forgets) = woven(&[Message("a", 1), Tear, Message("b", 5)], &[]);
    assert_eq!((gaps, forgets), (places(&[("b", 4)]), true));
    let (gaps, forgets) = woven(&[Message("a", 1), Message("b", 5), Tear], &[]);
    assert_eq!((gaps, forgets), (places(&[]), true));
}

#[test]
fn gaps_come_back_wherever_one_may_have_stood() {
    let (tree, codec, mut layer) = (Map::new(), Codec::plain(), Layer::new(Head::default()));
    let mut rows = Transaction::new(&tree, &codec, &mut layer, Revision(1));
    rows.write_room(&room("a")).unwrap();
    for offset in [10, 11, 15, 20, 30, 40] {
        rows.insert_message(&message("a", &format!("m{offset}"), offset)).unwrap();
    }
    rows.write_gap(&gap("a", 17, "kept")).unwrap();
    gaps_where_some_were_lost(&mut rows, &Salvage::default(), &room_id("a"), (at(11), at(30))).unwrap();
    let gaps = rows.gaps(&room_id("a")).unwrap();
    let found: Vec<_> = gaps.iter().map(|gap| (gap.position, gap.token.as_deref())).collect();
    assert_eq!(found, [(at(14), None), (at(17), Some("kept")), (at(29), None)]);
}
