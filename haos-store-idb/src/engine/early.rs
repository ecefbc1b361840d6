//! What a page shows before any WebAssembly is there: one record beside the rows, which `js/early.js` reads, too.
//!
//! It is a copy of what was shown last, and nothing relies on it. It is shown only if it is this store's, whole, and no
//! newer than the store itself; a sealed store has it sealed, under a key of its own.

use haos_store_api::backend::{Codec, Crc32};
use haos_store_api::{Error, ErrorKind, Json, Op, Padding, Result, Revision, WriteBatch};

/// The most bytes of content: the record stays below 64 KiB, for the reason see `tables::CHUNK`.
pub(crate) const MOST_BYTES: usize = 48 << 10;

/// The purpose that its key is derived for.
pub(crate) const PURPOSE: &str = "haos early";

const PLAIN: u8 = 1;
const SEALED: u8 = 2;
/// `version | revision | id of the store`.
const HEAD: usize = 1 + 8 + 16;

/// What a page shows until the store is open.
#[derive(Debug, Clone)]
pub struct Early {
    /// The latest commit that it may show: those since then it does not.
    pub revision: Revision,
    /// The content.
    pub content: Json,
}

/// Tells whether a batch takes away what a kept record may show.
pub(crate) fn is_erased_by(batch: &WriteBatch) -> bool {
    batch.ops().iter().any(|op| matches!(op, Op::Redact(_) | Op::RemoveMessage(..) | Op::RemoveRoom(_)))
}

/// Encodes the record of a store with this id.
///
/// # Errors
/// `Invalid` if the content is too large.
pub(crate) fn encode(codec: &Codec, id: [u8; 16], revision: Revision, content: &Json) -> Result<Vec<u8>> {
    let content = content.as_str().as_bytes();
    if content.len() > MOST_BYTES {
        let message = format!(
            "what is kept for an early page has {} bytes, over {MOST_BYTES}: keep less",
            content.len()
        );
        return Err(Error::new(ErrorKind::Invalid, "keep", message));
    }
    let head = |version| [&[version], revision.0.to_be_bytes().as_slice(), &id].concat();
    if let Some(keyring) = codec.keyring() {
        // The other kind of padding may double it.
        let padding = if codec.padding() == Padding::None { Padding::None } else { Padding::Padme };
        return keyring.seal_beside(PURPOSE, padding, &head(SEALED), content);
    }
    let mut bytes = [&head(PLAIN), content].concat();
    bytes.extend(Crc32::of(&bytes).to_be_bytes());
    Ok(bytes)
}

/// Decodes the record of a store with this id, as of its commit `latest`; `None` for one that may not be shown.
pub(crate) fn decode(codec: &Codec, id: [u8; 16], latest: Revision, record: &[u8]) -> Option<Early> {
    let (head, rest) = record.split_first_chunk::<HEAD>()?;
    let revision = Revision(u64::from_be_bytes(*head[1..].first_chunk()?));
    if head[9..] != id || revision > latest {
        return None;
    }
    let content = match (head[0], codec.keyring()) {
        (PLAIN, None) => {
            let (body, sum) = record.split_last_chunk::<4>()?;
            let content = rest.get(..rest.len().checked_sub(4)?)?;
            (u32::from_be_bytes(*sum) == Crc32::of(body)).then(|| content.to_vec())?
        }
        (SEALED, Some(keyring)) => keyring.open_beside(PURPOSE, HEAD, record)?,
        _ => return None,
    };
    let content = Json::new(String::from_utf8(content).ok()?).ok()?;
    Some(Early { revision, content })
}

#[cfg(test)]
mod tests {
    use haos_store_api::backend::Keyring;
    use haos_store_api::{EventId, KdfParams, KeyChange, Membership, Redact, Room, RoomId, Secret};

    use super::*;

    const ID: [u8; 16] = [5; 16];
    const AT: Revision = Revision(7);

    fn keyring() -> Keyring {
        Keyring::create(&Secret::key([7; 32]), KdfParams::default()).unwrap()
    }

    fn content(text: &str) -> Json {
        Json::of(text).unwrap()
    }

    fn shown(codec: &Codec, record: &[u8]) -> Option<(Revision, String)> {
        decode(codec, ID, AT, record).map(|early| (early.revision, early.content.as_str().to_owned()))
    }

    #[test]
    fn it_comes_back_and_is_shown_of_this_store_alone() {
        for codec in
            [Codec::plain(), Codec::sealed(keyring()), Codec::sealed(keyring()).padded(Padding::Buckets)]
        {
            let record = encode(&codec, ID, AT, &content("hello \u{80}")).unwrap();
            assert_eq!(shown(&codec, &record), Some((AT, "\"hello \u{80}\"".to_owned())));
            assert!(decode(&codec, ID, Revision(8), &record).is_some(), "an older one");
            assert!(decode(&codec, ID, Revision(6), &record).is_none(), "newer than the store");
            assert!(decode(&codec, [6; 16], AT, &record).is_none(), "another store's");
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        for codec in [Codec::plain(), Codec::sealed(keyring())] {
            let record = encode(&codec, ID, AT, &content("hello")).unwrap();
            for bit in 0..record.len() * 8 {
                let mut changed = record.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(shown(&codec, &changed), None, "bit {bit}");
            }
            for cut in 0..record.len() {
                assert_eq!(shown(&codec, &record[..cut]), None, "{cut} bytes");
            }
        }
    }

    #[test]
    fn a_sealed_store_shows_nothing_plain_and_the_other_way_round() {
        let (plain, sealed) = (Codec::plain(), Codec::sealed(keyring()));
        assert_eq!(shown(&sealed, &encode(&plain, ID, AT, &content("planted")).unwrap()), None);
        let record = encode(&sealed, ID, AT, &content("secret")).unwrap();
        assert_eq!(shown(&plain, &record), None);
        assert_eq!(shown(&Codec::sealed(keyring()), &record), None, "other keys");
        assert!(!record.windows(6).any(|part| part == b"secret"));
        assert_ne!(encode(&sealed, ID, AT, &content("secret")).unwrap(), record, "a nonce each");
    }

    #[test]
    fn what_is_no_json_is_not_shown() {
        let mut record = [&[PLAIN], AT.0.to_be_bytes().as_slice(), &ID, b"{\"cut"].concat();
        record.extend(Crc32::of(&record).to_be_bytes());
        assert_eq!(shown(&Codec::plain(), &record), None);
    }

    #[test]
    fn it_is_bounded() {
        let largest = "x".repeat(MOST_BYTES - 2);
        for codec in [Codec::plain(), Codec::sealed(keyring()).padded(Padding::Buckets)] {
            let record = encode(&codec, ID, AT, &content(&largest)).unwrap();
            assert!(record.len() < 64 << 10, "{}", record.len());
            let error = encode(&codec, ID, AT, &content(&format!("{largest}x"))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }

    #[test]
    fn its_key_goes_with_a_rotation_and_not_with_a_passphrase() {
        let keyring = keyring();
        let key = keyring.key_beside(PURPOSE);
        assert_ne!(key, keyring.key_beside("haos other"));
        let words = Secret::passphrase("words");
        let kdf = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };
        keyring.adopt(&keyring.changed(&KeyChange::SetPassphrase(words, kdf)).unwrap()).unwrap();
        assert_eq!(key, keyring.key_beside(PURPOSE));
        keyring.adopt(&keyring.rotation_begun().unwrap().unwrap()).unwrap();
        assert_ne!(key, keyring.key_beside(PURPOSE));
    }

    #[test]
    fn what_takes_content_away_takes_it_away_here_too() {
        let room = || RoomId::new("!r").unwrap();
        let event = || EventId::new("$e").unwrap();
        let erases = |fill: &dyn Fn(&mut WriteBatch)| {
            let mut batch = WriteBatch::relaxed();
            batch.put_room(Room::new(room(), Membership::Join));
            fill(&mut batch);
            is_erased_by(&batch)
        };
        assert!(!erases(&|_| ()));
        assert!(erases(&|batch| {
            batch.remove_room(room());
        }));
        assert!(erases(&|batch| {
            batch.remove_message(room(), event());
        }));
        assert!(erases(&|batch| {
            let redact = Redact { room: room(), target: event(), by: event(), content: content("") };
            batch.redact(redact);
        }));
    }
}
