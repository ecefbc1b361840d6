//! Messages about an unsent one wait for it, and name the server's id.

use haos_backends::{Home, on_every_store};
use haos_sim::REDACTION;
use haos_store_api::*;

use crate::client::{Client, room};
use crate::wire::{Fault, Hold};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_edit_reaction_and_redaction_go_out_after_it_with_the_servers_id() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let hello = client.text("a", "hello").await;
        let edits = r#"{"body":"edit","edits":"TARGET","new":{"body":"hi"}}"#;
        let about = [
            client.about("a", &hello, "m.room.message", r#"{"answers":"TARGET","body":"answer"}"#).await,
            client.about("a", &hello, "m.room.message", edits).await,
            client.about("a", &hello, "m.reaction", r#"{"body":"reaction","to":"TARGET"}"#).await,
            client.about("a", &hello, REDACTION, r#"{"body":"redaction"}"#).await,
        ];
        for row in &about {
            assert_eq!(client.state(row).await, Some(PendingState::Blocked));
        }
        // The target of one of them is unsent itself.
        let nested = client.about("a", &about[0], "m.reaction", r#"{"body":"nested","to":"TARGET"}"#).await;
        client.text("a", "after").await;
        client.wire.next([Fault::AnswerLost, Fault::None, Fault::AnswerLost]);
        client.drive();
        client.all_sent().await;
        let events = client.wire.events(&room("a"));
        let first = events[0].id.to_string();
        assert_eq!(events[0].redacted_by.as_ref(), Some(&events[4].id), "the redaction found it");
        let bodies = client.wire.bodies(&room("a"));
        assert_eq!(bodies, ["", "answer", "edit", "reaction", "redaction", "nested", "after"]);
        let named = [(1, "answers"), (2, "edits"), (3, "to")].map(|(n, name)| events[n].content.text(name));
        assert_eq!(named, [Some(first.clone()), Some(first.clone()), Some(first)]);
        assert_eq!(events[5].content.text("to"), Some(events[1].id.to_string()));
        assert_eq!(client.row(&nested.txn_id).await.unwrap().parent, None);
        client.settle().await;
        client.end().await;
    })
    .await;
}

/// Written while its parent is under way, sent, or in the timeline already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_it_is_written_it_names_the_servers_id() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let hello = client.text("a", "hello").await;
        let to = r#"{"body":"1","to":"TARGET"}"#;
        client.wire.hold(Hold::After);
        client.drive();
        client.wire.begun("send", 1).await;
        client.about("a", &hello, "m.reaction", to).await;
        client.wire.hold(Hold::Nowhere);
        client.reaches(&hello, PendingState::Sent).await;
        client.about("a", &hello, "m.reaction", to).await;
        client.settle().await;
        client.about("a", &hello, "m.reaction", to).await;
        client.settle().await;
        let events = client.wire.events(&room("a"));
        let named: Vec<_> = events[1..].iter().map(|event| event.content.text("to").unwrap()).collect();
        assert_eq!(named, vec![events[0].id.to_string(); 3]);
        client.end().await;
    })
    .await;
}
