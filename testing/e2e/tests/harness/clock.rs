use std::time::Duration;

use haos_e2e::{Plain, SynapseOptions};

use super::server;

const DAY_AND_MORE: Duration = Duration::from_secs(26 * 3600);

/// When the server took the newest message of the room.
async fn newest_ms(plain: &Plain, room: &str) -> u64 {
    plain.messages(room).await.unwrap().last().unwrap().timestamp_ms
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn the_clock_jumps_while_the_server_runs_and_stays_there() {
    let options = SynapseOptions { movable_clock: true, ..SynapseOptions::default() };
    let (mut synapse, ada) = server(options).await;
    let room = ada.create_room("Lobby", &[]).await.unwrap();
    ada.send_text(&room, "t1", "one").await.unwrap();
    let (before, process) = (newest_ms(&ada, &room).await, synapse.process_id());
    let jump = u64::try_from(DAY_AND_MORE.as_millis()).unwrap();
    synapse.advance_clock(DAY_AND_MORE).unwrap();
    ada.send_text(&room, "t2", "two").await.unwrap();
    // The offset is in seconds, and a second may end just then.
    assert!(newest_ms(&ada, &room).await + 1000 >= before + jump);
    assert_eq!(synapse.process_id(), process);
    synapse.restart().await.unwrap();
    synapse.advance_clock(DAY_AND_MORE).unwrap();
    ada.send_text(&room, "t3", "three").await.unwrap();
    let after = newest_ms(&ada, &room).await;
    assert!(after + 1000 >= before + 2 * jump && after < before + 3 * jump, "{after} after {before}");
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_clock_that_was_not_asked_for_does_not_move() {
    let (mut synapse, _) = server(SynapseOptions::default()).await;
    let error = synapse.advance_clock(DAY_AND_MORE).unwrap_err().to_string();
    assert!(error.contains("movable_clock"), "{error}");
}
