//! Scrolling back: gaps are filled where they are met, once, and not where the server says no.

use haos_matrix::{Backfill, FetchError, Fill, Left};
use haos_store_api::{Cursor, StorageAdapterExt as _};

use crate::client::{Client, room, token};
use crate::wire::Fault;

/// A room with this number of messages, of which the newest five are stored.
fn long(messages: usize) -> Client {
    let mut client = Client::new(9);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.wire.model().messages("!a", messages);
    client.start();
    assert!(client.caught_up());
    client
}

fn backfill(client: &mut Client, before: Option<Cursor>, want: usize) -> Backfill {
    let engine = client.engine.clone();
    client.act(async move { engine.backfill(&room("!a"), before, want).await.unwrap() })
}

#[test]
fn scrolling_to_the_beginning() {
    let mut client = long(60);
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let part = backfill(&mut client, cursor, 11);
        assert!(part.left.is_none() && part.slice.gaps().count() == 0);
        let mut ids: Vec<_> = part.slice.messages().map(|message| message.id.to_string()).collect();
        ids.extend(seen);
        seen = ids;
        cursor = part.slice.older();
        if !part.slice.more {
            break;
        }
    }
    client.check_complete();
    assert_eq!(seen.len(), client.items("!a").len());
}

#[test]
fn offline_it_gives_what_there_is() {
    let mut client = long(60);
    client.wire.next("messages", [Fault::Fail(haos_queue::Answer::Unsent)]);
    let part = backfill(&mut client, None, 20);
    assert!(matches!(part.left, Some(Left::Stopped(FetchError::Answer(haos_queue::Answer::Unsent)))));
    assert_eq!((part.slice.messages().count(), part.slice.gaps().count()), (5, 1));
    client.wire.next("messages", [Fault::Body("<html>")]);
    assert!(matches!(backfill(&mut client, None, 20).left, Some(Left::Stopped(FetchError::Unreadable(_)))));
    let part = backfill(&mut client, None, 20);
    assert_eq!((part.slice.messages().count(), part.slice.gaps().count()), (20, 0));
}

#[test]
fn of_many_who_ask_one_fetches() {
    let mut client = long(60);
    let gap = client.gaps("!a").remove(0);
    let engine = client.engine.clone();
    let fills = client.act(async move {
        let id = room("!a");
        futures_util::future::join_all((0..5).map(|_| engine.fill(&id, &gap))).await
    });
    let fills: Vec<Fill> = fills.into_iter().map(Result::unwrap).collect();
    assert_eq!(fills[0], Fill::Page { events: 7 });
    assert_eq!(fills[1..], [Fill::Gone; 4]);
    assert_eq!(client.wire.asked("messages").len(), 1);
    client.check();
}

#[test]
fn whoever_asks_may_go_away() {
    let mut client = long(60);
    client.wire.next("messages", [Fault::Hang]);
    let (engine, gap, host) =
        (client.engine.clone(), client.gaps("!a").remove(0), client.outbox.host().clone());
    client.act(async move {
        let id = room("!a");
        tokio::select! {
            _ = engine.fill(&id, &gap) => panic!("it hangs"),
            () = host.sleep(5000) => {}
        }
    });
    assert!(client.fill_all());
    client.check_complete();
}

#[test]
fn hidden_history_is_not_asked_for_again() {
    let mut client = long(30);
    client.wire.model().rooms.get_mut("!a").unwrap().forbidden = true;
    for _ in 0..3 {
        let part = backfill(&mut client, None, 20);
        assert!(matches!(part.left, Some(Left::Stopped(FetchError::Answer(_)))));
    }
    assert_eq!(client.wire.asked("messages").len(), 1);
    // Whoever insists may ask.
    client.wire.model().rooms.get_mut("!a").unwrap().forbidden = false;
    assert!(client.fill_all());
    client.check_complete();
}

/// The reason for hiding the history may end: the user joins again, or it is opened to all.
#[test]
fn history_that_is_shown_again_is_asked_for_again() {
    let mut client = long(30);
    client.start();
    for n in 0..2 {
        client.wire.model().rooms.get_mut("!a").unwrap().forbidden = true;
        client.wire.model().messages("!a", 20);
        assert!(client.caught_up());
        assert!(matches!(backfill(&mut client, None, 20).left, Some(Left::Stopped(_))));
        client.wire.model().rooms.get_mut("!a").unwrap().forbidden = false;
        if n == 0 {
            let shown = serde_json::json!({ "history_visibility": "shared" });
            client.wire.model().state("!a", "@bob:sim", "m.room.history_visibility", "", shown);
        } else {
            client.wire.model().own("!a", "leave");
            client.wire.model().own("!a", "join");
        }
        assert!(client.caught_up());
        let part = backfill(&mut client, None, 20);
        assert!(part.left.is_none(), "{:?}", part.left);
    }
}

/// Synapse says `limited: false` of a room whose older history is on other servers only: `/messages` brings
/// it, `prev_batch` is where it goes on.
#[test]
fn history_that_only_other_servers_have_is_behind_a_gap() {
    let mut client = Client::new(9);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.wire.model().messages("!a", 30);
    let mut body = client.wire.model().sync(None, 4);
    body["rooms"]["join"]["!a"]["timeline"]["limited"] = false.into();
    client.wire.next("sync", [Fault::Body(body.to_string().leak())]);
    client.start();
    assert!(client.caught_up());
    assert_eq!(client.gaps("!a").len(), 1);
    assert!(client.fill_all());
    client.check_complete();
}

/// Some servers give the token back that they were asked with, and nothing else.
#[test]
fn a_page_that_leads_nowhere_is_not_asked_for_again_and_again() {
    let mut client = long(60);
    let end = client.gaps("!a")[0].token.clone().unwrap();
    let nowhere: &'static str = format!(r#"{{"chunk":[],"end":"{end}"}}"#).leak();
    client.wire.next("messages", vec![Fault::Body(nowhere); 50]);
    let part = backfill(&mut client, None, 20);
    assert_eq!((part.slice.messages().count(), part.slice.gaps().count()), (5, 1));
    assert!(matches!(part.left, Some(Left::Nowhere)) && !part.is_beginning(), "{:?}", part.left);
    assert!(client.wire.asked("messages").len() < 3, "{:?}", client.wire.asked("messages"));
    client.wire.clear("messages");
    assert!(client.fill_all());
    client.check_complete();
}

/// Servers filter, and give pages without an event: however many, they are no beginning.
#[test]
fn empty_pages_are_not_the_beginning() {
    let mut client = long(60);
    let end = client.gaps("!a")[0].token.clone().unwrap();
    let page = |token: &str| Fault::Body(format!(r#"{{"chunk":[],"end":"{token}"}}"#).leak());
    let empty: Vec<_> = (0..24).map(|n| page(&format!("empty{n}"))).chain([page(&end)]).collect();
    client.wire.next("messages", empty);
    let part = backfill(&mut client, None, 1000);
    assert!(matches!(part.left, Some(Left::Unfinished)), "{:?}", part.left);
    assert!(!part.slice.more && !part.is_beginning(), "no more is stored, and a gap is open");
    let mut part = backfill(&mut client, None, 1000);
    while matches!(part.left, Some(Left::Unfinished)) {
        part = backfill(&mut client, None, 1000);
    }
    assert!(part.left.is_none() && part.is_beginning(), "{:?}", part.left);
    client.check_complete();
}

/// A server that names a token whatever it has: at the room's creation nothing is older.
#[test]
fn an_empty_page_at_the_creation_of_a_room_is_the_end() {
    let mut client = long(20);
    let all = client.wire.model().page("!a", None, 1000).unwrap();
    let mut page = serde_json::json!({ "chunk": all["chunk"], "end": "again" });
    client.wire.next("messages", [Fault::Body(page.to_string().leak())]);
    let gap = client.gaps("!a").remove(0);
    let engine = client.engine.clone();
    client.act(async move { engine.fill(&room("!a"), &gap).await.unwrap() });
    assert_eq!(client.gaps("!a").len(), 1);
    page["chunk"] = serde_json::json!([]);
    client.wire.next("messages", [Fault::Body(page.to_string().leak())]);
    let part = backfill(&mut client, None, 1000);
    assert!(part.left.is_none() && part.is_beginning(), "{:?}", part.left);
    client.check_complete();
}

/// Of a room joined elsewhere the server may leave nothing out since the last sync, and yet there is more.
#[test]
fn a_new_room_begins_where_it_was_created() {
    let mut client = Client::new(9);
    client.start();
    assert!(client.caught_up());
    let since = token(&client.rows).and_then(|token| client.wire.model().place(&token));
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.wire.model().messages("!a", 30);
    let mut body = client.wire.model().sync(since, 4);
    body["rooms"]["join"]["!a"]["timeline"]["limited"] = false.into();
    client.wire.next("sync", [Fault::Body(body.to_string().leak())]);
    assert!(client.caught_up());
    assert_eq!(client.gaps("!a").len(), 1);
    let part = backfill(&mut client, None, 1000);
    assert!(part.left.is_none() && part.is_beginning(), "{:?}", part.left);
    client.check_complete();
}

#[test]
fn what_was_pruned_comes_back() {
    let mut client = long(60);
    assert!(client.fill_all());
    let rows = client.rows.clone();
    client.act(async move { rows.prune_room(&room("!a"), 10, &[]).await.unwrap() });
    assert_eq!(client.gaps("!a")[0].token, None);
    client.check();
    let part = backfill(&mut client, None, 40);
    assert_eq!(part.slice.messages().count(), 40);
    assert_eq!(client.wire.asked("context").len(), 1, "a token is asked for once");
    assert!(client.fill_all());
    client.check_complete();
}

#[test]
fn a_gap_whose_token_is_of_no_use_any_more() {
    let mut client = long(60);
    client.kill();
    client.wire.model().age += 1;
    let part = backfill(&mut client, None, 30);
    assert!(part.left.is_none(), "{:?}", part.left);
    assert_eq!(part.slice.messages().count(), 30);
    client.start();
    assert!(client.caught_up() && client.fill_all());
    client.check_complete();
}
