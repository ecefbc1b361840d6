//! Positions for a new order.

use haos_store_api::Position;

use super::PlanError;
use super::splice::Ordered;
use super::timeline::{Slot, Window};

/// Gives every slot of the order a position, rising, one each.
///
/// An item that has a position keeps it while there is room. A gap keeps a hole of [`Position::HOLE`] on its
/// older side where it can. Where a run does not fit between its neighbours, the newer ones are pushed
/// up, as few as possible, and a hole is left for the next time.
///
/// # Errors
/// `Narrow` if pushing would leave the window, `Exhausted` at the end of the numbers.
pub(super) fn place(order: &[Ordered], window: &Window) -> Result<Vec<Position>, PlanError> {
    place_at(order, &[], window)
}

/// The most holes that are left behind a run of another store's history, for those that follow it.
const MOST_HOLES: u64 = 1024;

/// [`place`], where the slots of a run get the positions wished for, one a slot, if all of these fit between its
/// neighbours.
///
/// Runs with wishes come oldest first, each right behind the one before. So one that does not fit goes to the older end
/// of its room, and pushing makes room for about as many runs as it moves items: all in all, an item or two a run.
pub(super) fn place_at(
    order: &[Ordered],
    wishes: &[Option<Position>],
    window: &Window,
) -> Result<Vec<Position>, PlanError> {
    let mut placed: Vec<Option<Position>> = order.iter().map(|(position, _)| *position).collect();
    let mut at = 0;
    while at < order.len() {
        if placed[at].is_some() {
            at += 1;
            continue;
        }
        let end = (at..order.len()).find(|i| placed[*i].is_some()).unwrap_or(order.len());
        if !wished(wishes, &mut placed, at, end, window) {
            run(order, &mut placed, (at, end), window, !wishes.is_empty())?;
        }
        at = end;
    }
    Ok(placed.into_iter().flatten().collect())
}

/// Places the unplaced slots `from..to` as wished; tells whether that was possible.
fn wished(
    wishes: &[Option<Position>],
    placed: &mut [Option<Position>],
    from: usize,
    to: usize,
    window: &Window,
) -> bool {
    let Some(wishes) = wishes.get(from..to) else { return false };
    let lower = from.checked_sub(1).and_then(|i| placed[i]);
    let upper = placed.get(to).copied().flatten();
    if (lower.is_none() && window.older) || (upper.is_none() && window.newer) {
        return false;
    }
    let mut last = lower;
    for wish in wishes {
        if wish.is_none() || *wish <= last {
            return false;
        }
        last = *wish;
    }
    let fits = upper.is_none_or(|upper| last < Some(upper));
    if fits {
        placed[from..to].copy_from_slice(wishes);
    }
    fits
}

/// Places the unplaced slots `from..to`: of an answer, or of another store's history.
fn run(
    order: &[Ordered],
    placed: &mut [Option<Position>],
    (from, to): (usize, usize),
    window: &Window,
    is_history: bool,
) -> Result<(), PlanError> {
    let lower = from.checked_sub(1).and_then(|i| placed[i]);
    let upper = placed.get(to).copied().flatten();
    let needed = (to - from) as u64;
    match (lower, upper) {
        (None, _) if window.older => Err(PlanError::Narrow),
        (_, None) if window.newer => Err(PlanError::Narrow),
        (None, None) => {
            // An empty room: a gap before the first message stands just below it.
            let start = if order[from].1.is_gap() { Position::FIRST.older(1) } else { Some(Position::FIRST) };
            upwards(order, placed, from, to, start.ok_or(PlanError::Exhausted)?, false)
        }
        (None, Some(upper)) => downwards(placed, from, to, upper),
        (Some(lower), None) => {
            upwards(order, placed, from, to, lower.newer(1).ok_or(PlanError::Exhausted)?, true)
        }
        (Some(lower), Some(upper)) => {
            if upper.get() - lower.get() - 1 < needed {
                let holes = if is_history { (placed.len() - to).min(MOST_HOLES as usize) as u64 } else { 0 };
                push_up(placed, to, lower, needed + holes * (needed + Position::HOLE), window)?;
            }
            let upper = placed[to].ok_or(PlanError::Narrow)?;
            // A gap keeps its hole on the older side.
            let is_gap = order[from].1.is_gap();
            if is_gap && !is_history {
                return downwards(placed, from, to, upper);
            }
            let room = upper.get() - lower.get() - 1 - needed;
            let hole = if is_gap { Position::HOLE.min(room) } else { 0 };
            upwards(order, placed, from, to, lower.newer(1 + hole).ok_or(PlanError::Exhausted)?, false)
        }
    }
}

fn upwards(
    order: &[Ordered],
    placed: &mut [Option<Position>],
    from: usize,
    to: usize,
    start: Position,
    holes: bool,
) -> Result<(), PlanError> {
    let mut next = Some(start);
    for i in from..to {
        if holes && matches!(order[i].1, Slot::Gap(_)) {
            next = next.and_then(|position| position.newer(Position::HOLE));
        }
        placed[i] = Some(next.ok_or(PlanError::Exhausted)?);
        next = next.and_then(|position| position.newer(1));
    }
    Ok(())
}

fn downwards(
    placed: &mut [Option<Position>],
    from: usize,
    to: usize,
    upper: Position,
) -> Result<(), PlanError> {
    for (steps, i) in (from..to).rev().enumerate() {
        placed[i] = Some(upper.older(steps as u64 + 1).ok_or(PlanError::Exhausted)?);
    }
    Ok(())
}

/// Moves the placed slots from `at` on upwards until `needed` positions and a hole are free above
/// `lower`. Slots further up move only as far as those below push them.
fn push_up(
    placed: &mut [Option<Position>],
    at: usize,
    lower: Position,
    needed: u64,
    window: &Window,
) -> Result<(), PlanError> {
    let mut floor = lower.newer(needed + Position::HOLE + 1).ok_or(PlanError::Exhausted)?;
    for slot in placed[at..].iter_mut() {
        // Unplaced runs further up find their room when it is their turn.
        if slot.is_none_or(|position| position >= floor) {
            if slot.is_some() {
                return Ok(());
            }
            continue;
        }
        *slot = Some(floor);
        floor = floor.newer(1).ok_or(PlanError::Exhausted)?;
    }
    if window.newer { Err(PlanError::Narrow) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u64 = 1 << 39;
    const HOLE: u64 = Position::HOLE;

    fn at(n: u64) -> Position {
        Position::new(n).unwrap()
    }

    /// An order in words: `n` is new, `g` a new gap, a number what stands there, `f` and a number so much above the
    /// first position. It begins or ends with `..` where the window does not show all.
    fn placed(text: &str) -> Result<Vec<u64>, PlanError> {
        let window = Window { older: text.starts_with(".."), newer: text.ends_with(".."), items: Vec::new() };
        let number = |text: &str| match text.strip_prefix('f') {
            Some(above) => FIRST + above.parse::<u64>().unwrap(),
            None => text.parse().unwrap(),
        };
        let slot = |(n, text): (usize, &str)| match text {
            "n" => (None, Slot::New(n)),
            "g" => (None, Slot::Gap(None)),
            _ => (Some(at(number(text))), Slot::Anchor(format!("${n}").parse().unwrap())),
        };
        let order: Vec<Ordered> =
            text.split_whitespace().filter(|text| *text != "..").enumerate().map(slot).collect();
        let positions = place(&order, &window)?;
        Ok(positions.into_iter().map(Position::get).collect())
    }

    #[test]
    fn what_fits_moves_nothing() {
        for (order, expected) in [
            ("", vec![]),
            ("5 9", vec![5, 9]),
            // The first of a room, behind a gap or not.
            ("n n", vec![FIRST, FIRST + 1]),
            ("g n n", vec![FIRST - 1, FIRST, FIRST + 1]),
            ("g", vec![FIRST - 1]),
            // Before, after and between what stands.
            ("n n 10", vec![8, 9, 10]),
            ("g n 10", vec![8, 9, 10]),
            ("10 n n", vec![10, 11, 12]),
            ("10 n n 20", vec![10, 11, 12, 20]),
            ("10 n n 13", vec![10, 11, 12, 13]),
            ("10 n 13 n n 20", vec![10, 11, 13, 14, 15, 20]),
            // A gap keeps a hole on its older side, where it can.
            ("10 g n", vec![10, 11 + HOLE, 12 + HOLE]),
            ("10 n g n", vec![10, 11, 12 + HOLE, 13 + HOLE]),
            ("10 g n 20", vec![10, 18, 19, 20]),
            ("10 g 20", vec![10, 19, 20]),
            ("10 g n 13", vec![10, 11, 12, 13]),
            // Items outside the window are not needed.
            (".. 10 n n 13 ..", vec![10, 11, 12, 13]),
            ("n 10 ..", vec![9, 10]),
            (".. 10 n", vec![10, 11]),
        ] {
            assert_eq!(placed(order), Ok(expected), "{order}");
        }
    }

    #[test]
    fn what_does_not_fit_pushes_only_what_is_in_the_way() {
        // After one, two and three new ones above the tenth position, and a hole.
        let [one, two, three] = [1, 2, 3].map(|new| 11 + new + HOLE);
        let far = 10 + 3 * HOLE;
        for (order, expected) in [
            ("10 n 11".to_owned(), vec![10, 11, one]),
            ("10 n n 12".to_owned(), vec![10, 11, 12, two]),
            (format!("10 n n n 13 14 {far}"), vec![10, 11, 12, 13, three, three + 1, far]),
            // An item just above stays, one just there moves.
            (format!("10 n 11 {}", one + 1), vec![10, 11, one, one + 1]),
            (format!("10 n 11 {one} {far}"), vec![10, 11, one, one + 1, far]),
            (format!("10 n 11 {} ..", one + 1), vec![10, 11, one, one + 1]),
            (format!("10 n 11 {one} {} {far} ..", one + 1), vec![10, 11, one, one + 1, one + 2, far]),
            ("10 g 11".to_owned(), vec![10, one - 1, one]),
            // An item that is pushed up must not be pushed into the next one: that gets its own room.
            ("10 n 11 n 12".to_owned(), vec![10, 11, one, one + 1, one + 2 + HOLE]),
            (format!("10 n 11 n 12 {far}"), vec![10, 11, one, one + 1, one + 2 + HOLE, far]),
        ] {
            assert_eq!(placed(&order), Ok(expected), "{order}");
        }
    }

    #[test]
    fn runs_of_history_push_once_for_many() {
        let window = Window { older: false, newer: false, items: Vec::new() };
        let mut placed: Vec<u64> = vec![100];
        let mut newer: Vec<u64> = (101..121).collect();
        let mut moves = 0;
        for _ in 0..200 {
            let stands = |at: &u64| (Some(Position::new(*at).unwrap()), Slot::Anchor("$x".parse().unwrap()));
            let run = [(None, Slot::Gap(None)), (None, Slot::New(0)), (None, Slot::New(1))];
            let order: Vec<Ordered> =
                placed.iter().map(stands).chain(run).chain(newer.iter().map(stands)).collect();
            // Where it stood, something stands now.
            let wishes = vec![Some(Position::new(100).unwrap()); order.len()];
            let positions = place_at(&order, &wishes, &window).unwrap();
            let positions: Vec<u64> = positions.into_iter().map(Position::get).collect();
            assert!(positions.is_sorted_by(|a, b| a < b));
            let (before, after) = positions.split_at(placed.len() + 3);
            moves += newer.iter().zip(after).filter(|(was, now)| was != now).count();
            assert_eq!(before[placed.len()], placed[placed.len() - 1] + HOLE + 1, "a gap keeps its hole");
            (placed, newer) = (before.to_vec(), after.to_vec());
        }
        assert_eq!(moves, 200, "ten times twenty");
    }

    #[test]
    fn where_the_window_ends_more_is_asked_for() {
        for order in [".. n", ".. n 10", "n ..", "10 n ..", ".. n ..", "10 n 11 ..", "10 n 11 12 .."] {
            assert_eq!(placed(order), Err(PlanError::Narrow), "{order}");
        }
        let max = Position::MAX.get();
        for order in [
            "n 0".to_owned(),
            "n n 1".to_owned(),
            format!("{max} n"),
            format!("{} n n", max - 1),
            format!("{} g", max - HOLE),
            format!("{} n {}", max - HOLE - 2, max - HOLE - 1),
            format!("{} n {max}", max - 1),
        ] {
            assert_eq!(placed(&order), Err(PlanError::Exhausted), "{order}");
        }
        assert_eq!(placed("n 1"), Ok(vec![0, 1]));
        assert_eq!(placed(&format!("{} n", max - 1)), Ok(vec![max - 1, max]));
    }
}
