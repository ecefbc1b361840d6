use super::*;
use crate::*;

fn message(id: &str, position: u64, sender: &str) -> Message {
    Message {
        room: RoomId::new("!r").unwrap(),
        id: EventId::new(id).unwrap(),
        position: Position::new(position).unwrap(),
        sender: UserId::new(sender).unwrap(),
        timestamp_ms: 0,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::of(id).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn about(kind: RelationKind, target: &str, key: Option<&str>, message: Message) -> Message {
    let target = EventId::new(target).unwrap();
    Message { relation: Some(Relation { kind, target, key: key.map(str::to_owned) }), ..message }
}

fn edit(id: &str, position: u64, sender: &str, target: &str) -> Message {
    about(RelationKind::Edit, target, None, message(id, position, sender))
}

fn reaction(id: &str, position: u64, sender: &str, target: &str, key: &str) -> Message {
    about(RelationKind::Reaction, target, Some(key), message(id, position, sender))
}

/// Returns the view of a timeline that is one page.
fn view(messages: &[Message]) -> Vec<MessageView> {
    let slice = law::slice(messages.to_vec(), Vec::new(), Direction::Older, usize::MAX);
    shown(aggregate(slice, messages, None))
}

fn shown(view: View) -> Vec<MessageView> {
    let items = view.items.into_iter();
    items.filter_map(|item| if let ViewItem::Message(m) = item { Some(*m) } else { None }).collect()
}

fn shown_edit(view: &MessageView) -> Option<&str> {
    view.edit.as_ref().map(|edit| edit.id.as_str())
}

fn at_ms(timestamp_ms: i64, message: Message) -> Message {
    Message { timestamp_ms, ..message }
}

#[test]
fn the_latest_edit_by_the_servers_time_counts_whatever_the_order_of_arrival() {
    let newest = at_ms(9, edit("$a", 4, "@a", "$m"));
    let older = at_ms(8, edit("$b", 5, "@a", "$m"));
    for edits in [[newest.clone(), older.clone()], [older, newest]] {
        let [first, second] = edits;
        let shown = view(&[message("$m", 1, "@a"), first, second]);
        assert_eq!(shown.len(), 1);
        assert_eq!(shown_edit(&shown[0]), Some("$a"));
    }
    let only_before_its_target = view(&[edit("$e1", 4, "@a", "$m"), message("$m", 5, "@a")]);
    assert_eq!(shown_edit(&only_before_its_target[0]), Some("$e1"));
}

#[test]
fn of_two_edits_of_one_time_the_one_with_the_greater_id_counts() {
    for (first, second) in [("$ea", "$eb"), ("$eb", "$ea")] {
        let edits = [at_ms(7, edit(first, 2, "@a", "$m")), at_ms(7, edit(second, 3, "@a", "$m"))];
        let [a, b] = edits;
        assert_eq!(shown_edit(&view(&[message("$m", 1, "@a"), a, b])[0]), Some("$eb"));
    }
}

#[test]
fn an_edit_that_was_just_sent_is_the_latest_whatever_the_clock_said() {
    let sent = |id, at, ms| Message { provisional: true, ..at_ms(ms, edit(id, at, "@a", "$m")) };
    let confirmed = at_ms(1_000, edit("$e", 2, "@a", "$m"));
    let shown = view(&[message("$m", 1, "@a"), confirmed, sent("$z", 3, 20), sent("$a", 4, 10)]);
    assert_eq!(shown_edit(&shown[0]), Some("$a"));
}

#[test]
fn an_ignored_edit_neither_counts_nor_shows() {
    let ignored = about(RelationKind::Ignored, "$m", None, at_ms(9, message("$e2", 3, "@a")));
    let shown = view(&[message("$m", 1, "@a"), edit("$e1", 2, "@a", "$m"), ignored]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), Some("$e1"));
}

#[test]
fn nobody_edits_anothers_message_or_into_another_type() {
    let sticker = Message { kind: EventType::new("m.sticker").unwrap(), ..edit("$e2", 3, "@a", "$m") };
    let shown = view(&[message("$m", 1, "@a"), edit("$e", 2, "@b", "$m"), sticker]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), None);
}

#[test]
fn state_takes_no_edit_and_is_none() {
    let state = |message| Message { state_key: Some(StateKey::new("").unwrap()), ..message };
    let (target, change) = (message("$m", 1, "@a"), edit("$e", 2, "@a", "$m"));
    for (messages, expected) in [
        ([target.clone(), change.clone()], Some("$e")),
        ([state(target.clone()), change.clone()], None),
        ([target, state(change)], None),
    ] {
        assert_eq!(shown_edit(&view(&messages)[0]), expected);
    }
}

#[test]
fn an_answer_can_be_edited() {
    for kind in [RelationKind::Reply, RelationKind::Thread, RelationKind::Other("x".to_owned())] {
        let answer = about(kind, "$t", None, message("$m", 1, "@a"));
        assert_eq!(shown_edit(&view(&[answer, edit("$e", 2, "@a", "$m")])[0]), Some("$e"));
    }
}

#[test]
fn an_edit_of_an_edit_is_no_edit() {
    let shown = view(&[message("$m", 1, "@a"), edit("$e", 2, "@a", "$m"), edit("$ee", 3, "@a", "$e")]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), Some("$e"));
}

#[test]
fn a_redacted_edit_gives_way_to_the_one_before() {
    let by = Some(EventId::new("$r").unwrap());
    let redacted = Message { redacted_by: by, ..at_ms(9, edit("$e2", 3, "@a", "$m")) };
    let shown = view(&[message("$m", 1, "@a"), edit("$e1", 2, "@a", "$m"), redacted]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), Some("$e1"));
}

#[test]
fn a_redacted_message_shows_neither_edits_nor_reactions() {
    let by = Some(EventId::new("$r").unwrap());
    let redacted = Message { redacted_by: by, ..message("$m", 1, "@a") };
    let shown = view(&[redacted, edit("$e", 2, "@a", "$m"), reaction("$x", 3, "@b", "$m", "+1")]);
    assert!(shown[0].is_redacted());
    assert_eq!((shown_edit(&shown[0]), shown[0].reactions.len()), (None, 0));
}

#[test]
fn reactions_are_grouped_and_each_sender_counts_once() {
    let shown = view(&[
        message("$m", 1, "@a"),
        reaction("$1", 2, "@b", "$m", "🚀"),
        reaction("$2", 3, "@c", "$m", "❤️"),
        reaction("$3", 4, "@c", "$m", "🚀"),
        reaction("$4", 5, "@b", "$m", "🚀"),
    ]);
    let groups: Vec<_> = shown[0].reactions.iter().map(|g| (g.key.as_str(), g.count)).collect();
    assert_eq!(groups, [("🚀", 2), ("❤️", 1)]);
    assert_eq!(shown[0].reactions[0].senders.len(), 2);
}

#[test]
fn what_many_reactions_show_is_bounded_and_the_rest_counted() {
    let id = |n: usize| format!("$r{n}");
    let at = |n: usize| n as u64 + 2;
    let user = |n: usize| format!("@u{n}");
    // Every key once, the last one thrice, one from the own user, and one key from many users.
    let keys = 1_000;
    let mut all = vec![message("$m", 1, "@a")];
    all.extend((0..keys).map(|n| reaction(&id(n), at(n), &user(n), "$m", &format!("k{n}"))));
    all.push(reaction(&id(keys), at(keys), "@x", "$m", "k999"));
    all.push(reaction(&id(keys + 1), at(keys + 1), "@y", "$m", "k999"));
    all.push(reaction(&id(keys + 2), at(keys + 2), "@me", "$m", "k500"));
    all.push(reaction(&id(keys + 3), at(keys + 3), "@me", "$m", "mine"));
    all.extend((0..2 * MAX_SENDERS).map(|n| {
        let n = n + keys + 4;
        reaction(&id(n), at(n), &user(n), "$m", "popular")
    }));
    all.push(reaction("$last", 9_999, "@me", "$m", "popular"));
    let slice = law::slice(all.clone(), Vec::new(), Direction::Older, usize::MAX);
    let me = UserId::new("@me").unwrap();
    let view = shown(aggregate(slice, &all, Some(&me))).remove(0);

    let keys_shown: Vec<&str> = view.reactions.iter().map(|group| group.key.as_str()).collect();
    // As they came: the earliest of those with one user, the own ones, those with several users.
    assert_eq!(keys_shown.len(), MAX_KEYS + 1);
    assert_eq!(keys_shown[..2], ["k0", "k1"]);
    assert_eq!(keys_shown[MAX_KEYS - 3..], ["k500", "k999", "mine", "popular"]);
    let count = |key: &str| view.reactions.iter().find(|group| group.key == key).unwrap().count;
    assert_eq!((count("k500"), count("k999"), count("mine")), (2, 3, 1));
    let popular = view.reactions.last().unwrap();
    assert_eq!(popular.count, 2 * MAX_SENDERS as u64 + 1);
    assert_eq!(popular.senders.len(), MAX_SENDERS + 1);
    assert_eq!(popular.senders.last(), Some(&me));
    let told: u64 = view.reactions.iter().map(|group| group.count).sum();
    assert_eq!(told + view.more_reactions, all.len() as u64 - 1);
}

#[test]
fn a_message_with_very_many_different_reactions_is_shown() {
    // Comparing each with those before it would take minutes.
    let many = 200_000;
    let mut all = vec![message("$m", 1, "@a")];
    all.extend((0..many).map(|n| reaction(&format!("$r{n}"), n + 2, "@b", "$m", &format!("{n:0>200}"))));
    let view = view(&all).remove(0);
    assert_eq!((view.reactions.len(), view.more_reactions), (MAX_KEYS, many - MAX_KEYS as u64));
}

/// Up to 256 bytes a key is shown whole; of a longer one, as many bytes as whole characters take.
#[test]
fn a_long_key_is_cut_between_characters() {
    let shown = |key: &str| {
        let shown = view(&[message("$m", 1, "@a"), reaction("$1", 2, "@b", "$m", key)]);
        shown[0].reactions[0].key.clone()
    };
    let some = |bytes: usize| "x".repeat(bytes);
    for whole in ["".to_owned(), some(1), some(MAX_KEY_BYTES), "é".repeat(MAX_KEY_BYTES / 2)] {
        assert_eq!(shown(&whole), whole);
    }
    assert_eq!(shown(&some(MAX_KEY_BYTES + 1)), some(MAX_KEY_BYTES) + "…");
    // Characters of two, three and four bytes, begun at each place before the end.
    for wide in ["é", "€", "🚀"] {
        for before in MAX_KEY_BYTES - wide.len()..=MAX_KEY_BYTES {
            let fits = if before + wide.len() == MAX_KEY_BYTES { wide } else { "" };
            assert_eq!(shown(&(some(before) + wide + "yyyyy")), some(before) + fits + "…");
        }
    }
}

/// Tallies slowly: keys in the order in which they came, of many those that most users chose.
fn counted(reactions: &[(String, UserId)], own: &UserId) -> (Vec<Reactions>, u64) {
    let mut keys: Vec<(&str, Vec<UserId>)> = Vec::new();
    for (key, sender) in reactions {
        match keys.iter_mut().find(|(known, _)| known == key) {
            Some((_, senders)) if senders.contains(sender) => {}
            Some((_, senders)) => senders.push(sender.clone()),
            None => keys.push((key, vec![sender.clone()])),
        }
    }
    let rank = |key: &str| {
        let mut ranked: Vec<_> = keys.iter().collect();
        ranked.sort_by_key(|(_, senders)| std::cmp::Reverse(senders.len()));
        ranked.iter().position(|(other, _)| *other == key).unwrap()
    };
    let (shown, hidden): (Vec<_>, Vec<_>) =
        keys.iter().partition(|(key, senders)| rank(key) < MAX_KEYS || senders.contains(own));
    let told = |(key, senders): &(&str, Vec<UserId>)| Reactions {
        key: (*key).to_owned(),
        count: senders.len() as u64,
        senders: (0..)
            .zip(senders)
            .filter(|(nth, sender)| *nth < MAX_SENDERS || *sender == own)
            .map(|(_, sender)| sender.clone())
            .collect(),
    };
    (shown.into_iter().map(told).collect(), hidden.iter().map(|(_, senders)| senders.len() as u64).sum())
}

#[test]
fn what_is_shown_of_reactions_is_what_a_slow_count_shows() {
    let user = |n: usize| UserId::new(format!("@u{n}")).unwrap();
    let mut chance = 7_u32;
    let mut below = |end: usize| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 8) as usize % end
    };
    // Around the limits of keys and senders; the own user is anyone, or no one.
    for round in 0..40 {
        let (keys, crowd) = (MAX_KEYS - 2 + round % 5, MAX_SENDERS - 2 + round % 5);
        let mut all: Vec<(String, UserId)> = (0..keys).map(|n| (format!("k{n}"), user(n % 3))).collect();
        all.extend((0..round * 3).map(|_| (format!("k{}", below(keys + 1)), user(below(5)))));
        let popular = below(keys);
        all.extend((0..crowd).map(|n| (format!("k{popular}"), user(n))));
        let own = user([0, 1, 4, crowd - 1, 1_000][round % 5]);
        let mut tally = Tally::new(Some(&own));
        all.iter().for_each(|(key, sender)| tally.add(key, sender));
        assert_eq!(tally.finish(), counted(&all, &own), "round {round}");
    }
}

/// The order of the answers does not matter.
#[test]
fn reactions_show_in_the_order_of_the_timeline() {
    let all = [
        message("$m", 1, "@a"),
        reaction("$3", 4, "@c", "$m", "b"),
        reaction("$2", 3, "@c", "$m", "a"),
        reaction("$1", 2, "@b", "$m", "b"),
        about(RelationKind::Reaction, "$m", None, message("$4", 5, "@d")),
        reaction("$5", 6, "@d", "$other", "c"),
    ];
    let slice = law::slice(all[..1].to_vec(), Vec::new(), Direction::Older, 1);
    let view = shown(aggregate(slice, &all, None)).remove(0);
    let told: Vec<_> =
        view.reactions.iter().map(|group| (&*group.key, group.count, group.senders[0].as_str())).collect();
    assert_eq!(told, [("b", 2, "@b"), ("a", 1, "@c")]);
    assert_eq!(view.more_reactions, 0);
}

#[test]
fn a_message_alone_has_nothing_added() {
    let alone = MessageView::from(message("$m", 1, "@a"));
    let view = view(&[message("$m", 1, "@a")]).remove(0);
    assert_eq!(alone, view);
    assert!(!view.is_redacted());
    assert_eq!(
        (view.edit, view.reactions, view.more_reactions, view.replies, view.thread),
        (None, vec![], 0, 0, 0)
    );
}

/// Every kind of relation, with the place in which its message shows.
#[test]
fn what_is_shown_at_its_target_does_not_show_itself() {
    for (kind, shows) in [
        (RelationKind::Edit, false),
        (RelationKind::Reaction, false),
        (RelationKind::Redaction, false),
        (RelationKind::Ignored, false),
        (RelationKind::Reply, true),
        (RelationKind::Thread, true),
        (RelationKind::Other("x".to_owned()), true),
    ] {
        let related = about(kind.clone(), "$m", Some("+"), message("$1", 2, "@b"));
        let by = Some(EventId::new("$r").unwrap());
        let removed = Message { redacted_by: by, ..related.clone() };
        assert_eq!(view(&[related]).len(), usize::from(shows), "{kind:?}");
        assert_eq!(view(std::slice::from_ref(&removed)).len(), usize::from(shows), "{kind:?}, removed");
        // A removed message counts nowhere.
        let target = view(&[message("$m", 1, "@a"), removed]).remove(0);
        assert_eq!(target, MessageView::from(message("$m", 1, "@a")), "{kind:?}");
    }
}

#[test]
fn a_reaction_to_a_missing_message_shows_nowhere() {
    assert_eq!(view(&[reaction("$x", 2, "@b", "$gone", "+1")]), []);
}

#[test]
fn answers_are_counted_and_shown() {
    let shown = view(&[
        message("$m", 1, "@a"),
        about(RelationKind::Reply, "$m", None, message("$1", 2, "@b")),
        about(RelationKind::Thread, "$m", None, message("$2", 3, "@b")),
        about(RelationKind::Thread, "$m", None, message("$3", 4, "@c")),
    ]);
    assert_eq!(shown.len(), 4);
    assert_eq!((shown[0].replies, shown[0].thread), (1, 2));
}

#[test]
fn gaps_and_cursors_are_those_of_the_page() {
    let gap = Gap {
        room: RoomId::new("!r").unwrap(),
        position: Position::new(1).unwrap(),
        token: None,
        revision: Revision::ZERO,
    };
    let last = reaction("$x", 2, "@b", "$m", "+1");
    let slice = law::slice(vec![last.clone()], vec![gap.clone()], Direction::Older, 10);
    for more in [true, false] {
        let slice = Slice { more, ..slice.clone() };
        let (older, newer) = (slice.older(), slice.newer());
        let view = aggregate(slice, &[], None);
        assert_eq!(view.items, [ViewItem::Gap(gap.clone())]);
        assert_eq!((view.older, view.newer, view.more), (older, newer, more));
    }
}
