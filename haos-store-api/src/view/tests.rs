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

/// The view of a timeline that is one page.
fn view(messages: &[Message]) -> Vec<MessageView> {
    let slice = law::slice(messages.to_vec(), Vec::new(), Direction::Older, usize::MAX);
    let items = aggregate(slice, messages).items.into_iter();
    items.filter_map(|item| if let ViewItem::Message(m) = item { Some(*m) } else { None }).collect()
}

fn shown_edit(view: &MessageView) -> Option<&str> {
    view.edit.as_ref().map(|edit| edit.id.as_str())
}

#[test]
fn the_latest_edit_by_position_counts_whatever_the_order_of_arrival() {
    let shown = view(&[edit("$e2", 9, "@a", "$m"), edit("$e1", 4, "@a", "$m"), message("$m", 5, "@a")]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), Some("$e2"));
    let only_before_its_target = view(&[edit("$e1", 4, "@a", "$m"), message("$m", 5, "@a")]);
    assert_eq!(shown_edit(&only_before_its_target[0]), Some("$e1"));
}

#[test]
fn nobody_edits_anothers_message_or_into_another_type() {
    let sticker = Message { kind: EventType::new("m.sticker").unwrap(), ..edit("$e2", 3, "@a", "$m") };
    let shown = view(&[message("$m", 1, "@a"), edit("$e", 2, "@b", "$m"), sticker]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown_edit(&shown[0]), None);
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
    let redacted = Message { redacted_by: by, ..edit("$e2", 3, "@a", "$m") };
    let shown = view(&[message("$m", 1, "@a"), edit("$e1", 2, "@a", "$m"), redacted]);
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
    let groups: Vec<_> = shown[0].reactions.iter().map(|g| (g.key.as_str(), g.senders.len())).collect();
    assert_eq!(groups, [("🚀", 2), ("❤️", 1)]);
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
    let (older, newer) = (slice.older(), slice.newer());
    let view = aggregate(slice, &[]);
    assert_eq!(view.items, [ViewItem::Gap(gap)]);
    assert_eq!((view.older, view.newer), (older, newer));
}
