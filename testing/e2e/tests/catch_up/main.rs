//! A device that was offline while much was said: whatever moment it dies at while it catches up, its token
//! is never ahead of what it holds, what it left out is behind a gap, and a gap is where something was left
//! out. With `HAOS_E2E_EACH=2` it dies at every second moment only, and so on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure is a panic")]

mod cover;
mod device;
mod kills;
mod scene;
mod writes;

use haos_e2e::StoreKind;

use device::Offline;
use scene::Scene;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn nothing_is_lost_or_invented_whenever_the_client_dies() {
    let mut scene = Scene::set().await;
    let mut devices = Vec::new();
    for kind in StoreKind::ALL {
        devices.push(Offline::make(kind, &scene).await);
    }
    scene.go_on().await;
    let each = std::env::var("HAOS_E2E_EACH").map_or(1, |n| n.parse().unwrap());
    for (n, device) in devices.iter().enumerate() {
        // Every write on one store; on the others each of the first ones, and a few of the later ones.
        writes::die_at_each(&scene, device, if n == 0 { each } else { 7 * each }).await;
    }
    for device in &devices {
        kills::kill_at_random(&mut scene, device, each).await;
    }
}
