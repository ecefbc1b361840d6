//! Positions for a new order.

use haos_store_api::Position;

use super::PlanError;
use super::splice::Ordered;
use super::timeline::{Slot, Window};

/// Gives every slot of the order a position, rising, one each.
///
/// What has a position keeps it while there is room. A gap keeps a hole of [`Position::HOLE`] on its
/// older side where it can. Where a run does not fit between its neighbours, the newer ones are pushed
/// up, as few as possible, and a hole is left for the next time.
///
/// # Errors
/// `Narrow` if pushing would leave the window, `Exhausted` at the end of the numbers.
pub fn place(order: &[Ordered], window: &Window) -> Result<Vec<Position>, PlanError> {
    let mut placed: Vec<Option<Position>> = order.iter().map(|(position, _)| *position).collect();
    let mut at = 0;
    while at < order.len() {
        if placed[at].is_some() {
            at += 1;
            continue;
        }
        let end = (at..order.len()).find(|i| placed[*i].is_some()).unwrap_or(order.len());
        run(order, &mut placed, at, end, window)?;
        at = end;
    }
    Ok(placed.into_iter().flatten().collect())
}

/// Places the unplaced slots `from..to`.
fn run(
    order: &[Ordered],
    placed: &mut [Option<Position>],
    from: usize,
    to: usize,
    window: &Window,
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
                push_up(placed, to, lower, needed, window)?;
            }
            let upper = placed[to].ok_or(PlanError::Narrow)?;
            // A gap keeps its hole on the older side.
            if order[from].1.is_gap() {
                downwards(placed, from, to, upper)
            } else {
                upwards(order, placed, from, to, lower.newer(1).ok_or(PlanError::Exhausted)?, false)
            }
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

    fn at(n: u64) -> Position {
        Position::new(n).unwrap()
    }

    fn place_between(lower: u64, new: usize, upper: &[u64]) -> Vec<u64> {
        let anchor = |n: u64| (Some(at(n)), Slot::Anchor(format!("${n}").parse().unwrap()));
        let mut order = vec![anchor(lower)];
        order.extend((0..new).map(|i| (None, Slot::New(i))));
        order.extend(upper.iter().map(|n| anchor(*n)));
        place(&order, &Window::default()).unwrap().into_iter().map(Position::get).collect()
    }

    #[test]
    fn what_fits_moves_nothing() {
        assert_eq!(place_between(10, 3, &[14, 15]), [10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn what_does_not_fit_pushes_only_what_is_in_the_way() {
        let hole = Position::HOLE;
        let far = 10 + 2 * hole;
        assert_eq!(place_between(10, 3, &[13, 14, far]), [10, 11, 12, 13, 14 + hole, 15 + hole, far],);
    }
}
