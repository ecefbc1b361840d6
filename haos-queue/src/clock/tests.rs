use proptest::prelude::*;

use super::*;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The end of November 2026.
const NOW: i64 = 1_795_900_000_000;

/// A machine with a store: what its clocks show, and what was really lived through.
struct Machine {
    lived_ms: u64,
    wall_ms: i64,
    steady_ms: u64,
    clock: Clock,
    stored: Option<Noted>,
}

impl Machine {
    fn new(wall_ms: i64) -> Self {
        let read = Reading { wall_ms, steady_ms: 7 };
        Self { lived_ms: 0, wall_ms, steady_ms: 7, clock: Clock::resume(None, read), stored: None }
    }

    fn now(&mut self) -> i64 {
        let now_ms = self.clock.at(Reading { wall_ms: self.wall_ms, steady_ms: self.steady_ms });
        // A run does this before anything that goes by the clock.
        if let Some(news) = self.clock.news() {
            self.stored = Some(news);
            self.clock.told(news);
        }
        now_ms
    }

    fn set(&mut self, by_ms: i64) {
        self.wall_ms = self.wall_ms.saturating_add(by_ms);
        self.now();
    }

    fn live(&mut self, ms: u64) {
        self.lived_ms += ms;
        self.wall_ms += ms as i64;
        self.steady_ms += ms;
        self.now();
    }

    /// It is off so long, and somebody sets the clock meanwhile.
    fn restart(&mut self, off_ms: u64, set_ms: i64) {
        self.now();
        self.lived_ms += off_ms;
        self.wall_ms = self.wall_ms.saturating_add_unsigned(off_ms).saturating_add(set_ms);
        self.steady_ms = 3;
        let read = Reading { wall_ms: self.wall_ms, steady_ms: self.steady_ms };
        self.clock = Clock::resume(self.stored, read);
    }
}

#[test]
fn a_clock_that_nobody_sets_is_the_walls() {
    let mut machine = Machine::new(NOW);
    machine.live(3 * DAY);
    machine.restart(2 * DAY, 0);
    machine.live(HOUR);
    assert_eq!((machine.now(), machine.wall_ms), (NOW + (5 * DAY + HOUR) as i64, machine.now()));
    assert_eq!(machine.clock.age_ms(NOW), Some(5 * DAY + HOUR));
    assert!(!machine.clock.is_untold(true));
}

/// The machine booted in 1970, and heard of the network after a minute.
#[test]
fn what_was_written_in_1970_is_a_minute_old_when_the_clock_is_set() {
    let mut machine = Machine::new(60_000);
    let written = machine.now();
    machine.live(60_000);
    machine.set(NOW);
    assert_eq!(machine.now() - written, 60_000);
    assert!(machine.stored.is_some());
    machine.live(6 * DAY);
    machine.restart(HOUR, 0);
    assert_eq!(machine.now() - written, 60_000 + (6 * DAY + HOUR) as i64);
    let now = machine.now();
    assert_eq!(machine.clock.on_the_wall(now), machine.wall_ms);
}

#[test]
fn a_clock_set_while_the_store_was_closed_is_not_believed() {
    for by in [NOW, 3 * 366 * DAY as i64, -NOW, -(40 * DAY as i64)] {
        let mut machine = Machine::new(NOW);
        let written = machine.now();
        machine.live(HOUR);
        machine.restart(HOUR, by);
        assert_eq!(machine.now() - written, HOUR as i64, "{by}");
        assert_eq!(machine.clock.age_ms(written), None, "nobody can say for how long: {by}");
        machine.set(-by);
        machine.live(3 * HOUR);
        assert_eq!(machine.now() - written, 4 * HOUR as i64);
        let later = machine.now();
        machine.live(1);
        assert_eq!(machine.clock.age_ms(later), Some(1), "what came since can be told: {by}");
    }
}

/// Two contexts of one store notice the same: the first writes it down, the other takes that up.
#[test]
fn contexts_of_a_store_have_one_clock() {
    let mut one = Machine::new(NOW);
    one.now();
    let mut two = Machine::new(NOW);
    two.clock = Clock::resume(one.stored, Reading { wall_ms: NOW, steady_ms: 7 });
    for machine in [&mut one, &mut two] {
        machine.live(1000);
        machine.wall_ms -= NOW;
    }
    let first = one.now();
    let read = Reading { wall_ms: two.wall_ms, steady_ms: two.steady_ms };
    two.clock.take_up(one.stored, read);
    assert_eq!(two.clock.at(read), first);
    assert!(!two.clock.is_untold(true), "there is nothing to write down");
}

/// A machine whose steady clock sleeps with it: nobody can say whether it slept or was set.
#[test]
fn sleep_that_is_not_counted_is_a_doubt() {
    let mut machine = Machine::new(NOW);
    let tried = machine.now();
    machine.set(30 * HOUR as i64);
    assert_eq!(machine.now() - tried, 0);
    assert_eq!(machine.clock.age_ms(tried), None);
}

#[test]
fn what_a_store_claims_breaks_nothing() {
    for extreme in [i64::MIN, -1, 0, i64::MAX] {
        for wall_ms in [i64::MIN, 0, NOW, i64::MAX] {
            let noted = Noted { offset_ms: extreme, seen_ms: extreme, doubt_ms: extreme };
            let mut clock = Clock::resume(Some(noted), Reading { wall_ms, steady_ms: 0 });
            let now = clock.at(Reading { wall_ms: NOW, steady_ms: 5 });
            assert!(clock.at(Reading { wall_ms: NOW, steady_ms: 6 }) >= now);
            clock.take_up(None, Reading::default());
            clock.on_the_wall(extreme);
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Live(u64),
    Set(i64),
    Restart(u64, i64),
}

fn act() -> impl Strategy<Value = Act> {
    let set = prop_oneof![-(20 * HOUR as i64)..20 * HOUR as i64, -NOW..NOW];
    // While nobody looks, a clock set by less than a year cannot be told from a store that was closed.
    let unseen = prop_oneof![Just(0), (367 * DAY as i64)..NOW, -NOW..-(40 * DAY as i64)];
    prop_oneof![
        (0..40 * HOUR).prop_map(Act::Live),
        set.prop_map(Act::Set),
        (0..30 * DAY, unseen).prop_map(|(off, set)| Act::Restart(off, set)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// An age is never more than what was lived through; within a run, it is that.
    #[test]
    fn an_age_is_what_was_lived_through(begin in prop_oneof![Just(0), Just(NOW), 0..NOW], acts in proptest::collection::vec(act(), 1..20)) {
        let mut machine = Machine::new(begin);
        let (written, mut last) = (machine.now(), machine.now());
        for act in acts {
            let (before, lived) = (machine.now(), machine.lived_ms);
            match act {
                Act::Live(ms) => machine.live(ms),
                Act::Set(ms) => machine.set(ms),
                Act::Restart(off, set) => machine.restart(off, set),
            }
            let now = machine.now();
            if matches!(act, Act::Restart(..)) {
                // It goes on from where it was noted last.
                prop_assert!(now > last - NOTED_MS, "back by {}", last - now);
            } else {
                prop_assert_eq!(now - before, (machine.lived_ms - lived) as i64);
            }
            // From one run to the next, as far as clocks differ without being set.
            prop_assert!(now - written <= machine.lived_ms as i64 + 20 * TOLERANCE_MS, "{} of {}", now - written, machine.lived_ms);
            last = now;
        }
    }

    /// An age that is told for sure is not less than the time lived through: nothing is sent again blindly.
    #[test]
    fn an_age_that_is_told_is_not_too_young(acts in proptest::collection::vec(act(), 1..20)) {
        let mut machine = Machine::new(NOW);
        let tried = machine.now() + 1;
        machine.live(1);
        let begun = machine.lived_ms;
        for act in acts {
            match act {
                Act::Live(ms) => machine.live(ms),
                Act::Set(ms) => machine.set(ms),
                Act::Restart(off, set) => machine.restart(off, set),
            }
            machine.now();
            if let Some(age) = machine.clock.age_ms(tried) {
                prop_assert!(age + 20 * TOLERANCE_MS as u64 >= machine.lived_ms - begun, "{age} of {}", machine.lived_ms - begun);
            }
        }
    }
}

fn noted(offset_ms: i64, seen_ms: i64, doubt_ms: i64) -> Noted {
    Noted { offset_ms, seen_ms, doubt_ms }
}

fn read(wall_ms: i64, steady_ms: u64) -> Reading {
    Reading { wall_ms, steady_ms }
}

/// Between runs: what the wall clock may have gone to be believed, to the millisecond.
#[test]
fn a_wall_clock_is_believed_between_a_little_back_and_a_year() {
    for (gone_ms, believed) in [
        (-TOLERANCE_MS - 1, false),
        (-TOLERANCE_MS, true),
        (-1, true),
        (0, true),
        (1, true),
        (CREDIBLE_MS, true),
        (CREDIBLE_MS + 1, false),
    ] {
        for offset_ms in [-7, 0, 30_000] {
            let wall_ms = NOW + gone_ms - offset_ms;
            let clock = Clock::resume(Some(noted(offset_ms, NOW, 5)), read(wall_ms, 3));
            let now_ms = if believed { NOW + gone_ms.max(0) } else { NOW };
            assert_eq!((clock.now_ms, clock.offset_ms), (now_ms, now_ms - wall_ms), "{gone_ms}");
            assert_eq!(clock.doubt_ms, if believed { 5 } else { NOW + 2 * NOTED_MS }, "{gone_ms}");
        }
    }
    let new = Clock::resume(None, read(NOW, 3));
    assert_eq!((new.now_ms, new.offset_ms, new.doubt_ms), (NOW, 0, i64::MIN));
}

/// Within a run: a wall clock that differs by more than clocks do was set, and the steady one only goes on.
#[test]
fn a_wall_clock_that_differs_too_much_was_set() {
    for (by_ms, set) in [
        (-TOLERANCE_MS - 1, true),
        (-TOLERANCE_MS, false),
        (0, false),
        (TOLERANCE_MS, false),
        (TOLERANCE_MS + 1, true),
    ] {
        for doubt_ms in [5, 2 * NOW] {
            let mut clock = Clock::resume(Some(noted(0, NOW, doubt_ms)), read(NOW, 100));
            assert_eq!(clock.at(read(NOW + 50 + by_ms, 150)), NOW + 50);
            let doubted = if set { doubt_ms.max(NOW + 50) } else { doubt_ms };
            assert_eq!((clock.offset_ms, clock.doubt_ms), (if set { -by_ms } else { 0 }, doubted), "{by_ms}");
        }
    }
    let mut clock = Clock::resume(None, read(NOW, 100));
    assert_eq!(clock.at(read(NOW, 40)), NOW, "it does not go back");
    assert_eq!(clock.at(read(NOW, 100)), NOW, "nor is anything lived through twice");
    assert_eq!(clock.at(read(NOW, 130)), NOW + 30);
}

/// The store is told again, and at once where it must be; all that may differ from its own note.
#[test]
fn the_store_is_told_what_it_does_not_know() {
    let clock =
        |offset_ms, now_ms, doubt_ms, noted| Clock { read: read(NOW, 0), now_ms, offset_ms, doubt_ms, noted };
    for (offset_ms, set) in
        [(-TOLERANCE_MS - 1, true), (-TOLERANCE_MS, false), (TOLERANCE_MS, false), (TOLERANCE_MS + 1, true)]
    {
        for (gone_ms, long) in [(-5, false), (NOTED_MS - 1, false), (NOTED_MS, true)] {
            for (doubt_ms, doubts) in [(5, false), (6, true)] {
                let clock = clock(offset_ms, NOW + gone_ms, doubt_ms, Some(noted(0, NOW, 5)));
                let news = noted(offset_ms, NOW + gone_ms, doubt_ms);
                let told = format!("{offset_ms} {gone_ms} {doubt_ms}");
                assert_eq!(clock.news(), (set || long || doubts).then_some(news), "{told}");
                assert_eq!(clock.is_untold(false), set || doubts, "{told}");
                assert_eq!(clock.is_untold(true), set || doubts || long, "{told}");
            }
        }
        let unknown = clock(offset_ms, NOW, i64::MIN, None);
        assert!(unknown.news().is_some());
        assert_eq!((unknown.is_untold(true), unknown.is_untold(false)), (set, set), "{offset_ms}");
        assert!(clock(0, NOW, NOW, None).is_untold(false), "there is a doubt");
        let mut told = unknown;
        told.told(noted(offset_ms, NOW, i64::MIN));
        assert_eq!((told.news(), told.is_untold(true)), (None, false));
    }
}

/// Another context's note is taken up, with the doubts of this one.
#[test]
fn what_others_noted_is_taken_up_once() {
    let mut clock = Clock::resume(Some(noted(0, NOW, 5)), read(NOW, 0));
    clock.doubt_ms = 9;
    let before = clock;
    let same = |clock: &Clock| (clock.now_ms, clock.offset_ms, clock.doubt_ms, clock.noted);
    for known in [None, Some(noted(0, NOW, 5))] {
        clock.take_up(known, read(NOW + 700, 700));
        assert_eq!(same(&clock), same(&before), "{known:?}");
    }
    for (theirs, doubt_ms) in [(7, 9), (11, 11)] {
        let mut clock = before;
        let news = Some(noted(40_000, NOW + 40_000, theirs));
        clock.take_up(news, read(NOW + 700, 700));
        assert_eq!(same(&clock), (NOW + 40_700, 40_000, doubt_ms, news));
    }
}

#[test]
fn an_age_is_told_of_what_came_after_the_doubt() {
    let mut clock = Clock::resume(Some(noted(30, NOW, NOW - 100)), read(NOW - 30, 0));
    for (moment_ms, age_ms) in [
        (NOW - 101, None),
        (NOW - 100, None),
        (NOW - 99, Some(99)),
        (NOW, Some(0)),
        // Of the run before, whose clock was a little ahead.
        (NOW + 1, Some(0)),
        (NOW + TOLERANCE_MS, Some(0)),
        (NOW + TOLERANCE_MS + 1, None),
        (i64::MIN, None),
        (i64::MAX, None),
    ] {
        assert_eq!(clock.age_ms(moment_ms), age_ms, "{}", moment_ms - NOW);
        assert_eq!(clock.is_ahead(moment_ms), moment_ms > NOW + TOLERANCE_MS);
    }
    clock.doubt_ms = i64::MIN;
    assert_eq!(clock.age_ms(NOW - 101), Some(101));
    assert_eq!(clock.on_the_wall(NOW), NOW - 30);
}
