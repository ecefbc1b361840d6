use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

use crate::busy::busy;
use crate::system::{cpu_us, forget, memory};
use crate::{Contender, Data, Made, Order, Told};

/// Messages of a page.
pub(crate) const PAGE: usize = 50;
/// Messages of a sync.
const SYNC: usize = 5;

/// Obeys orders from the standard input until the last one, and tells the outcomes on the standard output.
///
/// # Panics
/// When the store fails, or an order is invalid.
pub fn serve<C: Contender>(folder: &Path, rooms: usize) {
    let mut turn = Turn::<C>::open(folder, rooms);
    for line in stdin().lock().lines() {
        let order = serde_json::from_str(&line.expect("an order is text")).expect("an order is JSON");
        let told = turn.obey(&order);
        let told = serde_json::to_string(&told).expect("an outcome is JSON");
        writeln!(stdout(), "{told}").and_then(|()| stdout().flush()).expect("somebody listens");
        if order == Order::End {
            return;
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mark {
    /// Messages made so far.
    made: usize,
    /// How many each room has.
    lengths: Vec<u64>,
    /// Calls of any kind so far: chance goes on where it was.
    turn: usize,
}

/// A store of a contender and what was done with it so far.
pub struct Turn<'f, C> {
    folder: &'f Path,
    pub(crate) data: Data,
    store: Option<C>,
    /// Those messages that the bulk brought.
    pub(crate) bulk: usize,
    pub(crate) mark: Mark,
    /// The sizes of the files that were put.
    files: Vec<usize>,
}

impl<'f, C: Contender> Turn<'f, C> {
    /// Opens a store with this number of rooms in an empty folder.
    pub fn open(folder: &'f Path, rooms: usize) -> Self {
        let store = C::open(folder);
        store.put_rooms(rooms);
        let (data, store) = (Data::load(rooms), Some(store));
        let mark = Mark { lengths: vec![0; rooms], ..Mark::default() };
        Self { folder, data, store, bulk: 0, mark, files: Vec::new() }
    }

    /// Does what it is told.
    ///
    /// # Panics
    /// When the store fails.
    pub fn obey(&mut self, order: &Order) -> Told {
        let mut told = match *order {
            Order::Bulk { messages, commit } => self.bulk(messages, commit),
            Order::Sync { calls, strict } => self.sync(calls, strict),
            Order::Newest(calls) => self.each(calls, |store, _, made| Some(store.newest(made.room, PAGE))),
            Order::Deep(calls) => self.each(calls, |store, half, made| store.older(made.room, half, PAGE)),
            Order::Around(calls) => {
                self.each(calls, |store, _, made| store.around(made.room, &made.id, PAGE / 2))
            }
            Order::Get(calls) => {
                self.each(calls, |store, _, made| Some(usize::from(store.get(made.room, &made.id))))
            }
            Order::Related(calls) => self.each(calls, |store, _, made| store.related(made.room, &made.id)),
            Order::Rooms(calls) => self.each(calls, |store, _, _| store.rooms(PAGE)),
            Order::Send(calls) => self.each(calls, |store, _, made| store.send(made).map(|()| 1)),
            Order::PutMedia { calls, bytes } => self.put_media(calls, bytes),
            Order::Media { calls, bytes, part } => self.media(calls, bytes, part),
            Order::Restart { cold } => self.restart(cold),
            Order::Busy { readers, ms } => busy(self, readers, ms),
            Order::End => {
                self.store.take().expect("it is open").close();
                Told::default()
            }
        };
        told.peak_bytes = memory("VmHWM");
        told
    }

    pub(crate) fn store(&self) -> &C {
        self.store.as_ref().expect("it is open")
    }

    /// A bulk is made piece by piece, so that it does not count as memory of the store.
    fn bulk(&mut self, messages: usize, commit: usize) -> Told {
        let mut all = Told { wall_us: vec![0.0], ..Told::default() };
        for piece in 0..messages.div_ceil(commit) {
            let made: Vec<Made> = (0..commit.min(messages - piece * commit))
                .map(|n| self.data.message(self.mark.made + n))
                .collect();
            made.iter().for_each(|made| self.mark.lengths[made.room] += 1);
            self.mark.made += made.len();
            let batch = self.store().batch(made, None, false);
            let told = timed(Some(batch), |batch| {
                self.store().commit(batch);
                Some(0)
            });
            all.wall_us[0] += told.wall_us[0];
            all.cpu_us += told.cpu_us;
        }
        self.bulk = self.mark.made;
        all.found = messages;
        all
    }

    /// Messages of one room each, which its number follows.
    pub(crate) fn sync_batch(&mut self, strict: bool) -> C::Batch {
        let (room, first) = (self.mark.turn % self.data.rooms(), self.mark.made);
        let at = self.mark.lengths[room];
        let made = (0..SYNC).map(|nth| self.data.message_at(first + nth, room, at + nth as u64)).collect();
        self.mark.sync();
        self.store().batch(made, Some(format!("s{}", self.mark.turn)), strict)
    }

    fn sync(&mut self, calls: usize, strict: bool) -> Told {
        let batches: Vec<_> = (0..calls).map(|_| self.sync_batch(strict)).collect();
        timed(batches, |batch| {
            self.store().commit(batch);
            Some(SYNC)
        })
    }

    /// A message of the bulk, by chance.
    fn by_chance(&self, turn: usize) -> Made {
        self.data.message(turn.wrapping_mul(2_654_435_761) % self.bulk.max(1))
    }

    /// Calls that are about a message by chance; the middle of its room is told besides.
    fn each(&mut self, calls: usize, mut call: impl FnMut(&C, u64, &Made) -> Option<usize>) -> Told {
        let about: Vec<Made> =
            (self.mark.turn..self.mark.turn + calls).map(|turn| self.by_chance(turn)).collect();
        self.mark.turn += calls;
        let half = (self.bulk / self.data.rooms() / 2) as u64;
        timed(&about, |made| call(self.store(), half, made))
    }

    fn put_media(&mut self, calls: usize, bytes: usize) -> Told {
        let first = self.files.len();
        self.files.extend(vec![bytes; calls]);
        // One after the other: many large ones would be memory of the store's.
        let mut all = Told::default();
        for n in first..first + calls {
            let told = timed(Some(vec![n as u8; bytes]), |file| self.store().put_media(n, file).map(|()| 1));
            all.wall_us.extend(told.wall_us);
            all.cpu_us += told.cpu_us;
            all.found += told.found;
        }
        all
    }

    fn media(&mut self, calls: usize, bytes: usize, part: bool) -> Told {
        let of: Vec<usize> = (0..self.files.len()).filter(|n| self.files[*n] == bytes).collect();
        let (from, length) = if part { (bytes / 2, bytes.min(4096)) } else { (0, bytes) };
        let of = of.iter().cycle().take(calls);
        timed(of, |n| self.store().media(*n, from as u64, length as u64))
    }

    fn restart(&mut self, cold: bool) -> Told {
        if !C::KEEPS {
            return Told::default();
        }
        self.store.take().expect("it is open").close();
        if cold && !forget(self.folder) {
            self.store = Some(C::open(self.folder));
            return Told::default();
        }
        let (store, folder) = (&mut self.store, self.folder);
        timed(Some(()), |()| Some(store.insert(C::open(folder)).newest(0, PAGE)))
    }
}

impl Mark {
    /// Behind a sync.
    pub(crate) fn sync(&mut self) {
        let rooms = self.lengths.len();
        self.lengths[self.turn % rooms] += SYNC as u64;
        self.made += SYNC;
        self.turn += 1;
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
