use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use haos_e2e::screen::{Deed, ScreenCommand as C};
use serde_json::{Value, json};

use crate::chance::Chance;
use crate::scene::Scene;

const KEYS: [&str; 4] = ["👍", "🎉", "❤️", "no"];
/// More than a sync brings of a room, and than a page of history has.
const FLOOD: usize = 22;
/// What the server has of a connection that ended is done by then.
const UNDER_WAY: Duration = Duration::from_millis(200);

/// What is done, by chance of the seed.
pub(crate) struct Script {
    pub(crate) scene: Scene,
    pub(crate) began: Instant,
    chance: Chance,
    said: usize,
    /// Who was put out of which room, by their numbers.
    out: HashSet<(usize, usize)>,
    /// The texts that a chat has taken, by the id of the item, and those of them that were touched since.
    pub(crate) taken: BTreeMap<String, String>,
    pub(crate) touched: HashSet<String>,
    pub(crate) counts: BTreeMap<&'static str, usize>,
}

/// Weights of what is done.
const DEEDS: [(&str, usize); 17] = [
    ("text", 22),
    ("reply", 9),
    ("edit", 12),
    ("react", 11),
    ("unreact", 5),
    ("redact", 6),
    ("file", 3),
    ("read", 4),
    ("cora speaks", 5),
    ("rename", 2),
    ("older", 4),
    ("offline", 4),
    ("online", 3),
    ("flood", 2),
    ("kick", 3),
    ("rejoin", 2),
    ("kill", 3),
];

impl Script {
    pub(crate) async fn begin(seed: u64) -> Self {
        Self {
            scene: Scene::set().await,
            began: Instant::now(),
            chance: Chance::new(seed, 5),
            said: 0,
            out: HashSet::new(),
            taken: BTreeMap::new(),
            touched: HashSet::new(),
            counts: BTreeMap::new(),
        }
    }

    pub(crate) async fn play(&mut self, actions: usize) {
        let total: usize = DEEDS.iter().map(|(_, weight)| weight).sum();
        for _ in 0..actions {
            let mut at = self.chance.below(total);
            let mut deeds = DEEDS.iter();
            let name = loop {
                let (name, weight) = deeds.next().unwrap();
                match at.checked_sub(*weight) {
                    Some(rest) => at = rest,
                    None => break *name,
                }
            };
            *self.counts.entry(name).or_default() += 1;
            let (person, room) = (self.chance.below(2), self.chance.below(self.scene.rooms.len()));
            self.act(name, person, room).await;
            tokio::time::sleep(Duration::from_millis(self.chance.below(60) as u64)).await;
        }
        println!("{:.0?}: {actions} actions: {:?}", self.began.elapsed(), self.counts);
    }

    async fn act(&mut self, name: &str, person: usize, nr: usize) {
        let room = self.scene.rooms[nr].clone();
        match name {
            "text" => self.deed(person, &room, Deed::Text).await,
            "reply" => self.deed(person, &room, Deed::Reply).await,
            "edit" => self.deed(person, &room, Deed::Edit).await,
            "react" => self.deed(person, &room, Deed::React).await,
            "unreact" => self.deed(person, &room, Deed::Unreact).await,
            // Ada may take back whatever anybody wrote.
            "redact" if person == 0 && self.chance.below(2) == 0 => {
                self.deed(person, &room, Deed::Moderate).await;
            }
            "redact" => self.deed(person, &room, Deed::Redact).await,
            "file" => self.deed(person, &room, Deed::File).await,
            "read" => drop(self.scene.people[person].must(C::Read { room }).await),
            "cora speaks" => self.cora_acts(&room).await,
            "rename" => self.rename(person).await,
            "older" => drop(self.scene.people[person].must(C::Older { room, want: 20 }).await),
            "offline" => self.scene.people[person].offline(true).await,
            "online" => self.scene.people[person].offline(false).await,
            "flood" => self.flood(&room, self.scene.people[person].is_offline).await,
            "kick" => self.kick(person, nr).await,
            "rejoin" => {
                if let Some((person, nr)) = self.out.iter().min().copied() {
                    self.rejoin(person, nr).await;
                }
            }
            _ => self.kill(person, &room).await,
        }
    }

    fn line(&mut self, who: &str) -> String {
        self.said += 1;
        format!("{who} {}", self.said)
    }

    /// What is said in a deed.
    fn words(&mut self, person: usize, deed: Deed) -> String {
        let line = self.line(self.scene.people[person].name);
        match deed {
            Deed::React => KEYS[self.chance.below(KEYS.len())].to_owned(),
            Deed::File => {
                let path = self.scene.folder.path().join(format!("{line}.bin"));
                std::fs::write(&path, line.repeat(1 + self.chance.below(20_000))).unwrap();
                path.to_string_lossy().into_owned()
            }
            _ => line,
        }
    }

    async fn deed(&mut self, person: usize, room: &str, deed: Deed) {
        let (text, pick) = (self.words(person, deed), self.chance.below(1000) as u64);
        let command = C::Act { room: room.to_owned(), deed, pick, text: text.clone() };
        let done = self.scene.people[person].must(command).await;
        self.note(deed, text, &done);
    }

    fn note(&mut self, deed: Deed, text: String, done: &Value) {
        let Some(item) = done["item"].as_str() else { return };
        match deed {
            Deed::Text | Deed::Reply => drop(self.taken.insert(item.to_owned(), text)),
            Deed::Edit | Deed::Redact | Deed::Moderate => drop(self.touched.insert(item.to_owned())),
            _ => {}
        }
    }

    /// Kills a chat while it is given something to do.
    async fn kill(&mut self, person: usize, room: &str) {
        let deed = [Deed::Text, Deed::Edit, Deed::React, Deed::Unreact][self.chance.below(4)];
        let (text, pick) = (self.words(person, deed), self.chance.below(1000) as u64);
        let wait = Duration::from_millis(self.chance.below(40) as u64);
        let command = C::Act { room: room.to_owned(), deed, pick, text: text.clone() };
        let whoever = &self.scene.people[person];
        let done = tokio::time::timeout(wait, whoever.call(command)).await;
        self.scene.people[person].kill().await;
        match done {
            Ok(done) => self.note(deed, text, &done.unwrap()),
            // Whatever it was about may be other than it was.
            Err(_) if deed == Deed::Edit => self.touched.extend(self.taken.keys().cloned()),
            Err(_) => {}
        }
    }

    /// Somebody has another name. Meanwhile nothing of theirs is sent: it is by the one name or the other.
    async fn rename(&mut self, person: usize) {
        let was_offline = self.scene.people[person].is_offline;
        self.scene.people[person].offline(true).await;
        tokio::time::sleep(UNDER_WAY).await;
        let name = match self.chance.below(4) {
            0 => self.scene.people[person].name.to_owned(),
            _ => format!("Name {}", self.said),
        };
        let plain = &self.scene.people[person].plain;
        let (user, body) = (plain.user_id(), json!({ "displayname": name }));
        plain.call("PUT", &["profile", user, "displayname"], &body).await.unwrap();
        for (nr, room) in self.scene.rooms.iter().enumerate() {
            let is_in = !self.out.contains(&(person, nr));
            let member = ["rooms", room, "state", "m.room.member", user];
            let is_told = async || {
                let told = plain.call("GET", &member, &Value::Null).await.unwrap();
                told["displayname"] == name.as_str()
            };
            if is_in {
                haos_e2e::until("a new name is told", is_told).await.unwrap();
            }
        }
        self.scene.people[person].offline(was_offline).await;
    }

    /// Somebody without a chat does something, too.
    async fn cora_acts(&mut self, room: &str) {
        let line = self.line("cora");
        let cora = &self.scene.cora;
        cora.send_text(room, &line, &line).await.unwrap();
        let messages = cora.messages(room).await.unwrap();
        let target = messages[messages.len() - 1 - self.chance.below(messages.len().min(8))].event_id.clone();
        let own = messages.iter().rev().find(|message| message.sender == cora.user_id()).unwrap();
        let txn = format!("{line} more");
        match self.chance.below(4) {
            0 => {
                let relates = json!({ "rel_type": "m.annotation", "event_id": target, "key": KEYS[0] });
                // Once a message.
                let sent = cora.send(room, "m.reaction", &txn, &json!({ "m.relates_to": relates })).await;
                assert!(sent.is_ok() || sent.is_err_and(|e| e.status() == Some(400)));
            }
            1 => {
                let new = json!({ "msgtype": "m.text", "body": format!("{line} anew") });
                let relates = json!({ "rel_type": "m.replace", "event_id": own.event_id });
                let edit = json!({ "msgtype": "m.text", "body": "*", "m.new_content": new, "m.relates_to": relates });
                cora.send(room, "m.room.message", &txn, &edit).await.unwrap();
            }
            2 => {
                let relates = json!({ "m.in_reply_to": { "event_id": target } });
                let reply = json!({ "msgtype": "m.text", "body": txn, "m.relates_to": relates });
                cora.send(room, "m.room.message", &txn, &reply).await.unwrap();
            }
            _ => {}
        }
    }

    async fn flood(&mut self, room: &str, is_wanted: bool) {
        for _ in 0..if is_wanted { FLOOD } else { 2 } {
            let line = self.line("cora");
            self.scene.cora.send_text(room, &line, &line).await.unwrap();
        }
    }

    /// Ada, where she can, or Cora puts somebody out.
    ///
    /// Ada stays where Bert is out: where a message was under way meanwhile, the server resolves two states, applies
    /// Cora's kick of Ada before Ada's of Bert, since Cora has more power, and Bert is in the room again.
    async fn kick(&mut self, person: usize, nr: usize) {
        if person == 0 && self.out.contains(&(1, nr)) || !self.out.insert((person, nr)) {
            return;
        }
        let (room, user) = (self.scene.rooms[nr].clone(), self.scene.people[person].user().to_owned());
        if person == 1 && !self.scene.people[0].is_offline && !self.out.contains(&(0, nr)) {
            self.scene.people[0].must(C::Remove { room, user }).await;
        } else {
            self.scene.cora.kick(&room, &user).await.unwrap();
        }
    }

    async fn rejoin(&mut self, person: usize, nr: usize) {
        let (room, user) = (self.scene.rooms[nr].clone(), self.scene.people[person].user().to_owned());
        self.scene.cora.invite(&room, &user).await.unwrap();
        if self.scene.people[person].is_offline {
            self.scene.people[person].offline(false).await;
        }
        self.scene.people[person].must(C::Enter { room }).await;
        self.out.remove(&(person, nr));
    }

    /// Everybody is online and in every room.
    pub(crate) async fn gather(&mut self) {
        for person in &mut self.scene.people {
            person.offline(false).await;
        }
        let mut out: Vec<_> = self.out.iter().copied().collect();
        out.sort_unstable();
        for (person, nr) in out {
            self.rejoin(person, nr).await;
        }
    }
}
