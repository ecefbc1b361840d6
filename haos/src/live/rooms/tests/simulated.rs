//! Random scripts of commits: what subscribers have is what a fresh list shows.

use std::collections::BTreeMap;

use haos_backends::{Backend, Home};
use haos_store_api::{ParkReason, PendingState, Redact};
use proptest::prelude::*;

use super::*;

/// A step of a script: a number that chooses what is done, and three that choose with what.
type Step = [u8; 4];

const MUTED: &str = r#"{"global":{"override":[{"conditions":[{"kind":"event_match","key":"room_id","pattern":"!ROOM"}],"actions":[]}]}}"#;
const KINDS: [&str; 4] = ["m.room.message", "m.room.message", "m.reaction", "m.room.topic"];

fn filters() -> Vec<(RoomFilter, usize)> {
    let space = room_id("!0");
    vec![
        (RoomFilter::joined(), 1),
        (RoomFilter::joined(), 4),
        (RoomFilter::all(), 50),
        (RoomFilter::invites(), 2),
        (RoomFilter::joined().favourites(), 2),
        (RoomFilter::all().direct(), 2),
        (RoomFilter::joined().unread(), 2),
        (RoomFilter::all().space(&space).named("a"), 4),
        (RoomFilter::all().spaces(), 1),
    ]
}

/// Plays a script step by step. Positions, ids and times come from the number of the step.
struct Player {
    world: World,
    batch: WriteBatch,
    at: u64,
}

impl Player {
    fn commit(&mut self, step: Step) {
        let [what, a, b, c] = step;
        let id = format!("!{}", a % 24);
        let (at, batch) = (self.at, &mut self.batch);
        let txn_id = TxnId::new(format!("t{}", b % 4)).unwrap();
        match what % 18 {
            0..=2 => drop(batch.put_room(made(&id, b, c))),
            3 => drop(batch.remove_room(room_id(&id))),
            4 | 5 => {
                let made = message(&id, at, sender(b), KINDS[usize::from(c) % 4], r#"{"body":"hi"}"#);
                let state_key = (made.kind.as_str() == "m.room.topic").then(|| StateKey::new("").unwrap());
                batch.put_message(Message { state_key, ..made });
            }
            6 => {
                let target = format!("${}", at.saturating_sub(u64::from(c % 6)));
                batch.put_message(edit(&id, at, sender(b), &target, "edited"));
            }
            7 => {
                let target = event_id(&format!("${}", at.saturating_sub(u64::from(c % 6))));
                let by = event_id(&format!("$by{at}"));
                batch.redact(Redact { room: room_id(&id), target, by, content: Json::empty() });
            }
            8 => match c % 4 {
                0 => drop(batch.put_state(account("haos.tags", &id, r#"{"tags":{}}"#))),
                1 => drop(batch.put_state(favourite(&id, "{}"))),
                _ => drop(batch.put_state(favourite(&id, &format!(r#"{{"order":0.{}}}"#, b % 3)))),
            },
            9 => {
                let direct = format!(r#"{{"@a":["{id}","!{}"],"@me":["!{}"]}}"#, b % 24, c % 24);
                batch.put_state(account("m.direct", "", &direct));
            }
            10 => drop(batch.put_state(account("m.push_rules", "", &MUTED.replace("!ROOM", &id)))),
            11 => {
                let marked = format!(r#"{{"unread":{}}}"#, b.is_multiple_of(2));
                batch.put_state(account("haos.marked_unread", &id, &marked));
            }
            12 => {
                let row = written(&id, txn_id.as_str(), "unsent");
                let state =
                    [PendingState::Queued, PendingState::Parked(ParkReason::Forbidden)][usize::from(c) % 2];
                batch.put_pending(Pending { state, ..row });
            }
            13 => {
                let target = Some(event_id(&format!("${}", at.saturating_sub(u64::from(c % 6)))));
                batch.put_pending(Pending {
                    target,
                    ..pending(&id, txn_id.as_str(), "m.room.redaction", "{}")
                });
            }
            14 => {
                batch.remove_pending(txn_id.clone());
                if c.is_multiple_of(2) {
                    batch.put_message(Message { txn_id: Some(txn_id), ..text(&id, at, "@me", "sent") });
                }
            }
            15 => match b % 2 {
                0 => drop(batch.put_state(in_room(&id, "haos.draft", "", r#"{"body":"hm"}"#))),
                _ => drop(batch.remove_state(
                    Scope::Room(room_id(&id)),
                    kind("haos.draft"),
                    StateKey::new("").unwrap(),
                )),
            },
            16 => drop(batch.put_state(member(&id, sender(b), ["Ada", "Bob"][usize::from(c) % 2]))),
            _ => {
                let typing = BTreeMap::from([(room_id(&id), vec![user(sender(b)), user("@me")])]);
                self.world.typing.send_replace(Arc::new(typing));
                let me = [Some("@me"), Some("@a"), None][usize::from(c).min(2)];
                self.world.me.send_replace(me.map(user));
            }
        }
        self.at += 1;
    }

    /// Applies what was gathered; a script may ask for what a store refuses, such as a message of no room.
    async fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        drop(self.world.base.store.apply(batch).await);
    }
}

fn sender(number: u8) -> &'static str {
    ["@a", "@me", "@b"][usize::from(number) % 3]
}

fn made(id: &str, b: u8, c: u8) -> Room {
    let membership =
        [Membership::Join, Membership::Join, Membership::Join, Membership::Invite, Membership::Leave];
    Room {
        membership: membership[usize::from(b) % 5],
        name: (!c.is_multiple_of(3)).then(|| ["Ada", "Team Ada", "Zoe"][usize::from(b) % 3].to_owned()),
        kind: (id == "!0" || c.is_multiple_of(11)).then(|| kind("m.space")),
        spaces: if b.is_multiple_of(2) { vec![room_id("!0")] } else { Vec::new() },
        unread: Unread { notifications: u64::from(c % 3 / 2), highlights: 0 },
        ..room(id, i64::from(b / 10))
    }
}

async fn play(
    store: Arc<dyn StorageAdapter>,
    script: Vec<Step>,
    kept: usize,
    settle_every: usize,
    together: usize,
) {
    let world = World::over(Arc::new(Forgetful::new(store, kept)));
    let mut player = Player { world, batch: WriteBatch::relaxed(), at: 1 };
    for n in 0..20_u8 {
        player.batch.put_room(made(&format!("!{n}"), 10 * n, 1));
    }
    player.flush().await;
    let mut lists: Vec<_> = filters()
        .into_iter()
        .map(|(filter, window)| (filter.clone(), window, player.world.list(filter)))
        .collect();
    let mut mirrors = Vec::new();
    for (_, window, list) in &mut lists {
        *list = list.clone().window(*window);
        mirrors.push(Mirror::of(list).await);
    }
    for (nth, step) in script.iter().enumerate() {
        player.commit(*step);
        if nth % together == 0 {
            player.flush().await;
        }
        if step[3] == 255 {
            lists[0].1 += 1;
            lists[0].2.more(1).await.unwrap();
        }
        if nth % settle_every != 0 && nth + 1 != script.len() {
            continue;
        }
        player.flush().await;
        for ((filter, window, list), mirror) in lists.iter().zip(&mut mirrors) {
            let fresh = player.world.list(filter.clone()).window(*window);
            let expected = fresh.now().await.unwrap();
            mirror.reach(&expected).await;
            assert_eq!(list.now().await.unwrap(), expected, "{filter:?}, after step {nth}");
            assert_eq!(list.has_more().await.unwrap(), fresh.has_more().await.unwrap());
            assert_eq!(mirror.catch_up(), 0, "nothing is told twice");
        }
    }
}

/// Plays a share of the scripts that `HAOS_SEEDS` asks for (2000); where the feed keeps few changes, subscribers start
/// over.
fn scripts(backend: Backend, sealed: bool, share: u32) {
    let cases = std::env::var("HAOS_SEEDS").map_or(2000, |seeds| seeds.parse::<u32>().unwrap());
    let config = ProptestConfig {
        cases: (cases / share).max(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let script = proptest::collection::vec(any::<Step>(), 1..60);
    let pace = (prop_oneof![Just(2_usize), Just(1_024)], 1..9_usize, 1..4_usize);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    proptest!(config, |(script in script, (kept, settle, together) in pace)| {
        runtime.block_on(async {
            let mut home = Home::new(backend, sealed);
            let store = home.open().await;
            play(store.clone(), script, kept, settle, together).await;
            store.close().await.unwrap();
        });
    });
}

#[test]
fn a_mirror_is_the_list_whatever_happens_in_memory() {
    scripts(Backend::Memory, false, 1);
}

#[test]
fn a_mirror_is_the_list_whatever_happens_in_sqlite() {
    scripts(Backend::Sqlite, false, 20);
}

#[test]
fn a_mirror_is_the_list_whatever_happens_in_a_sealed_store() {
    scripts(Backend::Sqlite, true, 20);
}
