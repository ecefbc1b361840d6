//! Archives that want harm.

use std::io::{Cursor, Read, Seek, SeekFrom};

use haos_archive::{Archive, Identity, Source};
use haos_store_api::*;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::assemble::{ABOUT, Assembly};
use crate::content::{open, read};

const ROOM: &str = r#"{"id":"!a","membership":"join","last_activity_ms":0,"unread":{"notifications":0,"highlights":0},"revision":1}"#;

fn message(n: u64, content: &str) -> String {
    format!(
        r#"{{"message":{{"room":"!a","id":"$e{n}","position":{n},"sender":"@a","timestamp_ms":1,"kind":"k","content":{content}}}}}"#
    )
}

fn media(size: u64) -> String {
    format!(
        r#"[{{"key":{{"uri":"u","format":""}},"size":{size},"last_access_ms":0,"fetched_at_ms":0,"pinned":false}}]"#
    )
}

#[track_caller]
fn refused(file: &[u8]) {
    let error = read(&[file], None).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

/// What is assembled by hand is an archive, so that the refusals below are for their own reason.
#[test]
fn an_assembled_archive_is_read() {
    let mut good = Assembly::new();
    good.rows(1, &format!("[{ROOM}]"))
        .rows(3, &format!("[{},{}]", message(1, "{}"), message(2, "[1, 2]")))
        .rows(4, &media(3))
        .chunk(b"\x05abc")
        .counts(r#"{"rooms":1,"messages":2,"media":1}"#);
    good.about = good.about.replace("\"media_bytes\":0", "\"media_bytes\":3");
    let content = read(&[&good.end()], None).unwrap();
    assert_eq!(content.timelines.values().next().unwrap().len(), 2);
    assert_eq!(content.media.values().next().unwrap().1, b"abc");
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let zeros = vec![0; 60 << 20];
    let packed = zstd::bulk::compress(&zeros, 3).unwrap();
    assert!(packed.len() < 10_000);
    let mut bomb = Assembly::new();
    let (offset, length) = bomb.frame(5, &packed, 100, [1; 32]);
    bomb.chunk(b"\x01[]");
    let named = &mut bomb.named[0];
    (named.offset, named.length, named.raw, named.hash) = (offset, length, 100, [1; 32]);
    refused(&bomb.end());
    // As a catalogue.
    refused(&Assembly::new().end_with(&packed, 100, [1; 32]));
    refused(&Assembly::new().end_with(&packed, 60 << 20, Sha256::digest(&zeros).into()));
    // A window that would take gigabytes.
    let mut window = packed.clone();
    window[4] = 0;
    window[5] = 0xff;
    refused(&Assembly::new().end_with(&window, 60 << 20, Sha256::digest(&zeros).into()));
}

#[test]
fn lengths_and_counts_that_cannot_be_are_refused() {
    for (packed, raw) in [(u32::MAX, 1), (1 << 30, 1), (10, u32::MAX), (10, 65 << 20)] {
        let mut file = Assembly::new();
        let at = file.bytes.len();
        file.frame(1, b"x", raw, [0; 32]);
        file.bytes[at + 1..at + 5].copy_from_slice(&packed.to_le_bytes());
        let bytes = file.end();
        assert!(open(&[&bytes], None).unwrap().check(&Progress::none()).is_err());
    }
    let about = |text: String| {
        let mut file = Assembly::new();
        file.about = text;
        refused(&file.end());
    };
    about(ABOUT.replace("\"media_bytes\":0", "\"media_bytes\":1"));
    about(ABOUT.replace("\"counts\":{}", r#""counts":{"rooms":7}"#));
    about(ABOUT.replace("\"counts\":{}", r#""counts":{"nonsense":7}"#));
    about(ABOUT.replace("\"session\"", "\"sessions\""));
    about("[".repeat(100_000));
    about(ABOUT.replace("[]", &format!("[{}]", ["\"00\""; 9].join(","))));
    let ids = vec![format!("\"{:032x}\"", 7); 1000].join(",");
    about(ABOUT.replace("[]", &format!("[{ids}]")));
    // The length of the description is beyond the end.
    let raw = u32::MAX.to_le_bytes();
    refused(&Assembly::new().end_with(
        &zstd::bulk::compress(&raw, 1).unwrap(),
        4,
        Sha256::digest(raw).into(),
    ));
    let raw = [0; 3];
    refused(&Assembly::new().end_with(
        &zstd::bulk::compress(&raw, 1).unwrap(),
        3,
        Sha256::digest(raw).into(),
    ));
}

/// An archive that says it builds on itself needs a file that nobody has.
#[test]
fn a_chain_that_bites_its_tail_is_refused() {
    let mut file = Assembly::new();
    file.about = ABOUT.replace("[]", &format!("[\"{}\"]", "07".repeat(16)));
    let bytes = file.end();
    assert_eq!(open(&[&bytes], None).unwrap_err().kind(), ErrorKind::Invalid);
    // Given twice it is read once, and no further.
    assert!(open(&[&bytes, &bytes], None).unwrap().records().next().is_none());
}

#[test]
fn chunks_out_of_order_or_named_twice_are_refused() {
    let rooms = format!("[{ROOM}]");
    let one = format!("[{}]", message(2, "1"));
    let cases: [&dyn Fn(&mut Assembly); 12] = [
        &|file| {
            file.rows(3, &one).rows(1, &rooms);
        },
        &|file| {
            file.rows(1, &rooms);
            file.named.push(file.named[0].clone());
        },
        &|file| {
            file.rows(1, &rooms).rows(1, &format!("[{ROOM} ]"));
        },
        &|file| {
            file.rows(3, &one).rows(3, &format!("[{}]", message(1, "1")));
        },
        &|file| {
            file.rows(3, &format!("[{},{}]", message(2, "1"), message(2, "2")));
        },
        &|file| {
            file.chunk(b"\x05abc");
        },
        &|file| {
            file.rows(4, &media(3)).chunk(b"\x05abcd");
        },
        &|file| {
            file.rows(4, &media(3)).chunk(b"\x05ab");
        },
        &|file| {
            file.rows(4, &media(3));
        },
        &|file| {
            file.rows(4, &media(u64::MAX)).chunk(b"\x05ab");
        },
        &|file| {
            file.rows(4, &media(0)).chunk(b"\x05");
        },
        &|file| {
            file.rows(1, "[]");
        },
    ];
    for case in cases {
        let mut file = Assembly::new();
        case(&mut file);
        refused(&file.end());
    }
}

#[test]
fn a_catalogue_that_names_other_places_is_refused() {
    let good = || {
        let mut file = Assembly::new();
        file.rows(1, &format!("[{ROOM}]")).counts(r#"{"rooms":1}"#);
        file
    };
    read(&[&good().end()], None).unwrap();
    let changes: [&dyn Fn(&mut Assembly); 9] = [
        &|file| file.named[0].file = 1,
        &|file| file.named[0].offset = u64::MAX,
        &|file| file.named[0].offset = 1 << 40,
        &|file| file.named[0].offset += 1,
        &|file| file.named[0].length = 3,
        &|file| file.named[0].length += 1,
        &|file| file.named[0].raw += 1,
        &|file| file.named[0].tag = 2,
        &|file| file.named[0].hash[0] ^= 1,
    ];
    for change in changes {
        let mut file = good();
        change(&mut file);
        refused(&file.end());
    }
}

#[test]
fn rows_that_no_store_has_are_refused() {
    let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
    let bottomless = "[".repeat(3 << 20);
    let many = vec!["\"!s\""; 100_001].join(",");
    let rows = [
        (3, format!("[{}]", message(1, &deep))),
        (3, format!("[{}]", message(1, &bottomless))),
        (3, bottomless.clone()),
        (3, format!("[{}]", message(1 << 40, "1"))),
        (3, format!("[{}]", message(1, "1").replace("$e1", ""))),
        (3, format!("[{}]", message(1, "1").replace("$e1", &"e".repeat(256)))),
        (1, format!("[{}]", ROOM.replace("\"join\"", "\"joined\""))),
        (1, format!("[{}]", ROOM.replace("\"revision\"", "\"later\":1,\"revision\""))),
        (1, format!("[{}]", ROOM.replace("\"unread\"", &format!("\"spaces\":[{many}],\"unread\"")))),
        (1, format!("[{ROOM}] ,")),
        (1, ROOM.to_owned()),
        (2, format!("[{ROOM}]")),
        (4, media(1).replace("}]", &format!("}},{}", &media(1)[1..]))),
        // More than one row in a long chunk.
        (3, format!("[{},{}]", message(1, &format!("\"{}\"", "x".repeat(5 << 20))), message(2, "1"))),
        (9, "[]".to_owned()),
    ];
    for (tag, json) in rows {
        let mut file = Assembly::new();
        file.rows(tag, &json);
        refused(&file.end());
    }
    // A chunk that says another kind than its frame.
    let mut file = Assembly::new();
    file.rows(1, &format!("[{ROOM}]"));
    let packed = zstd::bulk::compress(&[1, b'['], 1).unwrap();
    let (offset, length) = file.frame(2, &packed, 2, Sha256::digest([1, b'[']).into());
    let hash = Sha256::digest([1, b'[']).into();
    let named = &mut file.named[0];
    (named.tag, named.offset, named.length, named.raw, named.hash) = (2, offset, length, 2, hash);
    refused(&file.end());
}

#[test]
fn other_files_and_later_versions_are_told_apart() {
    let kind = |bytes: &[u8]| open(&[bytes], None).unwrap_err().kind();
    for other in [b"".as_slice(), b"PK\x03\x04", b"SQLite format 3\0", b"age-encryption", &[0; 4096]] {
        assert_eq!(kind(&[other, &[0; 100]].concat()), ErrorKind::Invalid);
    }
    let mut later = Assembly::new().end();
    later[8] = 2;
    assert_eq!(kind(&later), ErrorKind::NewerSchema);
}

/// A file that claims to be larger than any disk, and gives the same bytes for ever.
struct Endless;

impl Read for Endless {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        bytes.fill(b'-');
        Ok(bytes.len())
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        Ok(match to {
            SeekFrom::Start(at) => at,
            _ => u64::MAX / 2,
        })
    }
}

#[test]
fn a_header_of_age_without_an_end_is_refused() {
    let identity = Identity::passphrase("p");
    assert!(Archive::open(vec![Box::new(Endless)], Some(&identity)).is_err());
    let mut long = b"age-encryption.org/v1\n".to_vec();
    long.extend(b"-> X25519 ".repeat(1 << 20));
    let source: Vec<Box<dyn Source>> = vec![Box::new(Cursor::new(long))];
    assert_eq!(Archive::open(source, Some(&identity)).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// The others of this file once more, in a process that gets no more memory than a reader may need: a chunk of 64 MiB
/// is in it packed, unpacked and as rows.
#[cfg(target_os = "linux")]
#[test]
fn all_of_it_is_refused_in_bounded_memory() {
    let limited = "ulimit -v 524288 && exec \"$0\" hostile:: --skip all_of_it --test-threads 1";
    let program = std::env::current_exe().unwrap();
    let done = std::process::Command::new("sh").args(["-c", limited]).arg(program).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
    assert!(told.contains("a_bomb_is_refused_before_it_goes_off ... ok"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn any_chunks_are_read_or_refused(
        chunks in prop::collection::vec((0..8_u8, prop::collection::vec(any::<u8>(), 0..50)), 0..6),
        about in prop_oneof![Just(ABOUT.to_owned()), any::<String>()],
    ) {
        let mut file = Assembly::new();
        for (tag, bytes) in chunks {
            file.chunk(&[&[tag], bytes.as_slice()].concat());
        }
        file.about = about;
        let bytes = file.end();
        if let Ok(mut archive) = open(&[&bytes], None) {
            let _ = archive.check(&Progress::none());
        }
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), sealed in any::<bool>()) {
        let start: &[u8] = if sealed { b"age-encryption.org/v1\n" } else { b"\x89HAOSAR\n\x01\0\0\0" };
        let bytes = [start, &bytes].concat();
        prop_assert!(open(&[&bytes], sealed.then(|| Identity::passphrase("p")).as_ref()).is_err());
    }
}
