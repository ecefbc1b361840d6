use std::sync::Arc;
use std::time::Duration;

use haos_e2e::Synapse;

use crate::chance::Chance;
use crate::device::Device;
use crate::size::Size;

const LOOK: Duration = Duration::from_millis(20);

/// Kills clients while messages are written, spread over all of them; says how often.
pub(crate) async fn kill(devices: Arc<Vec<Arc<Device>>>, size: Size) -> usize {
    let mut chance = Chance::new(size.seed, 77);
    for n in 0..size.kills {
        until(&devices, size.messages * (n + 1) / (size.kills + 1)).await;
        tokio::time::sleep(Duration::from_millis(chance.below(300) as u64)).await;
        let device = &devices[chance.below(devices.len())];
        device.kill().await;
        println!("killed {}: {} of {}", device.name, n + 1, size.kills);
    }
    size.kills
}

/// Restarts the server, in order and then at once, by turns.
pub(crate) async fn restart(devices: Arc<Vec<Arc<Device>>>, mut synapse: Synapse, size: Size) -> Synapse {
    for n in 0..size.restarts {
        until(&devices, size.messages * (2 * n + 1) / (2 * size.restarts)).await;
        if n % 2 == 0 {
            synapse.restart().await.unwrap();
        } else {
            synapse.kill();
            synapse.resume().await.unwrap();
        }
        println!("the server restarted, {}", if n % 2 == 0 { "in order" } else { "killed" });
    }
    synapse
}

async fn until(devices: &[Arc<Device>], taken: usize) {
    while devices.iter().map(|device| device.taken()).sum::<usize>() < taken {
        tokio::time::sleep(LOOK).await;
    }
}
