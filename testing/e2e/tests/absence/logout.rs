use std::sync::Arc;

use futures_util::future::join_all;
use haos_e2e::{Plain, StoreKind, Synapse, SynapseOptions};
use haos_matrix::{Credentials, Homeserver, HttpOptions, Login};
use haos_queue::{Acted, ConnectionState, PauseReason, TokioHost};
use haos_store_api::{ParkReason, PendingState};

use super::doubt::{Doubts, PASSWORD};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn after_logout_restart_and_login_nothing_is_sent_twice_or_lost() {
    let mut synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
    let mut same = join_all(StoreKind::ALL.map(|kind| Doubts::new(&synapse, kind, "same"))).await;
    let mut other = join_all(StoreKind::ALL.map(|kind| Doubts::new(&synapse, kind, "other"))).await;

    let control = Plain::register(synapse.address(), "control", PASSWORD).await.unwrap();
    let room = control.create_room("Control", &[]).await.unwrap();
    let first = control.send_text(&room, "t1", "once").await.unwrap();
    control.logout().await.unwrap();
    for doubts in same.iter().chain(&other) {
        doubts.device.client().logout().await.unwrap();
    }
    synapse.restart().await.unwrap();
    // The point of this test: whoever simply sends again leaves a second copy, though the device is the same.
    let device = Some(control.device_id());
    let control = Plain::login(synapse.address(), "control", PASSWORD, device).await.unwrap();
    assert_ne!(control.send_text(&room, "t1", "once").await.unwrap(), first);

    join_all(same.iter_mut().map(on_the_same_device)).await;
    join_all(other.iter_mut().map(on_another_device)).await;
}

/// A login on the store does this by itself: the device's name stays, and the server knows nothing of it.
async fn on_the_same_device(doubts: &mut Doubts) {
    let before = doubts.device.client().session();
    doubts.device.start();
    let paused = ConnectionState::Paused(PauseReason::LoggedOut);
    doubts.device.until("the pause is told", async || doubts.device.connection() == paused).await.unwrap();
    assert_eq!(doubts.device.rows().await.unwrap().len(), 4, "{}", doubts.user);
    doubts.device.login_again(&doubts.user, PASSWORD).await.unwrap();
    assert!(doubts.device.client().session().is_same_device(&before));
    doubts.end_well().await;
}

/// An application that gave the store a session of a new device.
async fn on_another_device(doubts: &mut Doubts) {
    let before = doubts.device.client().session();
    let url = doubts.proxy.url();
    let server = Homeserver::connect(&url, Arc::new(TokioHost), HttpOptions::default()).unwrap();
    let credentials = Credentials::Password { user: doubts.user.clone(), password: PASSWORD.to_owned() };
    let session = server.login(&Login { credentials, device: None, device_name: None }).await.unwrap();
    assert!(!session.is_same_device(&before));
    session.save(&**doubts.device.client().store()).await.unwrap();
    doubts.device.reopen().await.unwrap();
    doubts.device.client().outbox().resume(None).await.unwrap();

    // No message of this user came since the one that was lost: it is proven absent, and sent. The server
    // does not tell this device what the other one's transactions were: of the one that arrived, a message
    // of the user's own may be it or not, and the user decides.
    let sends = doubts.start();
    let (device, arrived) = (&doubts.device, &doubts.arrived);
    let ambiguous = PendingState::Parked(ParkReason::Ambiguous);
    let decided = async || {
        let rows = device.rows().await.unwrap();
        rows.len() == 2 && rows[0].txn_id == arrived.txn_id && rows[0].state == ambiguous
    };
    device.until("one message is delivered and one parked", decided).await.unwrap();
    let outbox = device.client().outbox();
    let blockers = outbox.blockers(&arrived.room).await.unwrap();
    assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&arrived.txn_id]);
    assert_eq!(doubts.texts(arrived).await, ["before", "maybe"]);
    // The user sees it in the timeline, and takes the row away.
    let acted = outbox.cancel(&arrived.txn_id).await.unwrap();
    assert_eq!(acted, Acted::Done { maybe_sent: true });
    device.until_delivered().await.unwrap();
    doubts.ended_well(sends).await;
}
