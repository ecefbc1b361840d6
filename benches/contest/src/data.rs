use std::path::Path;

use serde::{Deserialize, Serialize};

/// A message of the data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The number of its room.
    pub room: usize,
    /// Its place there, from 0.
    pub position: u64,
    /// The event's id.
    pub id: String,
    /// Its sender.
    pub sender: String,
    /// The server's time.
    pub timestamp_ms: i64,
    /// The content, as JSON.
    pub content: String,
    /// The message whose thread it is in.
    pub target: Option<String>,
}

/// Messages with the texts of the captured history: a dozen languages, as long and as short as people write.
#[derive(Debug)]
pub struct Data {
    texts: Vec<String>,
    rooms: usize,
}

/// One message in this number answers another.
const ANSWERS: usize = 12;

/// The id of a room.
pub fn room_id(room: usize) -> String {
    format!("!{:016x}{room}:example.org", noise(room as u64))
}

/// 64 bits that look like chance: the finish of splitmix64.
fn noise(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) ^ (n >> 31)
}

impl Data {
    /// Reads the texts; messages go to this number of rooms in turns.
    ///
    /// # Panics
    /// Without the captures of this repository.
    pub fn load(rooms: usize) -> Self {
        let file = "../../fixtures/matrix/big/initial_sync_unlimited.json.zst";
        let file = std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
        let sync = zstd::decode_all(file.expect("the fixtures are there")).expect("a capture is whole");
        let sync: serde_json::Value = serde_json::from_slice(&sync).expect("a capture is JSON");
        let mut texts = Vec::new();
        collect(&sync, &mut texts);
        Self { texts, rooms }
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms
    }

    /// The id of message `n`.
    pub fn id(&self, n: usize) -> String {
        format!("${:016x}{:016x}{n:011}", noise(n as u64), noise(!(n as u64)))
    }

    /// Message `n` of all: they go to the rooms in turns.
    pub fn message(&self, n: usize) -> Made {
        let target =
            n.checked_sub(3 * self.rooms).filter(|_| (noise(n as u64) as usize).is_multiple_of(ANSWERS));
        self.made(n, n % self.rooms, (n / self.rooms) as u64, target.map(|n| self.id(n)))
    }

    /// Message `n`, at a place of its own; it answers nothing.
    pub fn message_at(&self, n: usize, room: usize, position: u64) -> Made {
        self.made(n, room, position, None)
    }

    fn made(&self, n: usize, room: usize, position: u64, target: Option<String>) -> Made {
        let chance = noise(n as u64 ^ 0x5555);
        let text = &self.texts[(chance >> 8) as usize % self.texts.len()];
        let relates = target.as_ref().map_or_else(String::new, |id| {
            format!(r#","m.relates_to":{{"rel_type":"m.thread","event_id":"{id}"}}"#)
        });
        let text = serde_json::Value::from(text.as_str());
        Made {
            room,
            position,
            id: self.id(n),
            sender: format!("@user{}:example.org", chance % 97),
            timestamp_ms: 1_795_000_000_000 + n as i64 * 250,
            content: format!(r#"{{"msgtype":"m.text","body":{text}{relates}}}"#),
            target,
        }
    }
}

fn collect(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            if let Some(text) = fields.get("body").and_then(serde_json::Value::as_str) {
                texts.push(text.to_owned());
            }
            fields.values().for_each(|value| collect(value, texts));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_makes_the_same_and_answers_are_about_what_is_there() {
        let data = Data::load(7);
        let again = Data::load(7);
        let mut answers = 0;
        for n in 0..2_000 {
            let made = data.message(n);
            assert_eq!(made, again.message(n));
            assert_eq!((made.room, made.position), (n % 7, n as u64 / 7));
            if let Some(target) = &made.target {
                answers += 1;
                assert_eq!(*target, data.id(n - 21), "of the same room");
                assert!(made.content.contains(target.as_str()), "{}", made.content);
            }
            assert!(serde_json::from_str::<serde_json::Value>(&made.content).is_ok(), "{}", made.content);
        }
        assert!((100..250).contains(&answers), "{answers}");
    }
}
