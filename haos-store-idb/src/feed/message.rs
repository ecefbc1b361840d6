//! The messages between contexts: `haos`, the version, the revision and the entries, with a NUL between them, which no
//! id contains. Every version begins with these three, so that an unknown one still tells the store's progress.

use std::collections::BTreeSet;

use haos_store_api::{MediaFormat, MediaKey, MediaUri, Revision, RoomId, Scope, Touched, TxnId};

const VERSION: u32 = 1;

/// The most touched entries of a message; more become a resync.
const MAX_TOUCHED: usize = 500;

/// The longest message that is read: `MAX_TOUCHED` of the longest entries, two ids of 255 each.
pub(crate) const MAX_CHARS: u32 = 300_000;

/// The entry of a message without a list of touched items.
const EVERYTHING: &str = "*";

/// A message from another context.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// One commit.
    Commit { revision: Revision, touched: BTreeSet<Touched> },
    /// Commits up to a revision, if that part was readable.
    Resync { revision: Option<Revision> },
}

pub(crate) fn encode(revision: Revision, touched: &BTreeSet<Touched>) -> String {
    let head = format!("haos\0{VERSION}\0{}", revision.0);
    let mut text = head.clone();
    // Another context reads the whole room again.
    let mut told = touched.iter().filter(|entry| !matches!(entry, Touched::Messages(..)));
    let known = touched.len() <= MAX_TOUCHED && told.all(|entry| push(&mut text, entry).is_some());
    if known { text } else { format!("{head}\0{EVERYTHING}") }
}

/// Appends one entry; `None` for a kind without a letter in this version.
fn push(text: &mut String, entry: &Touched) -> Option<()> {
    let (letter, ids) = match entry {
        Touched::Room(room) => ("r", vec![room.as_str()]),
        Touched::Pending(txn_id) => ("p", vec![txn_id.as_str()]),
        Touched::Media(key) => ("m", vec![key.uri.as_str(), key.format.as_str()]),
        Touched::MediaEvicted => ("e", vec![]),
        Touched::State(Scope::Account) => ("a", vec![]),
        Touched::State(Scope::Room(room)) => ("s", vec![room.as_str()]),
        _ => return None,
    };
    for part in std::iter::once(letter).chain(ids) {
        text.push('\0');
        text.push_str(part);
    }
    Some(())
}

pub(crate) fn decode(text: &str) -> Told {
    let mut parts = text.split('\0');
    let version = (parts.next() == Some("haos")).then(|| parts.next()).flatten();
    let revision = version.and_then(|_| parts.next()?.parse().ok()).map(Revision);
    match (version.and_then(|version| version.parse().ok()), revision, entries(parts)) {
        (Some(VERSION), Some(revision), Some(touched)) => Told::Commit { revision, touched },
        _ => Told::Resync { revision },
    }
}

fn entries<'a>(mut parts: impl Iterator<Item = &'a str>) -> Option<BTreeSet<Touched>> {
    let mut touched = BTreeSet::new();
    while let Some(letter) = parts.next() {
        let mut id = || parts.next();
        touched.insert(match letter {
            "r" => Touched::Room(RoomId::new(id()?).ok()?),
            "p" => Touched::Pending(TxnId::new(id()?).ok()?),
            "m" => {
                let uri = MediaUri::new(id()?).ok()?;
                Touched::Media(MediaKey { uri, format: MediaFormat::new(id()?).ok()? })
            }
            "e" => Touched::MediaEvicted,
            "a" => Touched::State(Scope::Account),
            "s" => Touched::State(Scope::Room(RoomId::new(id()?).ok()?)),
            _ => return None,
        });
        if touched.len() > MAX_TOUCHED {
            return None;
        }
    }
    Some(touched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(count: usize) -> BTreeSet<Touched> {
        let id = |n| format!("!{n:0>254}");
        (0..count).map(|n| Touched::Room(RoomId::new(id(n)).unwrap())).collect()
    }

    fn every_kind() -> BTreeSet<Touched> {
        let room = RoomId::new("!a room: r\np").unwrap();
        let media = |format| MediaKey {
            uri: MediaUri::new("mxc://a/é").unwrap(),
            format: MediaFormat::new(format).unwrap(),
        };
        BTreeSet::from([
            Touched::Room(room.clone()),
            Touched::Pending(TxnId::new("r").unwrap()),
            Touched::Media(media("")),
            Touched::Media(media("thumb-96x96-crop")),
            Touched::MediaEvicted,
            Touched::State(Scope::Account),
            Touched::State(Scope::Room(room)),
        ])
    }

    #[test]
    fn round_trip() {
        for touched in [BTreeSet::new(), every_kind(), rooms(MAX_TOUCHED)] {
            let text = encode(Revision(u64::MAX), &touched);
            assert!(text.encode_utf16().count() <= MAX_CHARS as usize);
            assert_eq!(decode(&text), Told::Commit { revision: Revision(u64::MAX), touched });
        }
    }

    #[test]
    fn large_batch_is_a_resync() {
        let text = encode(Revision(7), &rooms(MAX_TOUCHED + 1));
        assert!(text.len() < 50);
        assert_eq!(decode(&text), Told::Resync { revision: Some(Revision(7)) });
        let long = format!("haos\x001\x007{}", "\0p\0x".repeat(3) + &"\0e".repeat(3));
        assert!(matches!(decode(&long), Told::Commit { .. }), "doubled entries are one");
    }

    #[test]
    fn unknown_version_tells_its_revision() {
        for text in ["haos\x002\x009", "haos\x002\x009\0zz\0what", "haos\x001\x009\0zz", "haos\x001\x009\0*"]
        {
            assert_eq!(decode(text), Told::Resync { revision: Some(Revision(9)) }, "{text:?}");
        }
    }

    #[test]
    fn damaged_is_a_resync() {
        let text = encode(Revision(3), &every_kind());
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            // A channel cuts nothing off. If one did, the rest may make sense, of the same commit.
            if let Told::Commit { revision, touched } = decode(&text[..end]) {
                assert_eq!(revision, Revision(3));
                assert!(touched.len() <= every_kind().len());
            }
        }
        let long = format!("haos\x001\x003\0r\0!{}", "a".repeat(255));
        for text in ["", "x", "haos", "haos\x001", "haos\x001\0-1", "other\x001\x003", "haos\x001\x003\0r\0"]
        {
            assert!(matches!(decode(text), Told::Resync { .. }), "{text:?}");
        }
        assert_eq!(decode(&long), Told::Resync { revision: Some(Revision(3)) });
    }
}
