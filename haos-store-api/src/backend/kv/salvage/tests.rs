use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::super::apply;
use super::super::tree::{Map, Pair, Span};
use super::*;
use crate::conformance::durable::{gap, message, pending, room, room_id, sample, state};

/// A map some of whose keys cannot be read, in either way.
struct Damaged {
    map: Map,
    bad: BTreeSet<Arc<[u8]>>,
    panics: bool,
}

impl Damaged {
    fn look(&self, key: &[u8]) -> Result<()> {
        match self.bad.contains(key) {
            true if self.panics => panic!("as sled does"),
            true => Err(super::super::corrupt("test", "a bad key")),
            false => Ok(()),
        }
    }
}

impl Tree for Damaged {
    type Bytes = Arc<[u8]>;

    fn get(&self, operation: &'static str, key: &[u8]) -> Result<Option<Arc<[u8]>>> {
        self.look(key)?;
        Tree::get(&self.map, operation, key)
    }

    fn scan(
        &self,
        operation: &'static str,
        span: Span,
    ) -> impl DoubleEndedIterator<Item = Result<Pair<Arc<[u8]>>>> {
        self.map.scan(operation, span).map(|pair| {
            let pair = pair?;
            self.look(&pair.0)?;
            Ok(pair)
        })
    }
}

fn store(map: &mut Map, layer: Layer<Arc<[u8]>>) {
    for (key, value) in layer.into_changes() {
        match value {
            Some(value) => drop(map.insert(key.into(), value)),
            None => drop(map.remove(key.as_slice())),
        }
    }
}

/// Makes a tree of the sample and a long room.
fn made(codec: &Codec) -> Map {
    let mut map = Map::new();
    let mut batch = sample();
    batch.put_room(room("long")).put_gap(gap("long", 501, "token"));
    for n in 0..300 {
        batch.put_message(message("long", &format!("l{n}"), 2 * n));
    }
    for n in 0..40 {
        batch.put_pending(pending("b", &format!("more{n}")));
        batch.put_state(state(Scope::Room(room_id("long")), "m.room.member", &format!("@{n}"), "{}"));
    }
    let mut layer = Layer::new(Head::default());
    apply(&map, codec, &mut layer, &batch).unwrap();
    store(&mut map, layer);
    map
}

/// Carries everything readable over.
fn carried(from: &Damaged, codec: &Codec) -> (Map, Salvage) {
    let (to, mut written, mut found) = (Map::new(), Map::new(), Salvage::default());
    let reader = Reader::new(from, codec, "test");
    let head = salvage(reader, &to, Head::default(), &mut found, &mut |layer| {
        store(&mut written, layer);
        Ok(())
    });
    let layer = finish(&written, codec, head.unwrap(), &found).unwrap();
    store(&mut written, layer);
    (written, found)
}

fn rows(map: &Map, tag: u8) -> BTreeSet<Vec<u8>> {
    map.keys().filter(|key| key[0] == tag).map(|key| named(map, key)).collect()
}

/// Names a room by its key: its number may be another one in another tree.
fn named(map: &Map, key: &[u8]) -> Vec<u8> {
    if ![keys::MESSAGE, keys::EVENT, keys::GAP].contains(&key[0]) {
        return key.to_vec();
    }
    let room = [&[keys::NUMBER], &key[1..5]].concat();
    [&key[..1], &map[room.as_slice()], &key[5..]].concat()
}

#[test]
fn a_sound_tree_comes_over_whole() {
    let codec = Codec::plain();
    let map = made(&codec);
    let (written, found) =
        carried(&Damaged { map: map.clone(), bad: BTreeSet::new(), panics: false }, &codec);
    for tag in [keys::MESSAGE, keys::EVENT, keys::GAP, keys::ROOM, keys::PENDING, keys::STATE, keys::MEDIA] {
        assert_eq!(rows(&written, tag), rows(&map, tag), "{tag}");
    }
    assert!(found.collections().iter().all(|(_, counts)| counts.unreadable == 0), "{found:?}");
    assert!(!found.forgets_token());
}

#[test]
fn a_room_whose_row_is_lost_keeps_its_messages() {
    let codec = Codec::plain();
    let map = made(&codec);
    let bad = keys::room(&codec.room_key(&room_id("long")));
    let (written, found) =
        carried(&Damaged { map: map.clone(), bad: [bad.into()].into(), panics: true }, &codec);
    assert_eq!(rows(&written, keys::MESSAGE).len(), rows(&map, keys::MESSAGE).len());
    assert!(found.forgets_token(), "the next sync brings the row");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// The damage of any keys costs the rows of these keys, and no other.
    #[test]
    fn damage_costs_what_was_damaged(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12), panics: bool,
    ) {
        let codec = Codec::plain();
        let map = made(&codec);
        let tags = [keys::MESSAGE, keys::PENDING, keys::EVENT];
        let all: Vec<Arc<[u8]>> = map.keys().filter(|key| tags.contains(&key[0])).cloned().collect();
        let bad: BTreeSet<_> = picks.iter().map(|pick| pick.get(&all).clone()).collect();
        let lost = |tag| bad.iter().filter(|key| key[0] == tag).map(|key| named(&map, key)).collect::<BTreeSet<_>>();
        let index_is_sound = lost(keys::EVENT).is_empty();
        let (written, found) = carried(&Damaged { map: map.clone(), bad: bad.clone(), panics }, &codec);
        for tag in [keys::MESSAGE, keys::PENDING] {
            let expected: BTreeSet<_> = rows(&map, tag).difference(&lost(tag)).cloned().collect();
            if tag == keys::PENDING || index_is_sound {
                prop_assert_eq!(rows(&written, tag), expected);
            } else {
                prop_assert!(rows(&written, tag).is_subset(&expected));
            }
        }
        let counts = found.collections();
        prop_assert_eq!(counts[1].1.rows, rows(&written, keys::MESSAGE).len() as u64);
        prop_assert_eq!(counts[1].1.rows + counts[1].1.unreadable, rows(&map, keys::MESSAGE).len() as u64);
        prop_assert_eq!(counts[3].1.rows + counts[3].1.unreadable, rows(&map, keys::PENDING).len() as u64);
    }
}
