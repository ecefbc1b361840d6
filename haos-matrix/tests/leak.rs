//! A sealed store gives nothing away: of thousands of texts, ids and names that were stored, none stands in
//! any of its files. The same search finds nearly all of them in a plain store.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use common::{alice, big, big_lines, file, names};
use haos_matrix::{Account, MatrixProtocol, parse_messages, parse_sync};
use haos_queue::{apply_page, apply_sync};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use serde_json::Value;

/// Pages of history of the big account: thousands of events.
const PAGES: usize = 40;
const MEDIA_URI: &str = "mxc://localhost/leakCanaryPicture";
const LOCAL_URI: &str = "haos-local:leakCanaryUpload";
const TXN: &str = "leak-canary-transaction";
const UNSENT: &str = "leak canary: written and not sent";
const DRAFT: &str = "leak canary: not even finished";
const ERROR: &str = "leak canary: the server said no";
/// The shortest text to look for: shorter ones occur by chance among random bytes.
const SHORTEST: usize = 6;

/// The bytes of the media item.
fn picture() -> Vec<u8> {
    (0..200_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// The stored answers, as a server sent them.
struct History {
    small: Vec<String>,
    initial: String,
    pages: Vec<(String, Value)>,
}

impl History {
    fn read() -> Self {
        let mut small = vec![file("sync/initial_limit20_lazy.json")];
        small.extend(names("sync").into_iter().filter(|name| name.contains("incr_")).map(|name| file(&name)));
        let initial = big("initial_sync_limit20.json.zst");
        let mut pages = big_lines("messages_pages.jsonl.zst");
        pages.truncate(PAGES);
        Self { small, initial, pages }
    }
}

async fn import(store: &dyn StorageAdapter, history: &History) {
    for (json, account) in
        history.small.iter().map(|json| (json, alice())).chain([(&history.initial, Account::default())])
    {
        let delta = parse_sync(json.as_bytes(), &account).unwrap();
        apply_sync(store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
    }
    for (json, line) in &history.pages {
        let room = RoomId::new(line["room_id"].as_str().unwrap()).unwrap();
        let page = parse_messages(json.as_bytes(), &room, Direction::Older).unwrap();
        let gaps = store.gaps(&room).await.unwrap();
        let gap = gaps.iter().find(|gap| gap.token.as_deref() == line["from"].as_str()).unwrap();
        apply_page(store, gap, &page, None, &MatrixProtocol).await.unwrap();
    }
}

fn media(uri: &str, room: &RoomId) -> MediaInfo {
    MediaInfo {
        key: MediaKey {
            uri: MediaUri::new(uri).unwrap(),
            format: MediaFormat::new("leak-canary-96x96").unwrap(),
        },
        size: 0,
        mime: Some("image/leak-canary".to_owned()),
        rooms: vec![room.clone()],
        last_access_ms: 1,
        fetched_at_ms: 1,
        pinned: false,
    }
}

/// The user's own rows: an unsent message with media, and a draft.
fn own(room: &RoomId) -> WriteBatch {
    let kind = |name: &str| EventType::new(name).unwrap();
    let body = |text: &str| Json::new(format!(r#"{{"msgtype":"m.text","body":"{text}"}}"#)).unwrap();
    let (picture_info, upload) = (media(MEDIA_URI, room), media(LOCAL_URI, room));
    let mut batch = WriteBatch::strict();
    batch.put_pending(Pending {
        media: vec![upload.key.clone()],
        error: Some(ERROR.to_owned()),
        ..Pending::new(TxnId::new(TXN).unwrap(), room.clone(), kind("m.room.message"), body(UNSENT), 1)
    });
    batch.put_media(upload, picture()[..1000].to_vec()).put_media(picture_info, picture());
    batch.put_state(StateEntry {
        scope: Scope::Room(room.clone()),
        kind: kind(state_kind::DRAFT),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: body(DRAFT),
    });
    batch
}

/// Removes and empties part of it, so that free pages hold what was there.
async fn forget(store: &dyn StorageAdapter) {
    let rooms = store.rooms(RoomQuery::latest(1000)).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    for (nr, room) in rooms.iter().enumerate() {
        let slice = store.timeline(&room.id, Page::newest(100)).await.unwrap();
        for message in slice.messages().step_by(7) {
            batch.redact(Redact {
                room: room.id.clone(),
                target: message.id.clone(),
                by: message.id.clone(),
                content: Json::empty(),
            });
        }
        if nr % 5 == 4 {
            batch.remove_room(room.id.clone());
        } else if nr % 5 == 3 {
            batch.prune(Prune { room: room.id.clone(), keep: 5, protect: Vec::new() });
        }
    }
    store.apply(batch).await.unwrap();
}

/// Everything in a server's answer that tells somebody something.
fn collect(value: &Value, needles: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, needles)),
        Value::Object(members) => {
            for (name, member) in members {
                // Rooms and users are names of members, too.
                if name.starts_with(['!', '@']) && name.contains(|c: char| c.is_alphanumeric()) {
                    needles.insert(name.clone());
                }
                let text = member.as_str().unwrap_or_default();
                let tells = matches!(
                    name.as_str(),
                    "body"
                        | "event_id"
                        | "sender"
                        | "room_id"
                        | "name"
                        | "topic"
                        | "displayname"
                        | "type"
                        | "state_key"
                        | "alias"
                        | "event_type"
                );
                if tells || text.starts_with("mxc://") {
                    needles.insert(text.to_owned());
                }
                collect(member, needles);
            }
        }
        _ => {}
    }
}

/// A text as JSON writes it in ASCII, as the captured server did.
fn escaped(text: &str) -> String {
    let json = serde_json::to_string(text).unwrap();
    let mut units = [0; 2];
    let mut ascii = String::new();
    for char in json[1..json.len() - 1].chars() {
        if char.is_ascii() {
            ascii.push(char);
        } else {
            ascii.extend(char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

fn needles(history: &History) -> Vec<String> {
    let mut found = BTreeSet::new();
    let pages = history.pages.iter().map(|(json, _)| json);
    for json in history.small.iter().chain([&history.initial]).chain(pages) {
        collect(&serde_json::from_str(json).unwrap(), &mut found);
    }
    let own = [MEDIA_URI, LOCAL_URI, TXN, UNSENT, DRAFT, ERROR, "leak-canary-96x96", "image/leak-canary"];
    found.extend(own.map(str::to_owned));
    found.retain(|text| text.len() >= SHORTEST);
    found.into_iter().collect()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Which of the needles stand, in any of their forms, in the files of a folder.
fn found_in(folder: &Path, needles: &[Vec<Vec<u8>>]) -> BTreeSet<usize> {
    let forms = needles.iter().enumerate().flat_map(|(nr, forms)| forms.iter().map(move |form| (nr, form)));
    let (owners, forms): (Vec<usize>, Vec<&Vec<u8>>) = forms.unzip();
    let search = AhoCorasick::new(forms).unwrap();
    let mut found = BTreeSet::new();
    for file in files(folder) {
        let bytes = std::fs::read(file).unwrap();
        found.extend(search.find_overlapping_iter(&bytes).map(|hit| owners[hit.pattern().as_usize()]));
    }
    found
}

/// Which engine keeps the store.
#[derive(Clone, Copy, PartialEq)]
enum Backend {
    Sqlite,
    Sled,
}

async fn open(engine: Backend, path: &Path, secret: Option<Secret>) -> Box<dyn StorageAdapter> {
    match engine {
        Backend::Sqlite => {
            let options = secret.into_iter().fold(SqliteOptions::new(path), SqliteOptions::secret);
            Box::new(SqliteStore::open(options).await.unwrap())
        }
        Backend::Sled => {
            let options = secret.into_iter().fold(SledOptions::new(path), SledOptions::secret);
            Box::new(SledStore::open(options).await.unwrap())
        }
    }
}

/// The files of a store that is open and has taken in the history: a log with all that has changed since,
/// and, with SQLite, free pages.
async fn copy_of_open_store(engine: Backend, history: &History, secret: Option<Secret>) -> tempfile::TempDir {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(engine, &folder.path().join("s"), secret).await;
    import(store.as_ref(), history).await;
    let room = store.rooms(RoomQuery::latest(1)).await.unwrap().remove(0).id;
    store.apply(own(&room)).await.unwrap();
    forget(store.as_ref()).await;
    for (n, file) in files(folder.path()).into_iter().enumerate() {
        std::fs::copy(file, copy.path().join(n.to_string())).unwrap();
    }
    if engine == Backend::Sqlite {
        assert!(store.usage().await.unwrap().free_bytes > 0, "free pages are in play");
        assert_eq!(files(copy.path()).len(), 4, "so are the log and the copy of the outbox");
    }
    store.close().await.unwrap();
    copy
}

#[tokio::test]
async fn no_text_id_or_name_of_a_sealed_sqlite_store_stands_in_its_files() {
    nothing_leaks(Backend::Sqlite).await;
}

#[tokio::test]
async fn no_text_id_or_name_of_a_sealed_sled_store_stands_in_its_files() {
    nothing_leaks(Backend::Sled).await;
}

async fn nothing_leaks(engine: Backend) {
    let history = History::read();
    let texts = needles(&history);
    assert!(texts.len() >= 2000, "{}", texts.len());
    let forms = |text: &String| vec![text.clone().into_bytes(), escaped(text).into_bytes()];
    let mut all: Vec<Vec<Vec<u8>>> = texts.iter().map(forms).collect();
    // Stretches of the media item.
    all.extend(picture().chunks_exact(32).step_by(50).map(|stretch| vec![stretch.to_vec()]));
    let name = |nr: usize| texts.get(nr).map_or("a stretch of media", String::as_str);

    let plain = copy_of_open_store(engine, &history, None).await;
    let found = found_in(plain.path(), &all);
    let missed: Vec<_> = (0..all.len()).filter(|nr| !found.contains(nr)).map(name).take(20).collect();
    assert!(found.len() * 100 > all.len() * 95, "{} of {}, without {missed:?}", found.len(), all.len());
    // Pages of SQLite cut through some stretches.
    let stretches = (texts.len()..all.len()).filter(|nr| found.contains(nr)).count();
    assert!(stretches * 100 > (all.len() - texts.len()) * 95, "{stretches} stretches of media");
    println!("{} needles, {} of them in the plain store", all.len(), found.len());

    let sealed = copy_of_open_store(engine, &history, Some(Secret::key([7; 32]))).await;
    let leaked: Vec<_> = found_in(sealed.path(), &all).into_iter().map(name).collect();
    assert_eq!(leaked, Vec::<&str>::new(), "{} of {}", leaked.len(), all.len());
}
