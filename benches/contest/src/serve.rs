use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::{Contender, Data, Made, Order, Told};

const PAGE: usize = 50;
const BATCH: usize = 1000;
const SYNC: usize = 5;

/// Obeys orders from the standard input until the last one, and tells the outcomes on the standard output.
///
/// # Panics
/// When the store fails, or an order is none.
pub fn serve<C: Contender>(folder: &Path, rooms: usize) {
    let mut turn = Turn::<C> { data: Data::load(rooms), store: Some(C::open(folder)), made: 0, bulk: 0, lengths: vec![0; rooms], turn: 0, files: Vec::new() };
    if let Some(store) = &mut turn.store {
        store.put_rooms(rooms);
    }
    for line in stdin().lock().lines() {
        let order = serde_json::from_str(&line.expect("an order is text")).expect("an order is JSON");
        let told = turn.obey(folder, &order);
        let told = serde_json::to_string(&told).expect("an outcome is JSON");
        writeln!(stdout(), "{told}").and_then(|()| stdout().flush()).expect("somebody listens");
        if order == Order::End {
            return;
        }
    }
}

struct Turn<C> {
    data: Data,
    store: Option<C>,
    /// Messages made so far.
    made: usize,
    /// Those that the bulk brought.
    bulk: usize,
    /// How many each room has.
    lengths: Vec<u64>,
    /// Calls of any kind so far: chance goes on where it was.
    turn: usize,
    /// The sizes of the files that were put.
    files: Vec<usize>,
}

impl<C: Contender> Turn<C> {
    fn obey(&mut self, folder: &Path, order: &Order) -> Told {
        let mut told = match *order {
            Order::Bulk(count) => self.bulk(count),
            Order::Sync { calls, strict } => self.sync(calls, strict),
            Order::Newest(calls) => self.each(calls, |store, _, made| Some(store.newest(made.room, PAGE))),
            Order::Deep(calls) => {
                self.each(calls, |store, half, made| store.older(made.room, half, PAGE))
            }
            Order::Get(calls) => self.each(calls, |store, _, made| Some(usize::from(store.get(made.room, &made.id)))),
            Order::Related(calls) => self.each(calls, |store, _, made| store.related(made.room, &made.id)),
            Order::Rooms(calls) => self.each(calls, |store, _, _| store.rooms(PAGE)),
            Order::Send(calls) => self.each(calls, |store, _, made| store.send(made).map(|()| 1)),
            Order::PutMedia { calls, bytes } => self.put_media(calls, bytes),
            Order::Media { calls, part } => self.media(calls, part),
            Order::Restart => self.restart(folder),
            Order::End => {
                self.store.take().expect("it is open").close();
                Told::default()
            }
        };
        told.peak_bytes = peak_bytes();
        told
    }

    fn store(&mut self) -> &mut C {
        self.store.as_mut().expect("it is open")
    }

    fn bulk(&mut self, count: usize) -> Told {
        let mut batches = Vec::new();
        for _ in 0..count.div_ceil(BATCH) {
            let made: Vec<Made> = (self.made..self.made + BATCH).map(|n| self.data.message(n)).collect();
            self.made += BATCH;
            made.iter().for_each(|made| self.lengths[made.room] += 1);
            batches.push(self.store().batch(made, None, false));
        }
        let store = self.store();
        let told = timed(Some(batches), |batches| {
            batches.into_iter().for_each(|batch| store.commit(batch));
            Some(count)
        });
        self.bulk = self.made;
        told
    }

    /// Messages of one room each, which its number follows.
    fn sync(&mut self, calls: usize, strict: bool) -> Told {
        let mut batches = Vec::new();
        for call in 0..calls {
            let room = (self.turn + call) % self.data.rooms();
            let made = |nth: u64| self.data.message_at(self.made + nth as usize, room, self.lengths[room] + nth);
            let made = (0..SYNC as u64).map(made).collect();
            self.made += SYNC;
            self.lengths[room] += SYNC as u64;
            let token = format!("s{}_{call}", self.turn);
            batches.push(self.store().batch(made, Some(token), strict));
        }
        self.turn += calls;
        let store = self.store();
        timed(batches, |batch| {
            store.commit(batch);
            Some(SYNC)
        })
    }

    /// Calls that are about a message by chance; the middle of its room is told besides.
    fn each(&mut self, calls: usize, mut call: impl FnMut(&mut C, u64, &Made) -> Option<usize>) -> Told {
        let bulk = self.bulk.max(1);
        let about: Vec<Made> = (self.turn..self.turn + calls)
            .map(|turn| self.data.message((turn.wrapping_mul(2_654_435_761)) % bulk))
            .collect();
        self.turn += calls;
        let half = (self.bulk / self.data.rooms() / 2) as u64;
        let store = self.store.as_mut().expect("it is open");
        timed(&about, |made| call(store, half, made))
    }

    fn put_media(&mut self, calls: usize, bytes: usize) -> Told {
        let first = self.files.len();
        let files: Vec<_> = (first..first + calls).map(|n| (n, vec![n as u8; bytes])).collect();
        self.files.extend(vec![bytes; calls]);
        let store = self.store();
        timed(files, |(n, bytes)| store.put_media(n, bytes).map(|()| 1))
    }

    fn media(&mut self, calls: usize, part: bool) -> Told {
        let of: Vec<_> = (0..calls)
            .map(|call| {
                let n = self.files.len().saturating_sub(1 + call % self.files.len().max(1));
                let size = self.files.get(n).copied().unwrap_or(0) as u64;
                (n, if part { (size / 2, size.min(4096)) } else { (0, size) })
            })
            .collect();
        let store = self.store();
        timed(of, |(n, (from, bytes))| store.media(n, from, bytes))
    }

    fn restart(&mut self, folder: &Path) -> Told {
        if !C::KEEPS {
            return Told::default();
        }
        self.store.take().expect("it is open").close();
        let store = &mut self.store;
        timed(Some(()), |()| Some(store.insert(C::open(folder)).newest(0, PAGE)))
    }
}

/// Each call timed; nothing at all if the store has no such call.
fn timed<T>(of: impl IntoIterator<Item = T>, mut call: impl FnMut(T) -> Option<usize>) -> Told {
    let (mut told, began) = (Told::default(), cpu_us());
    for one in of {
        let clock = Instant::now();
        let Some(found) = call(one) else { return Told::default() };
        told.wall_us.push(clock.elapsed().as_secs_f64() * 1e6);
        told.found += found;
    }
    told.cpu_us = cpu_us() - began;
    told
}

fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// `VmHWM`; 0 where there is none.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
