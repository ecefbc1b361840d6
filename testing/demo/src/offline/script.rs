//! The messages that are written while nothing is reachable.

use haos_cli::parts::Result;
use haos_queue::Session;
use haos_sim::Chance;
use haos_store_api::{RoomId, UserId};

/// The names of the rooms.
pub(super) const ROOMS: [&str; 4] = ["family", "shed", "choir", "pump"];

/// The bytes of the file, and of its thumbnail.
pub(super) const FILE: usize = 200_000;
pub(super) const THUMBNAIL: usize = 12_000;

/// One thing that the user does. Numbers are places in [`SCRIPT`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Write {
    Text(&'static str),
    /// Other words for a text that was not sent yet.
    Reword(usize, &'static str),
    /// An edit, as an event of its own.
    Edit(usize, &'static str),
    React(usize, &'static str),
    Answer(usize, &'static str),
    /// Taken back.
    TakeBack(usize),
    /// A file with a thumbnail.
    File(&'static str),
}

use Write::{Answer, Edit, File, React, Reword, TakeBack, Text};

/// Rooms by number, and what is written there.
pub(super) const SCRIPT: [(usize, Write); 20] = [
    (0, Text("The boat leaves at nine.")),
    (1, Text("Who has the key to the shed?")),
    (2, Text("Rehearsal moves to Thursday.")),
    (3, Text("The pump is dry again.")),
    (0, Text("Bring coats.")),
    (1, React(1, "👀")),
    (0, Edit(4, "Bring coats and hats.")),
    (2, Text("I can bring the scores.")),
    (3, Text("I order the part todya.")),
    (3, Reword(8, "I order the part today.")),
    (1, Text("Milk, eggs, flour")),
    (1, TakeBack(10)),
    (1, Answer(1, "Found it: it hung in the hall.")),
    (2, File("poster.png")),
    (2, Text("That is the poster.")),
    (0, Text("The ferry back is at six.")),
    (3, Text("Part 4411-B, to be precise.")),
    (0, Text("See you there!")),
    (1, Text("I lock up now.")),
    (2, Answer(2, "Thursday at seven, that is.")),
];

impl Write {
    /// How the story calls it.
    pub(super) fn name(self) -> String {
        match self {
            Text(body) => format!("“{body}”"),
            Reword(of, _) => format!("other words for {}", SCRIPT[of].1.name()),
            Edit(of, _) => format!("the edit of {}", SCRIPT[of].1.name()),
            React(to, key) => format!("the {key} for {}", SCRIPT[to].1.name()),
            Answer(to, _) => format!("the answer to {}", SCRIPT[to].1.name()),
            TakeBack(of) => format!("taking back {}", SCRIPT[of].1.name()),
            File(name) => format!("the file {name}"),
        }
    }
}

/// The rooms of the model homeserver.
pub(super) fn rooms() -> Result<Vec<RoomId>> {
    let ids = ROOMS.into_iter().map(|name| RoomId::new(format!("!{name}:haos.demo")));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The session that writes there.
pub(super) fn session() -> Result<Session> {
    Ok(Session { user: UserId::new("@ada:haos.demo")?, device: "phone".to_owned() })
}

/// The bytes of a file: the same in every process.
pub(super) fn bytes(size: usize) -> Vec<u8> {
    let mut chance = Chance::new(size as u64);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend(chance.bits().to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_a_text_comes_after_it_in_its_room() {
        for (at, (room, write)) in SCRIPT.into_iter().enumerate() {
            let of = match write {
                Reword(of, _) | Edit(of, _) | React(of, _) | Answer(of, _) | TakeBack(of) => of,
                Text(_) | File(_) => continue,
            };
            assert!(of < at && SCRIPT[of].0 == room && matches!(SCRIPT[of].1, Text(_)), "{at}");
        }
        assert!(SCRIPT.iter().all(|(room, _)| *room < ROOMS.len()));
        assert_eq!((bytes(13).len(), bytes(FILE).len()), (13, FILE));
    }
}
