use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use haos_e2e::worker::Dump;
use haos_matrix::{Client, FillOptions};
use haos_queue::{ConnectionState, Lead, TokioHost};
use haos_sim::{Blow, Blows, Brittle};
use haos_store_api::StorageAdapter;

use crate::cover;
use crate::device::{Back, Offline, plan};
use crate::scene::Scene;

/// The writes of a catch-up that are always tried: the sync's own, and the first pages'.
const FIRST: u64 = 6;
/// More writes than a catch-up takes.
const MOST: u64 = 500;
/// How long a catch-up may take.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// Lets the device die at one write after the other, coming back each time, until it is through
/// without dying. Past the first writes, only every `step`th is tried.
pub(crate) async fn die_at_each(scene: &Scene, device: &Offline, step: u64) {
    let (began, name) = (Instant::now(), device.kind.name());
    let (mut deaths, mut before, mut most_gaps) = (0, 0, 0);
    let mut last = 1;
    while last < MOST {
        let back = device.come_back();
        let through = catch_up(scene, &back, last).await;
        let (dump, what) = (back.dump().await, format!("{name} died at write {last}"));
        cover::check(scene, &dump, &what).await;
        most_gaps = most_gaps.max(scene.rooms.iter().map(|room| dump.gaps(room)).sum());
        if through {
            cover::whole(scene, &dump, name);
            let limited = scene.rooms.iter().filter(|room| scene.left_out(room) > 0).count();
            assert!(
                deaths > 0 && before > 0 && most_gaps > limited / 2,
                "{name}: {deaths} {before} {most_gaps}"
            );
            println!(
                "{:.0?}: {name}: {deaths} deaths, {before} of them before the token moved, \
                 up to {most_gaps} gaps of {limited}; the last run took less than {last} writes",
                began.elapsed()
            );
            return;
        }
        deaths += 1;
        before += usize::from(dump.token.as_ref() == Some(&device.token));
        // Its remains are taken up again, from time to time.
        if last % 5 == 0 {
            assert!(catch_up(scene, &back, MOST).await, "{what}: never through");
            cover::whole(scene, &back.dump().await, &what);
        }
        last += if last < FIRST { 1 } else { step };
    }
    panic!("{name}: {MOST} writes are not enough");
}

/// Catches up until nothing is missing, or until it dies at its `last`th write. Whether it came through.
async fn catch_up(scene: &Scene, back: &Back, last: u64) -> bool {
    let inner = back.open().await;
    let blow = Some((last..=u64::MAX, Blow::DieBefore));
    let blows = Arc::new(Mutex::new(Blows { blow, ..Blows::default() }));
    let store = Arc::new(Brittle::new(inner.clone(), blows.clone()));
    let mut options = plan(back.kind, back.folder.path(), scene).options();
    options.sync.fill =
        FillOptions { pages_per_minute: 60_000, pages_per_room: 100, depth: 10_000, rooms: 1000 };
    let client = Client::resume(store, Arc::new(TokioHost), &options).await.unwrap().unwrap();
    let running = tokio::spawn(client.run(Lead::Alone));
    let through = tokio::select! {
        () = death(&blows) => false,
        () = nothing_is_missing(&client) => true,
        () = tokio::time::sleep(PATIENCE) => {
            let dump = Dump::of(&*inner).await.unwrap();
            let gaps: Vec<_> = scene.rooms.iter().filter(|room| dump.gaps(room) > 0).collect();
            panic!("not through after {PATIENCE:?}: {:?}, {} writes, gaps in {gaps:?}",
                client.connection().borrow(), blows.lock().unwrap().writes);
        }
    };
    running.abort();
    assert!(running.await.is_err_and(|e| e.is_cancelled()), "it ended by itself");
    drop(client);
    inner.close().await.unwrap();
    through
}

async fn death(blows: &Mutex<Blows>) {
    while !blows.lock().unwrap().dead {
        tokio::time::sleep(LOOK).await;
    }
}

async fn nothing_is_missing(client: &Client) {
    let mut connection = client.connection();
    connection.wait_for(|state| *state == ConnectionState::Live).await.unwrap();
    let store: &dyn StorageAdapter = &**client.store();
    loop {
        let mut gaps = 0;
        for room in store.rooms(Default::default()).await.unwrap() {
            gaps += store.gaps(&room.id).await.unwrap().len();
        }
        if gaps == 0 {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}
