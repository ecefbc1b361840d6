//! News from before the start are brought, wherever the process dies on the way.

use haos_matrix::SyncOptions;
use haos_queue::ConnectionState;

use haos_sim::Blow;

use crate::client::{Client, options, token};

/// A client in some rooms that is up to date, and then away while messages come.
fn away(rooms: usize, messages: usize, page: usize) -> Client {
    let mut client = Client::with(7, SyncOptions { page, ..options() }, false);
    for n in 0..rooms {
        let id = format!("!r{n:02}");
        let mut model = client.wire.model();
        model.create(&id);
        model.join(&id);
        model.messages(&id, n % 4);
    }
    client.start();
    assert!(client.caught_up());
    client.kill();
    for n in 0..messages {
        client.wire.model().messages(&format!("!r{:02}", n * 7 % rooms), 1);
    }
    client
}

/// A thousand messages in forty rooms, and a process that dies at each write of the way, before or after it.
#[test]
fn a_thousand_messages_and_a_death_at_every_write() {
    let (mut at, mut survived) = (1, false);
    while !survived {
        survived = true;
        for blow in [Blow::DieBefore, Blow::DieAfter] {
            let mut client = away(40, 1000, 30);
            client.plan.lock().unwrap().writes = 0;
            client.plan.lock().unwrap().blow = Some((at..=at, blow));
            client.start();
            let lived = client.caught_up() && client.fill_all();
            survived &= lived;
            client.check();
            if !lived {
                client.start();
                assert!(client.caught_up() && client.fill_all());
            }
            client.check_complete();
        }
        at += 1;
    }
    assert!(at > 40, "only {at} writes were tried");
}

#[test]
fn it_asks_once_and_waits_for_news() {
    let mut client = away(3, 30, 7);
    let before = client.wire.asked("sync").len();
    client.start();
    assert!(client.caught_up());
    client.check();
    client.pass(20_000);
    assert_eq!(client.wire.asked("sync").len() - before, 2, "one to catch up, one that waits");
    client.wire.model().messages("!r00", 1);
    client.pass(3_000);
    let seen = token(&client.rows);
    assert_eq!(seen, Some(client.wire.model().token()));
    assert_eq!(client.state(), ConnectionState::Live);
    assert_eq!(client.wire.asked("filter").len(), 1, "the filter's id was kept");
}

#[test]
fn no_gap_is_invented() {
    let mut client = away(5, 0, 7);
    client.start();
    for n in 0..60 {
        client.wire.model().messages(&format!("!r{:02}", n % 5), n % 3);
        client.pass(1500);
    }
    assert!(client.caught_up());
    for id in ["!r00", "!r01", "!r02", "!r03", "!r04"] {
        // Messages that the first sync left out, and nothing else.
        assert!(client.gaps(id).len() <= 1, "{id}: {:?}", client.gaps(id));
    }
    client.check();
    assert!(client.fill_all());
    client.check_complete();
}
