//! The latest message of a room.

use haos_store_api::{ParkReason, PendingState, Redact};

use super::*;
use crate::live::timeline::SendStatus;

#[tokio::test]
async fn messages_show_and_what_is_about_them_does_not() {
    let world = World::new();
    let topic = message("!r", 5, "@a", "m.room.topic", r#"{"topic":"x","body":"x"}"#);
    let steps = [
        (message("!r", 1, "@a", "m.call.invite", r#"{"body":"x"}"#), ""),
        (text("!r", 2, "@a", "one"), "one"),
        (about(RelationKind::Reaction, "$2", message("!r", 3, "@a", "m.reaction", "{}")), "one"),
        (edit("!r", 4, "@a", "$2", "won"), "won"),
        (Message { state_key: Some(StateKey::new("").unwrap()), ..topic }, "won"),
        (about(RelationKind::Ignored, "$2", text("!r", 6, "@a", "x")), "won"),
        (edit("!r", 7, "@b", "$2", "forged"), "won"),
        (Message { state_key: Some(StateKey::new("").unwrap()), ..text("!r", 8, "@a", "state") }, "won"),
        (message("!r", 9, "@a", "m.sticker", r#"{"body":"cat"}"#), "cat"),
        (about(RelationKind::Reply, "$2", text("!r", 10, "@a", "answer")), "answer"),
        (about(RelationKind::Thread, "$2", text("!r", 11, "@a", "in a thread")), "in a thread"),
        (edit("!r", 12, "@a", "$2", "an older one"), "in a thread"),
        (text("!r", 13, "@a", r"two\nlines"), "two lines"),
    ];
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1));
        })
        .await;
    let list = world.list(RoomFilter::joined());
    let mut mirror = Mirror::of(&list).await;
    for (message, expected) in steps {
        let id = message.id.clone();
        world
            .apply(|batch| {
                batch.put_message(message);
            })
            .await;
        assert_eq!(world.text("!r").await, expected, "{id}");
        mirror.catch_up();
        assert_eq!(*mirror.items[0], world.item("!r").await, "{id}");
    }
    for kind in ["m.poll.start", "org.matrix.msc3381.poll.start", "m.room.encrypted"] {
        world
            .apply(|batch| {
                batch.put_message(message("!r", 50, "@a", kind, "{}"));
            })
            .await;
        let latest = world.item("!r").await.latest.unwrap();
        assert_eq!(latest.event_id, Some(event_id("$50")), "{kind}");
        world
            .apply(|batch| {
                batch.remove_message(room_id("!r"), event_id("$50"));
            })
            .await;
    }
}

#[tokio::test]
async fn a_preview_tells_who_and_when() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_state(member("!r", "@ada", "Ada"));
            batch.put_message(Message {
                txn_id: Some(TxnId::new("t").unwrap()),
                ..text("!r", 5, "@ada", "hello")
            });
        })
        .await;
    let latest = world.item("!r").await.latest.unwrap();
    assert_eq!(latest.sender.name.as_deref(), Some("Ada"));
    assert_eq!((latest.is_own, latest.is_redacted, latest.timestamp_ms), (false, false, 5));
    assert_eq!((latest.event_id, latest.txn_id), (Some(event_id("$5")), Some(TxnId::new("t").unwrap())));
    assert_eq!(latest.sending, None);
}

#[tokio::test]
async fn a_removed_message_stays_the_latest() {
    let world = World::new();
    let redact = |target| Redact {
        room: room_id("!r"),
        target: event_id(target),
        by: event_id("$9"),
        content: Json::empty(),
    };
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_message(text("!r", 1, "@a", "before"));
            batch
                .put_message(text("!r", 2, "@a", "secret"))
                .put_message(edit("!r", 3, "@a", "$2", "secrets"));
        })
        .await;
    world
        .apply(|batch| {
            batch.redact(redact("$3"));
        })
        .await;
    assert_eq!(world.text("!r").await, "secret", "only the edit was taken back");
    world
        .apply(|batch| {
            batch.redact(redact("$2"));
        })
        .await;
    let latest = world.item("!r").await.latest.unwrap();
    assert_eq!((latest.text.as_str(), latest.is_redacted), ("Message removed", true));
}

#[tokio::test]
async fn an_invite_shows_no_message() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(Room { membership: Membership::Invite, ..room("!r", 1) });
            batch.put_message(text("!r", 1, "@a", "from before"));
        })
        .await;
    assert_eq!(world.item("!r").await.latest, None);
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1));
        })
        .await;
    assert_eq!(world.text("!r").await, "from before");
}

/// The latest 48 events are looked at, by pages of 4, 12 and 32.
#[tokio::test]
async fn a_message_under_many_other_events_is_found_up_to_a_limit() {
    for (others, found) in [(0, true), (3, true), (4, true), (15, true), (16, true), (47, true), (48, false)]
    {
        let world = World::new();
        world
            .apply(|batch| {
                batch.put_room(room("!r", 1)).put_message(text("!r", 1, "@a", "one"));
                for n in 0..others {
                    let reaction = message("!r", n + 2, "@a", "m.reaction", "{}");
                    batch.put_message(about(RelationKind::Reaction, "$1", reaction));
                }
                if others > 2 {
                    batch.put_message(edit("!r", 3, "@a", "$1", "one"));
                }
            })
            .await;
        assert_eq!(world.text("!r").await == "one", found, "{others}");
    }
}

#[tokio::test]
async fn the_latest_unsent_message_goes_before_stored_ones() {
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_room(room("!other", 1));
            batch.put_state(member("!r", "@me", "Me")).put_message(text("!r", 1, "@a", "stored"));
            batch.put_pending(written("!r", "t1", "first")).put_pending(written("!r", "t2", "second"));
            batch.put_pending(pending("!r", "t3", "m.reaction", "{}"));
            batch.put_pending(pending("!r", "t4", "haos.receipt", r#"{"body":"x"}"#));
            batch.put_pending(pending("!unknown", "t5", "m.room.message", "{}"));
        })
        .await;
    let latest = world.item("!r").await.latest.unwrap();
    assert_eq!((latest.text.as_str(), latest.is_own, latest.timestamp_ms), ("second", true, 77));
    assert_eq!((latest.sender.id.as_str(), latest.sender.name.as_deref()), ("@me", Some("Me")));
    assert_eq!((latest.txn_id, latest.event_id), (Some(TxnId::new("t2").unwrap()), None));
    assert_eq!(latest.sending, Some(SendStatus::Waiting));
    assert_eq!(world.item("!other").await.latest, None);
    let state = PendingState::Parked(ParkReason::Forbidden);
    world
        .apply(|batch| {
            batch.put_pending(Pending { state, ..written("!r", "t2", "second") });
        })
        .await;
    let latest = world.item("!r").await.latest.unwrap();
    assert_eq!(latest.sending, Some(SendStatus::Parked(ParkReason::Forbidden)));
    for (txn_id, expected) in [("t2", "first"), ("t1", "stored")] {
        world
            .apply(|batch| {
                batch.remove_pending(TxnId::new(txn_id).unwrap());
            })
            .await;
        assert_eq!(world.text("!r").await, expected);
    }
    world
        .apply(|batch| {
            batch.put_pending(written("!r", "t6", "who?"));
        })
        .await;
    world.me.send_replace(None);
    assert_eq!(world.text("!r").await, "stored", "nobody could have written it");
}

#[tokio::test]
async fn unsent_edits_and_redactions_show_at_what_they_change() {
    let edited = |txn_id, body| {
        let relates = r#""m.relates_to":{"rel_type":"m.replace","event_id":"$2"}"#;
        let content = format!(
            r#"{{"body":"* {body}","m.new_content":{{"msgtype":"m.text","body":"{body}"}},{relates}}}"#
        );
        pending("!r", txn_id, "m.room.message", &content)
    };
    let to = |target: &str, row: Pending| Pending { target: Some(event_id(target)), ..row };
    let after = |parent: &str, row: Pending| Pending {
        parent: Some(TxnId::new(parent).unwrap()),
        state: PendingState::Blocked,
        ..row
    };
    let redaction = |txn_id| pending("!r", txn_id, "m.room.redaction", "{}");
    let world = World::new();
    world
        .apply(|batch| {
            batch.put_room(room("!r", 1)).put_message(text("!r", 1, "@me", "older"));
            batch.put_message(text("!r", 2, "@me", "stored"));
        })
        .await;
    for (row, text, is_redacted, sending) in [
        (to("$1", edited("a", "x")), "stored", false, None),
        (to("$1", redaction("b")), "stored", false, None),
        (to("$2", edited("c", "restored")), "restored", false, Some(SendStatus::Waiting)),
        (to("$2", edited("d", "again")), "again", false, Some(SendStatus::Waiting)),
        (to("$2", redaction("e")), "Message removed", true, Some(SendStatus::Waiting)),
        (written("!r", "f", "unsent"), "unsent", false, Some(SendStatus::Waiting)),
        (after("f", edited("g", "better")), "better", false, Some(SendStatus::Waiting)),
        (after("f", written("!r", "h", "next")), "next", false, Some(SendStatus::Waiting)),
        (after("h", redaction("i")), "Message removed", true, Some(SendStatus::Waiting)),
    ] {
        let txn_id = row.txn_id.clone();
        world
            .apply(|batch| {
                batch.put_pending(row);
            })
            .await;
        let latest = world.item("!r").await.latest.unwrap();
        assert_eq!(
            (latest.text.as_str(), latest.is_redacted, latest.sending),
            (text, is_redacted, sending),
            "{txn_id}"
        );
    }
}
