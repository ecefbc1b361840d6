use std::time::{Duration, Instant};

use haos_e2e::Worker;

use crate::cover;
use crate::device::{CLIENT, Offline, plan};
use crate::scene::Scene;

const KILLS: u64 = 5;
/// Kills come so long after the client is there, at most, in milliseconds.
const WITHIN_MS: u64 = 900;

/// Kills the process of the device at moments that nobody chose while it catches up, while more is said; at one
/// of `each` of them.
pub(crate) async fn kill_at_random(scene: &mut Scene, device: &Offline, each: u64) {
    let kills = (KILLS / each).max(2);
    let (began, name) = (Instant::now(), device.kind.name());
    let back = device.come_back();
    let plan = plan(device.kind, back.folder.path(), scene);
    let mut moved = 0;
    for n in 0..kills {
        let worker = Worker::start(CLIENT, &plan).await.unwrap();
        assert_eq!(worker.ready().await.unwrap()["resumed"], true);
        tokio::time::sleep(Duration::from_millis(WITHIN_MS * n / kills)).await;
        worker.kill().await.unwrap();
        let dump = back.dump().await;
        cover::check(scene, &dump, &format!("{name}, kill {n}")).await;
        moved += usize::from(dump.token.as_ref() != Some(&device.token));
        scene.say(|room| [0, 1, 2, 30][(room + n as usize) % 4] * usize::from(room < 8)).await;
    }
    let worker = Worker::start(CLIENT, &plan).await.unwrap();
    worker.ready().await.unwrap();
    worker.settle().await.unwrap();
    worker.fill().await.unwrap();
    cover::whole(scene, &worker.dump().await.unwrap(), name);
    worker.stop().await.unwrap();
    println!("{:.0?}: {name}: {kills} kills, {moved} of them after the token moved", began.elapsed());
}
