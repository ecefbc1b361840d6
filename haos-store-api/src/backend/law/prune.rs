use std::collections::HashSet;

use super::sort_by;
use crate::{Gap, Position};

/// A run of old items that a pruning removes, and the gap that it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedRun {
    /// The oldest removed item.
    pub oldest: Position,
    /// The newest removed item; the gap takes its place.
    pub newest: Position,
    /// The gap's token, if the newest item was a gap that had one.
    pub token: Option<String>,
}

/// Lists the removed runs when the newest `keep` messages and the protected ones stay.
///
/// `messages` and `gaps` are the room's, ascending. A run ends at each message that stays, and takes
/// the gaps within it along; a run of gaps alone is left as it is.
pub fn prune(messages: &[Position], gaps: &[Gap], keep: usize, protected: &[Position]) -> Vec<PrunedRun> {
    let Some(cut) = messages.len().checked_sub(keep).filter(|cut| *cut > 0) else {
        return Vec::new();
    };
    let kept_from = messages.get(cut).copied();
    let mut items: Vec<(Position, Option<&Gap>)> =
        messages[..cut].iter().map(|position| (*position, None)).collect();
    items.extend(
        gaps.iter()
            .filter(|gap| kept_from.is_none_or(|from| gap.position < from))
            .map(|gap| (gap.position, Some(gap))),
    );
    sort_by(&mut items, |(a, _), (b, _)| a.cmp(b));

    let protected: HashSet<&Position> = protected.iter().collect();
    let mut runs = Vec::new();
    let mut run: Vec<(Position, Option<&Gap>)> = Vec::new();
    for (position, gap) in items {
        if gap.is_none() && protected.contains(&position) {
            runs.extend(close(&mut run));
        } else {
            run.push((position, gap));
        }
    }
    runs.extend(close(&mut run));
    runs
}

fn close(run: &mut Vec<(Position, Option<&Gap>)>) -> Option<PrunedRun> {
    let items = std::mem::take(run);
    if items.iter().all(|(_, gap)| gap.is_some()) {
        return None;
    }
    let (oldest, _) = items.first()?;
    let (newest, last) = items.last()?;
    Some(PrunedRun { oldest: *oldest, newest: *newest, token: last.and_then(|gap| gap.token.clone()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Revision, RoomId};

    fn at(n: u64) -> Position {
        Position::new(n).unwrap()
    }

    #[test]
    fn runs_between_protected_messages() {
        let gap = |n, token: &str| Gap {
            room: RoomId::new("!r").unwrap(),
            position: at(n),
            token: Some(token.to_owned()),
            revision: Revision::ZERO,
        };
        let messages: Vec<_> = [1, 2, 5, 6, 9, 10].map(at).into();
        let gaps = [gap(3, "a"), gap(7, "b")];
        let runs = prune(&messages, &gaps, 2, &[at(5)]);
        let run = |oldest, newest, token: &str| PrunedRun {
            oldest: at(oldest),
            newest: at(newest),
            token: Some(token.to_owned()),
        };
        assert_eq!(runs, [run(1, 3, "a"), run(6, 7, "b")]);
        assert_eq!(prune(&messages, &gaps, 6, &[]), []);
    }

    /// An item of a timeline.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kind {
        Message,
        Protected,
        Gap,
        Token,
    }

    /// Every timeline of up to six items, and every number of messages to keep.
    #[test]
    fn what_goes_is_what_stands_between_those_that_stay() {
        use Kind::*;
        for len in 0..=6 {
            for which in 0..4_usize.pow(len) {
                let kind = |nth: u32| [Message, Protected, Gap, Token][which / 4_usize.pow(nth) % 4];
                let items: Vec<(u64, Kind)> = (0..len).map(|nth| (nth.into(), kind(nth))).collect();
                let is_message = |(_, kind): &&(u64, Kind)| matches!(kind, Message | Protected);
                let messages: Vec<u64> = items.iter().filter(is_message).map(|(n, _)| *n).collect();
                for keep in 0..=messages.len() + 1 {
                    let found = found(&items, keep);
                    let surplus = messages.len().saturating_sub(keep);
                    // Removes nothing from the first message on that is kept for being new.
                    let end = messages.get(surplus).map_or(items.len(), |kept| *kept as usize);
                    let runs = items[..end].split(|(_, kind)| *kind == Protected);
                    let runs = runs.filter(|run| surplus > 0 && run.iter().any(|item| item.1 == Message));
                    let expected: Vec<_> = runs
                        .map(|run| {
                            let (oldest, (newest, last)) = (run[0].0, run[run.len() - 1]);
                            let token = (last == Token).then(|| newest.to_string());
                            PrunedRun { oldest: at(oldest), newest: at(newest), token }
                        })
                        .collect();
                    assert_eq!(found, expected, "{items:?}, keep {keep}");
                }
            }
        }
    }

    fn found(items: &[(u64, Kind)], keep: usize) -> Vec<PrunedRun> {
        let (mut messages, mut gaps, mut protected) = (Vec::new(), Vec::new(), Vec::new());
        for (n, kind) in items {
            let token = (*kind == Kind::Token).then(|| n.to_string());
            let room = RoomId::new("!r").unwrap();
            match kind {
                Kind::Message => messages.push(at(*n)),
                Kind::Protected => {
                    messages.push(at(*n));
                    protected.push(at(*n));
                }
                _ => gaps.push(Gap { room, position: at(*n), token, revision: Revision::ZERO }),
            }
        }
        prune(&messages, &gaps, keep, &protected)
    }
}
