//! The events of a run, made of a seed: short enough to read, and to shrink.

use super::state::Faults;
use super::world::Chance;

const MINUTE_MS: u64 = 60_000;
const YEAR_MS: u64 = 366 * 24 * 60 * MINUTE_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// An act of a user or the world.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as what they do; numbers choose among what there is")]
#[non_exhaustive]
pub enum Action {
    Write { context: u32, room: u8 },
    About { context: u32, which: u64, how: u8 },
    File { context: u32, room: u8, thumbnail: bool },
    Read { context: u32, room: u8 },
    Cancel { context: u32, which: u64 },
    Edit { context: u32, which: u64 },
    Retry { context: u32, which: u64 },
    RetryAll { context: u32 },
    PauseUpload { context: u32, which: u64 },
    Crash { context: u32 },
    PowerLoss { spared: u64 },
    Stop { context: u32, grace_ms: u64 },
    Freeze { context: u32, ms: u64 },
    Offline { ms: u64 },
    Portal { ms: u64 },
    DiskFull { ms: u64 },
    StoreFails { calls: u64 },
    ClockJump { ms: i64 },
    Kick { room: u8 },
    SoftLogout,
    HardLogout { same_device: bool },
    ServerForgets,
    Others { room: u8, messages: u8 },
    Encrypt { room: u8 },
}

/// A run: actions with the virtual milliseconds before each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed of everything that the plan leaves open.
    pub seed: u64,
    /// How the network and the storage behave.
    pub faults: Faults,
    /// Contexts that share the store.
    pub contexts: u32,
    /// Rooms.
    pub rooms: u8,
    /// The actions, by time.
    pub actions: Vec<(u64, Action)>,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let mut some = |most: u64| if chance.percent(60) { chance.below(most + 1) } else { 0 };
        let faults = Faults {
            unsent: some(10),
            lost: some(15),
            answer_lost: some(15),
            late: some(8),
            truncated: some(8),
            proxy: some(10),
            proxy_after: some(8),
            limited: some(6),
            latency_ms: 20 + some(2000),
            storage: some(2),
            outcome: some(6),
        };
        let contexts = 1 + chance.below(2) as u32;
        let rooms = 1 + chance.below(3) as u8;
        let count = 8 + chance.below(28);
        let actions = (0..count).map(|_| (gap(&mut chance), action(&mut chance, contexts, rooms))).collect();
        Self { seed, faults, contexts, rooms, actions }
    }
}

fn gap(chance: &mut Chance) -> u64 {
    match chance.below(20) {
        0..=9 => chance.below(200),
        10..=15 => chance.below(5000),
        16..=18 => chance.below(2 * MINUTE_MS),
        _ => chance.below(30 * HOUR_MS),
    }
}

fn action(chance: &mut Chance, contexts: u32, rooms: u8) -> Action {
    let context = chance.below(u64::from(contexts)) as u32;
    let room = chance.below(u64::from(rooms)) as u8;
    let which = chance.bits();
    match chance.below(100) {
        0..=31 => Action::Write { context, room },
        32..=43 => Action::About { context, which, how: chance.below(4) as u8 },
        44..=47 => Action::File { context, room, thumbnail: chance.percent(50) },
        48..=49 => Action::Read { context, room },
        50..=54 => Action::Cancel { context, which },
        55..=59 => Action::Edit { context, which },
        60..=61 => Action::Retry { context, which },
        62 => Action::RetryAll { context },
        63 => Action::PauseUpload { context, which },
        64..=70 => Action::Crash { context },
        71..=72 => Action::PowerLoss { spared: chance.bits() },
        73..=74 => Action::Stop { context, grace_ms: chance.below(3000) },
        75..=77 => {
            // Often about as long as a lease lasts, so that it wakes while another sends what it held.
            let ms =
                if chance.percent(60) { 28_000 + chance.below(6000) } else { chance.below(3 * MINUTE_MS) };
            Action::Freeze { context, ms }
        }
        78..=81 => {
            let days = chance.percent(30);
            Action::Offline { ms: chance.below(if days { 60 * HOUR_MS } else { 10 * MINUTE_MS }) }
        }
        82 => Action::Portal { ms: chance.below(20 * MINUTE_MS) },
        83 => Action::DiskFull { ms: chance.below(2 * MINUTE_MS) },
        84..=85 => Action::StoreFails { calls: 1 + chance.below(6) },
        // Together less than what the server remembers longer than the client relies on.
        86 => Action::ClockJump { ms: chance.below(40 * MINUTE_MS) as i64 - 20 * MINUTE_MS as i64 },
        // By years, as when a machine that booted in 1970 hears of the network: nobody believes that.
        87 => {
            let ms = (2 * YEAR_MS + chance.below(50 * YEAR_MS)) as i64;
            Action::ClockJump { ms: if chance.percent(50) { ms } else { -ms } }
        }
        88..=90 => Action::Kick { room },
        91 => Action::SoftLogout,
        92 => Action::HardLogout { same_device: chance.percent(50) },
        93 => Action::ServerForgets,
        94..=95 => Action::Encrypt { room },
        _ => Action::Others { room, messages: 1 + chance.below(9) as u8 },
    }
}
