use std::time::Duration;

use futures_util::future::join_all;
use haos_e2e::{Plain, StoreKind, Synapse, SynapseOptions, until};

use super::doubt::{Doubts, PASSWORD};

const DAY_AND_MORE: Duration = Duration::from_secs(26 * 3600);

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn after_26_hours_nothing_is_sent_twice_or_lost() {
    let options = SynapseOptions { movable_clock: true, ..SynapseOptions::default() };
    let mut synapse = Synapse::start(options).await.unwrap();
    let control = Plain::register(synapse.address(), "control", PASSWORD).await.unwrap();
    let room = control.create_room("Control", &[]).await.unwrap();
    let first = control.send_text(&room, "t1", "once").await.unwrap();
    assert_eq!(control.send_text(&room, "t1", "once").await.unwrap(), first);

    let all = StoreKind::ALL.map(|kind| Doubts::new(&synapse, kind, "jump"));
    let mut all = join_all(all).await;
    synapse.advance_clock(DAY_AND_MORE).unwrap();
    all.iter().for_each(|doubts| doubts.device.advance_clock(DAY_AND_MORE));

    // The point of this test: whoever simply sends again leaves a second copy.
    let forgotten = async || control.send_text(&room, "t1", "once").await.unwrap() != first;
    until("the server forgets a transaction id", forgotten).await.unwrap();
    join_all(all.iter_mut().map(Doubts::end_well)).await;
}
