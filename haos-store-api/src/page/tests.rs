use super::*;
use crate::{EventType, Json, Revision, RoomId, UserId};

fn at(n: u64) -> Position {
    Position::new(n).unwrap()
}

/// Makes a message if `is_message`, else a gap.
fn item(n: u64, is_message: bool) -> Item {
    let (room, position) = (RoomId::new("!r").unwrap(), at(n));
    if !is_message {
        return Item::Gap(Gap { room, position, token: None, revision: Revision::ZERO });
    }
    Item::Message(Message {
        room,
        id: EventId::new(format!("${n}")).unwrap(),
        position,
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
    })
}

#[test]
fn cursor_text() {
    for text in ["1.8000000000", "1.0", "1.ffffffffff", "1.5.7.$a.b:c", "1.0.ffffffffff.$", "1.5.7.1.5.7.$a"]
    {
        assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "1",
        "1.",
        "2.5",
        "1.g",
        "1.5.",
        "1.5.7",
        "1.5.7.",
        "1.5.g.$a",
        "1.-5",
        "1.10000000000",
        "1.5.10000000000.$a",
        "1.fffffffffff",
        "11.5",
        " 1.5",
    ] {
        let error = text.parse::<Cursor>().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{text}");
    }
}

/// The cursor moves with its message as far as there are positions.
#[test]
fn cursor_follows_its_message() {
    let cursor: Cursor = "1.5.7.$e".parse().unwrap();
    assert_eq!((cursor.anchor().unwrap().as_str(), cursor.anchor_then()), ("$e", Some(at(7))));
    for (now, place) in [(7, 5), (8, 6), (107, 105), (6, 4), (2, 0), (1, 0), (0, 0)] {
        assert_eq!(cursor.resolve(Some(at(now))), at(place), "{now}");
    }
    assert_eq!(cursor.resolve(None), at(5));
    let high: Cursor = "1.fffffffffe.7.$e".parse().unwrap();
    for (now, place) in [(7, (1 << 40) - 2), (8, (1 << 40) - 1), (9, (1 << 40) - 1), (6, (1 << 40) - 3)] {
        assert_eq!(high.resolve(Some(at(now))), at(place), "{now}");
    }
    let alone = Cursor::at_position(at(9));
    assert_eq!((alone.anchor(), alone.anchor_then()), (None, None));
    assert_eq!(alone.resolve(Some(at(1))), at(9));
}

/// The cursors of every page of up to four items stand at its ends and hold on to the nearest message.
#[test]
fn a_page_goes_on_from_its_ends() {
    for len in 0..=4_u64 {
        for which in 0..1 << len {
            let is_message = |n: &u64| which >> n & 1 == 1;
            let items: Vec<Item> = (0..len).map(|n| item(10 + n, is_message(&n))).collect();
            let slice = Slice { items, more: false };
            let of = |n: u64| slice.items[n as usize].position();
            let messages: Vec<Position> = (0..len).filter(is_message).map(of).collect();
            let gaps: Vec<Position> = (0..len).filter(|n| !is_message(n)).map(of).collect();
            assert_eq!(slice.messages().map(|message| message.position).collect::<Vec<_>>(), messages);
            assert_eq!(slice.gaps().map(|gap| gap.position).collect::<Vec<_>>(), gaps);
            let told = |cursor: Option<Cursor>| {
                cursor.map(|cursor| {
                    let name = cursor.anchor().map(|event| event.as_str().to_owned());
                    (cursor.resolve(None), name, cursor.anchor_then())
                })
            };
            let expected = |end: Option<u64>, near: Option<&Position>| {
                let name = near.map(|near| format!("${}", near.get()));
                end.map(|end| (of(end), name, near.copied()))
            };
            let (first, last) = ((len > 0).then_some(0), len.checked_sub(1));
            assert_eq!(told(slice.older()), expected(first, messages.first()), "{which:b}");
            assert_eq!(told(slice.newer()), expected(last, messages.last()), "{which:b}");
        }
    }
    let Item::Message(message) = item(3, true) else { panic!("it is one") };
    assert_eq!(Cursor::of(&message).to_string(), "1.3.3.$3");
}

#[test]
fn pages_start_at_an_end_or_beyond_a_cursor() {
    let cursor = Cursor::at_position(at(5));
    let beyond = || Start::Beyond(cursor.clone());
    for (page, start, direction) in [
        (Page::newest(3), Start::End, Direction::Older),
        (Page::oldest(3), Start::End, Direction::Newer),
        (Page::older_than(cursor.clone(), 3), beyond(), Direction::Older),
        (Page::newer_than(cursor.clone(), 3), beyond(), Direction::Newer),
    ] {
        assert_eq!(page, Page { start, direction, limit: 3 });
    }
}
