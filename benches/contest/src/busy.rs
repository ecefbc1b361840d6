use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::serve::PAGE;
use crate::system::cpu_us;
use crate::{Contender, Told, Turn};

/// Syncs that are made before the clock runs. Whoever commits more of them has no more to do.
const SYNCS: usize = 20_000;

/// Lets this number of threads read the newest messages of rooms by chance, while another commits one sync after the other.
pub(crate) fn busy<C: Contender>(turn: &mut Turn<'_, C>, readers: usize, ms: u64) -> Told {
    let rooms = turn.data.rooms();
    let before = turn.mark.clone();
    let syncs: Vec<_> = (0..SYNCS).map(|_| turn.sync_batch(false)).collect();
    let (store, over, commits) = (turn.store(), AtomicBool::new(false), AtomicUsize::new(0));
    let began = cpu_us();
    let read = |reader: usize| {
        let mut wall_us = Vec::new();
        for n in 0_usize.. {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let clock = Instant::now();
            assert_eq!(store.newest((n * 31 + reader * 7) % rooms, PAGE), PAGE, "a page is full");
            wall_us.push(clock.elapsed().as_secs_f64() * 1e6);
        }
        wall_us
    };
    let wall_us = std::thread::scope(|scope| {
        let read = &read;
        let readers: Vec<_> = (0..readers).map(|reader| scope.spawn(move || read(reader))).collect();
        scope.spawn(|| {
            for sync in syncs {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                store.commit(sync);
                commits.fetch_add(1, Ordering::Relaxed);
            }
        });
        std::thread::sleep(Duration::from_millis(ms));
        over.store(true, Ordering::Relaxed);
        readers.into_iter().flat_map(|reader| reader.join().expect("a reader reads")).collect::<Vec<_>>()
    });
    let (cpu_us, commits) = (cpu_us() - began, commits.into_inner());
    // Uncommitted messages are made again.
    turn.mark = before;
    (0..commits).for_each(|_| turn.mark.sync());
    Told { found: wall_us.len(), wall_us, cpu_us, commits, peak_bytes: 0 }
}
