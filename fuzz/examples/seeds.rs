//! Writes the seed corpora again, from rows of the codec and the captures of a real homeserver:
//! `cargo xtask fuzz --seeds`. The same input gives the same files.

use std::fs;
use std::path::{Path, PathBuf};

use haos_fuzz::frame;
use haos_store_api::conformance::script_bytes;
use haos_store_api::backend::*;
use haos_store_api::*;

/// Answers longer than this slow a fuzzer down more than they teach it.
const MOST_BYTES: usize = 12_000;

fn main() -> std::io::Result<()> {
    frame::assert_current();
    for (target, seeds) in [
        ("answers", whole_answers()),
        ("archive", archives()),
        ("cursor", cursors()),
        ("decode_row", rows()),
        ("hostile_store", stores()),
        ("key_order", keys()),
        ("open_sealed", sealed()),
        ("script", scripts()),
        ("sync_json", answers()?),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let bytes: usize = seeds.iter().map(|(_, seed)| seed.len()).sum();
        println!("{target}: {} seeds, {bytes} bytes", seeds.len());
        for (name, seed) in seeds {
            fs::write(folder.join(name), seed)?;
        }
    }
    Ok(())
}

type Seeds = Vec<(String, Vec<u8>)>;

/// Makes an answer to each request, plain, compressed, and a refusal; the first bytes are as `answers::run` reads them.
fn whole_answers() -> Seeds {
    const EVENT: &str = r#"{"event_id":"$e","sender":"@bob:x","type":"m.room.message","origin_server_ts":7,"content":{"body":"hello"}}"#;
    const MEMBER: &str = r#"{"event_id":"$m","sender":"@bob:x","type":"m.room.member","state_key":"@bob:x","content":{"membership":"join"}}"#;
    let bodies = [
        ("sync", r#"{"next_batch":"s1","rooms":{"join":{"!lobby":{"timeline":{"events":[EVENT,0,0],"limited":true,"prev_batch":"t1"},"ephemeral":{"events":[{"type":"m.receipt","content":{"$e":{"m.read":{"@bob:x":{"ts":7}}}}}]},"summary":{"m.heroes":["@bob:x"]}}},"invite":{"!i":{"invite_state":{"events":[MEMBER]}}}},"to_device":{"events":[{"type":"x"}]},"device_lists":{"changed":["@bob:x"]}}"#),
        ("sliding", r#"{"pos":"p1","lists":{"rooms":{"count":1}},"rooms":{"!lobby":{"required_state":[MEMBER],"timeline":[EVENT],"limited":true,"prev_batch":"t1"}}}"#),
        ("messages", r#"{"start":"t0","end":"t1","chunk":[EVENT,0],"state":[MEMBER]}"#),
        ("context", r#"{"start":"t1","events_before":[EVENT],"event":EVENT,"state":[MEMBER]}"#),
        ("members", r#"{"chunk":[MEMBER,0]}"#),
        ("login", r#"{"user_id":"@alice:localhost","device_id":"D","access_token":"a","refresh_token":"r","expires_in_ms":1}"#),
        ("media", r#"some bytes"#),
        ("send", r#"{"event_id":"$e"}"#),
        ("whoami", r#"{"user_id":"@alice:localhost"}"#),
    ];
    let refusal = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":5,"soft_logout":true}"#;
    let answers = (0..).zip(bodies).flat_map(|(kind, (name, body))| {
        let body = body.replace("EVENT", EVENT).replace("MEMBER", MEMBER);
        let ways = [("plain", 0, 8, body.clone()), ("gzip", 0, 1, body), ("refused", 8, 16, refusal.to_owned())];
        ways.map(|(way, status, headers, body)| {
            (format!("{name}-{way}"), [&[kind, status, headers], body.as_bytes()].concat())
        })
    });
    answers.collect()
}

/// Makes archives to put together, each of a description and chunks with their lengths, and beginnings of files.
fn archives() -> Seeds {
    const ABOUT: &str = r#"{"revision":1,"time_ms":0,"base":[],"session":false,"counts":COUNTS,"media_bytes":BYTES,"left_out":{}}"#;
    const ROOM: &str = r#"[{"id":"!a","name":"n","membership":"join","spaces":["!s"],"last_activity_ms":0,"unread":{"notifications":0,"highlights":0},"revision":1}]"#;
    const STATE: &str = r#"[{"scope":"account","kind":"k","key":"","value":[1]},{"scope":"account","kind":"k","key":"a","event_id":"$e","value":{}}]"#;
    const ITEMS: &str = r#"[{"gap":{"room":"!a","position":4,"token":"t","revision":1}},{"message":{"room":"!a","id":"$e","position":5,"sender":"@a","timestamp_ms":1,"kind":"k","content":{"body":"hello"},"relation":{"kind":"reaction","target":"$t","key":"+"},"extra":null}}]"#;
    const MEDIA: &str = r#"[{"key":{"uri":"u","format":""},"size":3,"rooms":["!a"],"last_access_ms":0,"fetched_at_ms":0,"pinned":false}]"#;
    const PENDING: &str = r#"[{"txn_id":"t","seq":1,"room":"!a","kind":"k","content":1,"wire":null,"state":{"parked":"expired"},"attempts":1,"ambiguous":false,"created_ms":1,"not_before_ms":0,"lease":{"owner":"o","until_ms":9},"fence":0,"priority":0,"media":[{"uri":"u","format":""}],"revision":1}]"#;
    let chunks = [("\x01", ROOM), ("\x02", STATE), ("\x03", ITEMS), ("\x04", MEDIA), ("\x05", "abc"), ("\x06", PENDING)];
    let counts = [r#"{"rooms":1}"#, r#"{"state":2}"#, r#"{"gaps":1,"messages":1}"#, r#"{"media":1}"#, "{}", r#"{"pending":1}"#];
    let all = r#"{"gaps":1,"media":1,"messages":1,"pending":1,"rooms":1,"state":2}"#;
    let make = |counts: &str, bytes: &str, chunks: &[(&str, &str)]| {
        let mut seed = vec![2];
        let about = ABOUT.replace("COUNTS", counts).replace("BYTES", bytes);
        let chunks = chunks.iter().map(|(tag, rows)| format!("{tag}{rows}"));
        for part in std::iter::once(about).chain(chunks) {
            seed.extend((part.len() as u16).to_le_bytes());
            seed.extend(part.as_bytes());
        }
        seed
    };
    let mut seeds = vec![("all".to_owned(), make(all, "3", &chunks)), ("empty".to_owned(), make("{}", "0", &[]))];
    for (n, (chunk, counts)) in chunks.iter().zip(counts).enumerate() {
        seeds.push((format!("chunk-{n}"), make(counts, "0", std::slice::from_ref(chunk))));
    }
    seeds.push(("plain".to_owned(), b"\0\x89HAOSAR\n\x01\0\0\0".to_vec()));
    seeds.push(("age".to_owned(), b"\x01age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 2\n--- ".to_vec()));
    seeds
}

fn cursors() -> Seeds {
    let texts = ["1.8000000000", "1.5.7.$a.b:c", "1.0.ffffffffff.$e", "1.ffffffffff", "2.5", "1.5.7."];
    let seed = |(n, text): (usize, &&str)| {
        (format!("{n}"), [b"\x80\0\0\0\0\x7f\xff\xff\xff\xff", text.as_bytes()].concat())
    };
    texts.iter().enumerate().map(seed).collect()
}

/// Makes one change of each kind to either store, and no change.
fn stores() -> Seeds {
    let changes = (2..6_u8).flat_map(|kind| (0..16_u8).map(move |n| vec![kind, n * 17, n * 16 + n % 7]));
    let all = changes.chain([vec![], vec![0, 1, 5], vec![1, 4, 200], vec![3, 3, 0, 3, 0, 0, 3, 1, 1]]);
    let seed = |(n, change): (usize, Vec<u8>)| (format!("{n:02}"), [vec![n as u8 % 4], change].concat());
    let mut seeds: Seeds = all.enumerate().map(seed).collect();
    // Found: a rotation never came to its end.
    seeds.push(("rows_for_ever".to_owned(), vec![1, 0, 65, 3, 176, 254, 0]));
    seeds
}

fn keys() -> Seeds {
    let parts = |byte: u8| vec![byte; 81];
    [(0, 0, 0), (0, 0, 0xff), (0x0f, 0x7f, 0x80), (0xff, 1, 2), (0x18, 0x80, 0x7f)]
        .into_iter()
        .enumerate()
        .map(|(n, (shared, a, b))| (format!("{n}"), [vec![shared], parts(a), parts(b)].concat()))
        .collect()
}

/// Makes unchanged input, one with a byte of each part of an envelope or a record changed, and one cut short.
fn sealed() -> Seeds {
    let changes: [&[u8]; 8] = [b"", b"\x00\x01", b"\x01\x80", b"\x05\xff", b"\x20\x01", b"\x60\x10", b"\x01", b"\xff"];
    let of = |choice: u8| changes.iter().enumerate().map(move |(n, change)| (choice, n, [&[choice], *change].concat()));
    (0..4).flat_map(of).map(|(choice, n, bytes)| (format!("{choice}-{n}"), bytes)).collect()
}

/// Makes the first steps of the conformance suite's randomness.
fn scripts() -> Seeds {
    (0..24_u8).filter_map(|n| Some((format!("{n:02}"), script_bytes([n; 32])?))).collect()
}

/// Makes every kind of row as text, as a body and in its frame; the first byte is as `decode_row::run` reads it.
fn rows() -> Seeds {
    let mut seeds = Seeds::new();
    for (way, form) in [(0, Form::Text), (1, Form::Binary), (2, Form::Binary)] {
        let codec = Codec::plain().in_form(form);
        for (kind, name, payload) in payloads(&codec) {
            let bytes = if way == 1 { frame::body(&payload).to_vec() } else { payload };
            let choice = way * haos_fuzz::decode_row::KINDS + kind;
            let name = format!("{name}-{}", ["text", "body", "framed"][usize::from(way)]);
            seeds.push((name, [vec![choice], bytes].concat()));
        }
    }
    seeds
}

fn payloads(codec: &Codec) -> Vec<(u8, &'static str, Vec<u8>)> {
    let bytes = |payload: Payload| payload.as_bytes().to_vec();
    let (rev, bare, full) = (Revision(5), message(false), message(true));
    vec![
        (0, "room", bytes(codec.room_row(&room()).expect("a row").payload)),
        (1, "message", bytes(codec.message_row(&bare, rev).expect("a row").payload)),
        (1, "message-full", bytes(codec.message_row(&full, rev).expect("a row").payload)),
        (2, "gap", bytes(codec.gap_row(&gap()).expect("a row").payload)),
        (3, "pending", bytes(codec.pending_row(&pending()).expect("a row").payload)),
        (4, "media", bytes(codec.media_row(&media(), 5, rev).expect("a row").payload)),
        (5, "chunk", bytes(codec.chunk_row(5, 5, b"some bytes").expect("a row").payload)),
        (6, "state", bytes(codec.state_row(&state(), rev).expect("a row").payload)),
    ]
}

fn room_id() -> RoomId {
    RoomId::new("!lobby").expect("a room id")
}

fn kind() -> EventType {
    EventType::new("m.room.message").expect("an event type")
}

fn event_id(text: &str) -> EventId {
    EventId::new(text).expect("an event id")
}

fn json(text: &str) -> Json {
    Json::new(text).expect("JSON")
}

fn txn_id(text: &str) -> TxnId {
    TxnId::new(text).expect("a transaction id")
}

fn media_key() -> MediaKey {
    let uri = MediaUri::new("mxc://example.org/abc").expect("a media uri");
    MediaKey { uri, format: MediaFormat::new("32x32").expect("a media format") }
}

fn room() -> Room {
    let mut room = Room::new(room_id(), Membership::Join);
    (room.name, room.topic) = (Some("Lobby".to_owned()), Some("all of it".to_owned()));
    (room.avatar, room.kind) = (Some("mxc://example.org/abc".to_owned()), Some(kind()));
    room.spaces = vec![RoomId::new("!space").expect("a room id")];
    room.unread = Unread { notifications: 3, highlights: 1 };
    room
}

fn message(full: bool) -> Message {
    let relation =
        Relation { kind: RelationKind::Reaction, target: event_id("$target"), key: Some("+".to_owned()) };
    Message {
        room: room_id(),
        id: event_id("$event"),
        position: Position::new(5).expect("a position"),
        sender: UserId::new("@ada:example.org").expect("a user id"),
        timestamp_ms: 5,
        kind: kind(),
        state_key: full.then(|| StateKey::new("").expect("a state key")),
        content: json(r#"{"body":"hello","n":[1,-2.5e3,null,true]}"#),
        relation: full.then_some(relation),
        txn_id: full.then(|| txn_id("m1")),
        redacted_by: full.then(|| event_id("$redaction")),
        provisional: full,
        extra: full.then(|| json("null")),
    }
}

fn gap() -> Gap {
    let position = Position::new(5).expect("a position");
    Gap { room: room_id(), position, token: Some("t1".to_owned()), revision: Revision(5) }
}

fn pending() -> Pending {
    let mut row = Pending::new(txn_id("m1"), room_id(), kind(), json(r#"{"body":"unsent"}"#), 5);
    row.state = PendingState::Parked(ParkReason::Refused);
    row.wire = Some(json("{}"));
    row.lease = Some(Lease { owner: "tab".to_owned(), until_ms: 9 });
    (row.parent, row.target) = (Some(txn_id("m0")), Some(event_id("$target")));
    (row.error, row.media) = (Some("no".to_owned()), vec![media_key()]);
    (row.remote, row.anchor) = (Some(media_key().uri), Some(event_id("$anchor")));
    (row.seq, row.not_before_ms, row.revision) = (5, 5, Revision(5));
    row
}

fn media() -> MediaInfo {
    MediaInfo {
        key: media_key(),
        size: 5,
        mime: Some("image/png".to_owned()),
        rooms: vec![room_id()],
        last_access_ms: 5,
        fetched_at_ms: 5,
        pinned: false,
    }
}

fn state() -> StateEntry {
    let key = StateKey::new("@ada:example.org").expect("a state key");
    let event_id = Some(event_id("$event"));
    StateEntry { scope: Scope::Room(room_id()), kind: kind(), key, event_id, value: json(r#"{"a":1}"#) }
}

/// Reads the captures, and the small ones in a row as a client would get them.
fn answers() -> std::io::Result<Seeds> {
    let mut seeds = Seeds::new();
    let mut in_a_row = vec![0];
    for (folder, choice) in [("sync", 0), ("messages", 1)] {
        for path in json_files(folder)? {
            let text = compact(&fs::read_to_string(&path)?);
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if text.len() < MOST_BYTES {
                seeds.push((name.clone(), [&[choice], text.as_bytes()].concat()));
            }
            if name.starts_with("incr_") && text.len() < 2_000 {
                in_a_row.extend_from_slice(text.as_bytes());
                in_a_row.push(b'\n');
            }
        }
    }
    seeds.push(("in_a_row".to_owned(), in_a_row));
    let event = r#"{"event_id":"$e","sender":"@bob:localhost","type":"m.room.message","origin_server_ts":7,"content":{"body":"hello","m.relates_to":{"rel_type":"m.annotation","event_id":"$t","key":"+"}},"unsigned":{"transaction_id":"m1"}}"#;
    seeds.push(("event".to_owned(), [&[3], event.as_bytes()].concat()));
    let forward = format!(r#"{{"start":"t0","end":"t1","chunk":[{event}]}}"#);
    seeds.push(("forward".to_owned(), [&[2], forward.as_bytes()].concat()));
    Ok(seeds)
}

fn json_files(folder: &str) -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/matrix").join(folder);
    let mut paths: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

/// Removes the whitespace between tokens: the captures are indented, a server's answers are not.
fn compact(json: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let keep = |char: &char| {
        let keep = inside || !char.is_ascii_whitespace();
        inside ^= *char == '"' && !escaped;
        escaped = *char == '\\' && !escaped;
        keep
    };
    json.chars().filter(keep).collect()
}
