use haos_e2e::screen::{Line, Screen};

use crate::person::Person;

/// The places where two timelines differ: the first in the order, else each that shows otherwise.
pub(crate) fn beside<'a>(shown: &'a [Line], truth: &'a [Line]) -> Box<dyn Iterator<Item = String> + 'a> {
    let ids = |lines: &'a [Line]| lines.iter().map(|line| &line.id);
    let place = ids(shown).zip(ids(truth)).position(|(one, other)| one != other);
    let place = place.or_else(|| (shown.len() != truth.len()).then(|| shown.len().min(truth.len())));
    if let Some(place) = place {
        let near = |lines: &'a [Line]| lines.iter().skip(place.saturating_sub(2)).take(5).collect::<Vec<_>>();
        let found = format!(
            "{} and {} items; from {place} on {:?} are {:?}",
            shown.len(),
            truth.len(),
            near(shown),
            near(truth)
        );
        return Box::new(std::iter::once(found));
    }
    let other = shown.iter().zip(truth).filter(|(shown, truth)| shown != truth);
    Box::new(other.map(|(shown, truth)| fields(shown, truth)))
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
        found.extend(beside(&lines, &others).map(|place| format!("in {room}, beside each other: {place}")));
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
