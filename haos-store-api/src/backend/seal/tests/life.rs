//! No two seals of a store's life share a key and a nonce: over batches, rotations, reopenings, copies of the
//! keyring, clones and threads.

use std::collections::{HashMap, HashSet};

use super::super::data_key::DataKey;
use super::super::nonce::Source;
use super::*;

/// Runs everything that seals, once: rows of each collection, padded and not, moved ones and resealed ones.
fn seals(ring: &Keyring, nth: u32) -> Vec<Vec<u8>> {
    let codec = Codec::sealed(ring.clone());
    let padded = codec.clone().padded(Padding::Buckets);
    let (revision, text) = (Revision(3), nth.to_string());
    let room = RoomId::new(format!("!{text}")).unwrap();
    let position = Position::FIRST;
    let gap = Gap { room: room.clone(), position, token: Some(text.clone()), revision };
    let pending = Pending::new(
        TxnId::new(text.clone()).unwrap(),
        room.clone(),
        EventType::new("m.x").unwrap(),
        Json::empty(),
        0,
    );
    let media = MediaInfo {
        key: MediaKey {
            uri: MediaUri::new(format!("mxc://h/{text}")).unwrap(),
            format: MediaFormat::new("").unwrap(),
        },
        size: 5,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: 1,
        fetched_at_ms: 1,
        pinned: false,
    };
    let message = Message { room: room.clone(), ..message() };
    let row = codec.message_row(&message, revision).unwrap();
    let columns = MessageColumns { position, timestamp_ms: 5, written: revision, links: row.links() };
    let key = codec.room_key(&room);
    let move_to = |to| codec.moved_message(&key, &row.key, columns, to, row.payload.as_bytes());
    let moved = [1, 2].map(|n| move_to(position.newer(n).unwrap()).unwrap().unwrap());
    let chunks = [0, 1].map(|index| codec.chunk_row(nth.into(), index, b"bytes").unwrap().payload);
    let mut payloads = vec![
        codec.room_row(&Room::new(room, Membership::Join)).unwrap().payload,
        codec.gap_row(&gap).unwrap().payload,
        codec.pending_row(&pending).unwrap().payload,
        codec.media_row(&media, 1, revision).unwrap().payload,
        codec.state_row(&entry(nth), revision).unwrap().payload,
        codec.state_row(&entry(nth), Revision(4)).unwrap().payload,
        padded.chunk_row(nth.into(), 0, b"bytes").unwrap().payload,
        row.payload,
    ];
    payloads.extend(moved.into_iter().chain(chunks));
    payloads.into_iter().map(Payload::into_bytes).collect()
}

/// Returns rows of an older key after sealing them again.
fn resealed(ring: &Keyring, old: &[(u64, Vec<u8>)]) -> Vec<Vec<u8>> {
    let codec = Codec::sealed(ring.clone());
    let anew = |(index, payload): &(u64, Vec<u8>)| {
        codec.resealed(&RowRef::Chunk { blob: 9, index: *index }, payload).unwrap().unwrap().into_bytes()
    };
    old.iter().map(anew).collect()
}

/// Lives a store's life and returns all envelopes: copies of its keyring that know nothing of each other seal the same
/// rows in the same places at once, each in threads of its own, rotate, and are opened again.
fn live(copies: &mut [Keyring], open: &dyn Fn(&[u8]) -> Keyring, rows: u32) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for age in 0..3 {
        let rings = copies.iter().flat_map(|ring| [ring.clone(), ring.clone()]);
        let sealed = std::thread::scope(|scope| {
            let threads: Vec<_> = rings
                .map(|ring| {
                    let sealing = move || (0..rows).flat_map(|n| seals(&ring, n)).collect::<Vec<_>>();
                    scope.spawn(sealing)
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        all.extend(sealed);
        for ring in &mut *copies {
            let old: Vec<_> = (0..20)
                .map(|index| {
                    let chunk = Codec::sealed(ring.clone()).chunk_row(9, index, &[age; 40]);
                    (index, chunk.unwrap().payload.into_bytes())
                })
                .collect();
            take_begun(ring);
            all.extend(resealed(ring, &old));
            all.extend(old.into_iter().map(|(_, payload)| payload));
            ring.adopt(&ring.rotation_ended(ring.sealing_key()).unwrap().unwrap()).unwrap();
            *ring = open(&ring.record().unwrap());
        }
    }
    all
}

#[test]
fn no_two_seals_of_a_stores_life_share_a_key_and_a_nonce() {
    let secret = Secret::key([5; 32]);
    let ring = Keyring::create(&secret, FAST).unwrap();
    let open = |record: &[u8]| Keyring::unlock(record, &secret).unwrap();
    // Two that were unlocked from one record, and the one that made it.
    let mut copies = vec![open(&ring.record().unwrap()), open(&ring.record().unwrap()), ring];
    let all = live(&mut copies, &open, 100);
    assert!(all.len() > 20_000, "{}", all.len());
    // Each copy made a second key of its own; by the number alone the law is stricter.
    let (mut seen, mut keys) = (HashSet::new(), BTreeSet::new());
    for envelope in &all {
        keys.insert(envelope[1..3].to_vec());
        assert!(seen.insert(&envelope[1..15]), "a nonce came twice: {:x?}", &envelope[..15]);
    }
    assert_eq!(keys.len(), 4, "the first key, and one a rotation");
}

/// Also if the system gives the same bytes for ever, as to two machines started from one snapshot: envelopes with the
/// same nonce are the same.
#[test]
fn without_any_chance_only_the_same_seal_has_the_same_nonce() {
    let secret = words("correct horse");
    let ring = keyring();
    let record = ring.record().unwrap();
    let zeros = || {
        Source::of(|bytes: &mut [u8]| {
            bytes.fill(0);
            Ok(())
        })
    };
    let open = |record: &[u8]| Keyring::with_nonces(record, &secret, zeros()).unwrap();
    let mut copies = vec![open(&record), open(&record)];
    let all = live(&mut copies, &open, 20);
    let mut seen: HashMap<&[u8], &[u8]> = HashMap::new();
    for envelope in &all {
        let before = seen.insert(&envelope[3..15], envelope).unwrap_or(envelope);
        assert_eq!(before, envelope, "two different envelopes with one nonce");
    }
    // The copies share their first key alone, under which each row has two threads of two copies.
    let first = seen.values().filter(|envelope| envelope[1..3] == [0, 1]).count();
    let later = seen.len() - first;
    assert!(later > 3 * first, "{first} and {later}");
}

/// The input of a nonce has only one reading.
#[test]
fn a_nonce_tells_the_place_from_the_body() {
    let key = DataKey::new(1, Key32::new([3; 32]));
    let source = Source::of(|_: &mut [u8]| Ok(()));
    let text = [7; 60];
    let nonces: BTreeSet<_> = (0..=text.len())
        .map(|at| source.nonce(key.nonces(), &text[..at], &text[at..]).unwrap())
        .chain([source.nonce(key.nonces(), &text[1..], &[]).unwrap()])
        .collect();
    assert_eq!(nonces.len(), text.len() + 2);
    let other = DataKey::new(1, Key32::new([4; 32]));
    let [a, b] = [key, other].map(|key| source.nonce(key.nonces(), b"place", b"body").unwrap());
    assert_ne!(a, b, "another key");
}

/// A keyring as it is stored: generation, slots, keys under the master key.
type Passphrase = (u32, u32, u32, [u8; 16], Vec<u8>);
type Stored = (u64, (Option<Passphrase>, Vec<(String, Vec<u8>)>), Vec<u8>);

fn stored(record: &[u8]) -> Stored {
    let config = bincode::config::standard();
    let (stored, used) = bincode::serde::decode_from_slice(&record[5..], config).unwrap();
    assert_eq!(used, record.len() - 5);
    stored
}

/// The master key seals the keys again with every change, and each secret's key seals the master key.
#[test]
fn no_two_records_of_a_keyring_share_a_nonce_or_a_salt() {
    let (mut nonces, mut salts, mut wraps) = (BTreeSet::new(), BTreeSet::new(), 0);
    let ring = Keyring::create(&Secret::key([1; 32]), FAST).unwrap();
    let copies = [ring.clone(), Keyring::unlock(&ring.record().unwrap(), &Secret::key([1; 32])).unwrap()];
    for ring in copies {
        for n in 0..40 {
            // The same secrets again and again, under other names or none.
            take(&ring, &KeyChange::AddKey(format!("k{}", n % 5), Secret::key([2; 32])));
            let (_, (_, keys), body) = stored(&ring.record().unwrap());
            let added = &keys.last().unwrap().1;
            wraps += 2;
            nonces.extend([body[..12].to_vec(), added[..12].to_vec()]);
        }
        for _ in 0..3 {
            take(&ring, &KeyChange::SetPassphrase(words("the same words"), FAST));
            let (_, (passphrase, _), body) = stored(&ring.record().unwrap());
            let (_, _, _, salt, master) = passphrase.unwrap();
            wraps += 2;
            nonces.extend([body[..12].to_vec(), master[..12].to_vec()]);
            salts.insert(salt);
        }
        for record in [ring.rotation_begun().unwrap().unwrap(), ring.rotation_begun().unwrap().unwrap()] {
            wraps += 1;
            nonces.insert(stored(&record).2[..12].to_vec());
        }
    }
    assert_eq!((nonces.len(), salts.len()), (wraps, 6));
}
