//! Accounts that are refused and resumed, servers that want quiet, and the wish to try now.

use haos_queue::{Answer, ConnectionState, PauseReason, Refusal};

use crate::client::{Client, token};
use crate::wire::{Fault, refused};

fn live() -> Client {
    let mut client = Client::new(3);
    client.wire.model().create("!a");
    client.wire.model().join("!a");
    client.start();
    assert!(client.caught_up());
    client
}

fn logged_out(soft: bool) -> Fault {
    let account = Some(if soft { PauseReason::SoftLogout } else { PauseReason::LoggedOut });
    Fault::Fail(Answer::Refused(Refusal { account, ..Refusal::new(401, "M_UNKNOWN_TOKEN") }))
}

#[test]
fn a_refused_account_pauses_until_it_is_resumed() {
    let mut client = live();
    client.wire.next("sync", [logged_out(true)]);
    client.wire.model().messages("!a", 3);
    client.until("paused", |_, state| *state == ConnectionState::Paused(PauseReason::SoftLogout));
    let asked = client.wire.asked("sync").len();
    client.pass(3_600_000);
    assert_eq!(client.wire.asked("sync").len(), asked, "nothing is asked while it is paused");
    // It holds after a restart, too.
    client.start();
    client.pass(3_600_000);
    assert_eq!(client.wire.asked("sync").len(), asked);
    assert_eq!(client.state(), ConnectionState::Paused(PauseReason::SoftLogout));
    // Another context logs in again.
    let (outbox, _) = client.another();
    client.act(async move { outbox.resume(None).await.unwrap() });
    assert!(client.caught_up());
    client.check();
}

#[test]
fn a_refusal_of_before_a_login_is_none() {
    let mut client = live();
    client.pass(1000);
    // The request that waits for news will be refused. Another context logs in; then the answer comes.
    client.wire.next("sync", [logged_out(false)]);
    client.wire.model().messages("!a", 1);
    let asked = client.wire.asked("sync").len();
    let (outbox, _) = client.another();
    client.act(async move { outbox.resume(None).await.unwrap() });
    assert_eq!(client.wire.asked("sync").len(), asked, "it is still under way");
    assert!(client.caught_up());
}

#[test]
fn a_user_who_pauses_is_not_disturbed() {
    let mut client = live();
    let outbox = client.outbox.clone();
    client.act(async move { outbox.pause(None, PauseReason::User).await.unwrap() });
    client.pass(60_000);
    let asked = client.wire.asked("sync").len();
    client.wire.model().messages("!a", 3);
    client.pass(600_000);
    assert!(client.wire.asked("sync").len() <= asked + 1);
    let (engine, before) = (client.engine.clone(), client.wire.asked("messages").len());
    let stopped = client.act(async move {
        engine.backfill(&crate::client::room("!a"), None, 50).await.unwrap().left.is_some()
    });
    assert!(!stopped || client.wire.asked("messages").len() == before);
    let outbox = client.outbox.clone();
    client.act(async move { outbox.resume(None).await.unwrap() });
    assert!(client.caught_up());
}

/// A pause of the user stays, whatever else is said of the account meanwhile.
#[test]
fn a_refusal_does_not_take_the_place_of_the_users_pause() {
    let mut client = live();
    client.wire.model().messages("!a", 1);
    client.wire.next("sync", [logged_out(false)]);
    client.pass(900);
    let outbox = client.outbox.clone();
    client.act(async move { outbox.pause(None, PauseReason::User).await.unwrap() });
    client.pass(60_000);
    assert_eq!(client.state(), ConnectionState::Paused(PauseReason::User));
}

#[test]
fn a_nudge_cuts_a_long_wait_but_not_what_the_server_asked_for() {
    let mut client = live();
    client.wire.next("sync", vec![Fault::Fail(Answer::Unsent); 12]);
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    client.pass(120_000);
    let asked = client.wire.asked("sync").len();
    client.outbox.try_now();
    client.pass(300);
    assert_eq!(client.wire.asked("sync").len(), asked + 1, "at once");
    assert!(client.caught_up());

    let quiet = Refusal { retry_after_ms: Some(300_000), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
    client.wire.next("sync", [Fault::Fail(Answer::Refused(quiet))]);
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    let asked = client.wire.asked("sync").len();
    client.outbox.try_now();
    client.pass(290_000);
    assert_eq!(client.wire.asked("sync").len(), asked);
    assert!(client.caught_up());
}

#[test]
fn a_refusal_for_good_is_asked_about_rarely() {
    let mut client = live();
    client.wire.next("sync", vec![Fault::Fail(refused(403, "M_FORBIDDEN")); 5]);
    client.until("failing", |_, state| matches!(state, ConnectionState::Degraded { .. }));
    let asked = client.wire.asked("sync").len();
    client.pass(400_000);
    assert_eq!(client.wire.asked("sync").len(), asked);
    let before = token(&client.rows);
    client.wire.model().messages("!a", 1);
    assert!(client.caught_up());
    assert_ne!(token(&client.rows), before);
}

/// The engine's success calls the sender, whose success calls the engine: they must not chase each other.
#[test]
fn nudges_do_not_chase_each_other() {
    let mut client = live();
    let flaps = (0..200).flat_map(|_| [Fault::Fail(Answer::NoAnswer), Fault::None]);
    client.wire.next("sync", flaps);
    for _ in 0..60 {
        client.wire.model().messages("!a", 1);
        client.outbox.try_now();
        client.pass(1000);
    }
    let asked = client.wire.asked("sync").len();
    assert!(asked < 400, "{asked} requests in a minute");
}

#[test]
fn a_poll_that_died_with_its_network_is_given_up_for_a_nudge() {
    let mut client = live();
    client.pass(1000);
    client.wire.next("sync", [Fault::Hang]);
    client.wire.model().messages("!a", 1);
    let asked = client.wire.asked("sync").len();
    client.pass(5_000);
    assert_eq!(client.wire.asked("sync").len(), asked, "it waits, and nobody knows that it waits in vain");
    client.outbox.platform_online(true);
    client.pass(1000);
    assert_eq!(client.state(), ConnectionState::Live, "nothing had failed");
    let stored = token(&client.rows).and_then(|token| client.wire.model().place(&token));
    assert_eq!(stored, Some(client.wire.model().stream));
    // Then it waits for news again.
    let asked = client.wire.asked("sync").len();
    client.pass(5_000);
    assert_eq!(client.wire.asked("sync").len(), asked);
}

#[test]
fn once_nothing_syncs_nothing_is_said_to_be_live() {
    let mut client = live();
    assert_eq!(client.state(), ConnectionState::Live);
    client.kill();
    assert_eq!(client.state(), ConnectionState::Connecting);
}
