use futures_util::future::join_all;
use haos_e2e::{Rate, StoreKind, Synapse, SynapseOptions};

use super::world::Party;

const MESSAGES: usize = 18;

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_server_that_asks_for_quiet_gets_it_and_every_message() {
    // Slower than any machine sends, a busy one with three rooms at once too; the four rooms of each user count as well,
    // and are made at once.
    let message_rate = Some(Rate { per_second: 0.5, burst: 6 });
    let synapse = Synapse::start(SynapseOptions { message_rate, ..SynapseOptions::default() }).await.unwrap();
    let refused = join_all(StoreKind::ALL.map(async |kind| refused(&synapse, kind).await)).await;
    assert!(refused.iter().sum::<u64>() > 0, "the server never asked for quiet");
}

/// How often a send was refused until all had arrived.
async fn refused(synapse: &Synapse, kind: StoreKind) -> u64 {
    let mut party = Party::new(synapse, kind, "rates").await;
    let rooms = [party.room("One").await, party.room("Two").await, party.room("Three").await];
    for n in 0..MESSAGES {
        party.write(&rooms[n % 3], &format!("{n}")).await;
    }
    // The burst that the user may send is used up by another device.
    let noise = party.room("Noise").await;
    for n in 0.. {
        if party.plain.send_text(noise.as_str(), &format!("t{n}"), "noise").await.is_err() {
            break;
        }
    }
    party.count("PUT", "*/send/*");
    party.device.start();
    party.device.until_delivered().await.unwrap();
    for (n, room) in rooms.iter().enumerate() {
        let written: Vec<_> = (n..MESSAGES).step_by(3).map(|n| n.to_string()).collect();
        assert_eq!(party.texts(room).await, written, "{}", party.user);
    }
    // Nobody knocked again and again: when the quiet ends, three rooms ask and one is let in.
    let refused = party.counted() - MESSAGES as u64;
    assert!(refused < 4 * MESSAGES as u64, "{}: {refused} refused", party.user);
    party.device.stop().await.unwrap();
    refused
}
