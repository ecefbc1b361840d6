use std::collections::BTreeMap;
use std::time::Instant;

use haos_e2e::{Plain, Synapse, SynapseOptions};
use tokio::task::JoinSet;

/// The password of the user.
pub(crate) const PASSWORD: &str = "secret";
/// The newest events of a room that a sync brings.
pub(crate) const LIMIT: u32 = 20;
const ROOMS: usize = 40;
/// The number of messages in rooms 0, 4, 8 …, in rooms 1, 5, 9 … and so on: little, as much as a sync brings, one
/// more, and much. 1000 in all.
const SAID: [usize; 4] = [3, 20, 21, 56];
/// Rooms in which somebody speaks at the same time.
const AT_ONCE: usize = 4;

/// A server with a user in many rooms.
pub(crate) struct Scene {
    pub(crate) synapse: Synapse,
    pub(crate) ada: Plain,
    pub(crate) rooms: Vec<String>,
    /// The messages of each room, in order.
    pub(crate) truth: BTreeMap<String, Vec<String>>,
    /// How much of it the devices had when they went offline.
    pub(crate) known: BTreeMap<String, usize>,
    said: usize,
    /// How often something was said since the devices went offline.
    times: usize,
}

impl Scene {
    pub(crate) async fn set() -> Self {
        let synapse = Synapse::start(SynapseOptions::default()).await.unwrap();
        let ada = Plain::register(synapse.address(), "ada", PASSWORD).await.unwrap();
        let mut rooms = Vec::new();
        for n in 0..ROOMS {
            rooms.push(ada.create_room(&format!("Room {n}"), &[]).await.unwrap());
        }
        let (truth, known) = (BTreeMap::new(), BTreeMap::new());
        let mut scene = Self { synapse, ada, rooms, truth, known, said: 0, times: 0 };
        scene.say(|_| 1).await;
        scene.known = scene.truth.iter().map(|(room, events)| (room.clone(), events.len())).collect();
        scene
    }

    /// Lets things happen while the devices are offline.
    pub(crate) async fn go_on(&mut self) {
        let began = Instant::now();
        self.times = 0;
        self.say(|room| SAID[room % SAID.len()]).await;
        println!("{:.0?}: {} messages in {ROOMS} rooms", began.elapsed(), self.said - ROOMS);
    }

    /// Says as much in each room as `how_much` has for its number.
    pub(crate) async fn say(&mut self, how_much: impl Fn(usize) -> usize) {
        self.times += 1;
        let mut speakers = JoinSet::new();
        for (n, room) in self.rooms.iter().enumerate() {
            let (ada, room, count, first) = (self.ada.clone(), room.clone(), how_much(n), self.said);
            if count == 0 {
                continue;
            }
            self.said += count;
            if speakers.len() >= AT_ONCE {
                speakers.join_next().await.unwrap().unwrap();
            }
            speakers.spawn(async move {
                for number in first..first + count {
                    ada.send_text(&room, &format!("t{number}"), &format!("message {number}")).await.unwrap();
                }
            });
        }
        while let Some(done) = speakers.join_next().await {
            done.unwrap();
        }
        for (n, room) in self.rooms.iter().enumerate() {
            if how_much(n) > 0 {
                let history = self.ada.history(room).await.unwrap();
                let ids = history.into_iter().map(|happening| happening.event_id).collect();
                self.truth.insert(room.clone(), ids);
            }
        }
    }

    /// In how many syncs at most something of a room was left out, by what the server said, since the devices
    /// went offline: a sync that leaves something out brings as much as it may, and each time that more was said
    /// it may end.
    pub(crate) fn left_out(&self, room: &str) -> usize {
        let missed = self.truth[room].len() - self.known[room];
        (missed / LIMIT as usize).min(self.times)
    }
}
