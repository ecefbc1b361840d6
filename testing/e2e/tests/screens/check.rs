use haos_e2e::screen::{Line, Screen};

use crate::person::Person;

/// The places where two timelines differ: the first in the order, else each that shows otherwise.
///
/// Synapse makes membership events beside a room's other ones, and where both come at once a sync and a page of history
/// tell them in another order. They count by themselves.
pub(crate) fn beside(shown: &[Line], truth: &[Line]) -> Vec<String> {
    let parts = |lines: &[Line]| -> [Vec<Line>; 2] {
        let (mut members, others): (Vec<_>, Vec<_>) =
            lines.iter().cloned().partition(|line| line.kind == "m.room.member");
        members.sort_by(|a, b| a.id.cmp(&b.id));
        [members, others]
    };
    let both = parts(shown).into_iter().zip(parts(truth));
    both.flat_map(|(shown, truth)| in_order(&shown, &truth)).collect()
}

fn in_order(shown: &[Line], truth: &[Line]) -> Vec<String> {
    let place = (0..shown.len().max(truth.len()))
        .find(|at| shown.get(*at).map(|line| &line.id) != truth.get(*at).map(|line| &line.id));
    if let Some(place) = place {
        let near =
            |lines: &[Line]| lines.iter().skip(place.saturating_sub(2)).take(5).cloned().collect::<Vec<_>>();
        let (count, others) = (shown.len(), truth.len());
        return vec![format!(
            "{count} and {others} items; from {place} on {:?} are {:?}",
            near(shown),
            near(truth)
        )];
    }
    let other = shown.iter().zip(truth).filter(|(shown, truth)| shown != truth);
    other.map(|(shown, truth)| fields(shown, truth)).collect()
}

/// What of a line is other.
fn fields(shown: &Line, truth: &Line) -> String {
    let (mine, theirs) = (serde_json::to_value(shown).unwrap(), serde_json::to_value(truth).unwrap());
    let other = mine.as_object().unwrap().iter().filter(|(name, value)| theirs[name.as_str()] != **value);
    let other = other.map(|(name, value)| format!("{name} {value} is {}", theirs[name.as_str()]));
    format!("{} {:?}: {}", shown.id, shown.text, other.collect::<Vec<_>>().join(", "))
}

/// Where two screens differ, apart from the own receipts.
pub(crate) fn screens(screens: &[Screen], people: &[Person]) -> Vec<String> {
    let mut found = Vec::new();
    let both: Vec<&str> = people.iter().map(Person::user).collect();
    let [one, other] = screens else { panic!("there are two people") };
    for (room, lines) in &one.timelines {
        let bare = |lines: &[Line]| -> Vec<Line> {
            let mut lines = lines.to_vec();
            lines.iter_mut().for_each(|line| line.readers.retain(|user| !both.contains(&&**user)));
            lines
        };
        let (lines, others) = (bare(lines), bare(&other.timelines[room]));
        found.extend(
            beside(&lines, &others).iter().map(|place| format!("in {room}, beside each other: {place}")),
        );
        let read = |screen: &Screen, user: &str| {
            let lines = screen.timelines[room].iter();
            lines
                .rev()
                .find(|line| line.readers.iter().any(|reader| reader == user))
                .map(|line| line.id.clone())
        };
        let last = one.timelines[room].last().map(|line| line.id.clone());
        for (screen, reader) in [(one, both[1]), (other, both[0])] {
            if read(screen, reader) != last {
                found.push(format!("in {room} {reader} has read up to {:?}", read(screen, reader)));
            }
        }
    }
    if one.rooms != other.rooms {
        found.push(format!("the rooms {:?} are {:?}", one.rooms, other.rooms));
    }
    found
}
