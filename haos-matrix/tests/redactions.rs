//! Redacted events, and the edit that counts: small answers, each with the right values.
#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

mod common;

use std::fmt::Write as _;
use std::path::Path;

use haos_matrix::{Account, MatrixProtocol, parse_messages, parse_sync};
use haos_queue::{apply_page, apply_sync};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

const WORD: &str = "SLUR";

async fn answer(store: &dyn StorageAdapter, json: &str) {
    let account = Account::of(UserId::new("@me:x").unwrap());
    let delta = parse_sync(json.as_bytes(), &account).unwrap();
    apply_sync(store, &delta, account.user.as_ref(), &MatrixProtocol).await.unwrap();
}

/// A store that took in a case of `fixtures/cases`.
async fn stored(name: &str) -> MemoryStore {
    let store = MemoryStore::new();
    let path = common::folder().join(format!("../cases/{name}.jsonl"));
    for line in std::fs::read_to_string(path).unwrap().lines() {
        answer(&store, line).await;
    }
    store
}

fn room() -> RoomId {
    RoomId::new("!r:x").unwrap()
}

/// The answer with these events in the timeline of the room.
fn timeline(next: &str, events: &[String]) -> String {
    let events = events.join(",");
    format!(
        r#"{{"next_batch":"{next}","rooms":{{"join":{{"!r:x":{{"timeline":{{"events":[{events}]}}}}}}}}}}"#
    )
}

fn event(id: &str, kind: &str, content: &str, rest: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","sender":"@bob:x","type":"{kind}","origin_server_ts":1,"content":{content}{rest}}}"#
    )
}

fn redaction(id: &str, target: &str) -> String {
    event(id, "m.room.redaction", "{}", &format!(r#","redacts":"{target}""#))
}

fn state(id: &str, kind: &str, content: &str, rest: &str) -> String {
    event(id, kind, content, &format!(r#","state_key":""{rest}"#))
}

fn member(id: &str, name: &str, before: Option<(&str, &str)>) -> String {
    let content = |name: &str| format!(r#"{{"membership":"join","displayname":"{name}"}}"#);
    let unsigned = before.map_or(String::new(), |(id, name)| {
        format!(r#","unsigned":{{"prev_content":{},"replaces_state":"{id}"}}"#, content(name))
    });
    event(id, "m.room.member", &content(name), &format!(r#","state_key":"@bob:x"{unsigned}"#))
}

/// The lines of the room but for its state, each with a mark if it is edited.
async fn lines(store: &dyn StorageAdapter) -> Vec<(String, bool)> {
    let view = store.timeline_view(&room(), Page::newest(100)).await.unwrap();
    let shown = view.items.into_iter().filter_map(|item| match item {
        ViewItem::Message(view) if view.message.state_key.is_none() => Some(*view),
        _ => None,
    });
    let text = |view: MessageView| {
        let edited = view.edit.as_ref().and_then(|edit| edit.content.member("m.new_content"));
        let content = edited.unwrap_or_else(|| view.message.content.clone());
        (content.text("body").unwrap_or_else(|| "(removed)".to_owned()), view.edit.is_some())
    };
    shown.map(text).collect()
}

/// Every text that the rows of a store hold.
async fn everything(store: &dyn StorageAdapter) -> String {
    let mut all = String::new();
    let mut scopes = vec![Scope::Account];
    for room in store.rooms(RoomQuery::default()).await.unwrap() {
        write!(all, "{:?} {:?} {:?}", room.name, room.topic, room.avatar).unwrap();
        for message in store.timeline(&room.id, Page::oldest(10_000)).await.unwrap().messages() {
            let extra = message.extra.as_ref().map(Json::as_str);
            write!(all, "{} {extra:?} {:?}", message.content.as_str(), message.relation).unwrap();
        }
        scopes.push(Scope::Room(room.id));
    }
    for scope in scopes {
        for entry in store.state(StateQuery::all(scope)).await.unwrap() {
            write!(all, "{} {}", entry.key, entry.value.as_str()).unwrap();
        }
    }
    all
}

async fn row(store: &dyn StorageAdapter) -> Room {
    store.room(&room()).await.unwrap().unwrap()
}

fn line(text: &str, edited: bool) -> (String, bool) {
    (text.to_owned(), edited)
}

#[tokio::test]
async fn a_redacted_child_leaves_its_space() {
    let store = stored("space-child-redacted").await;
    let space = Some(RoomId::new("!space:x").unwrap());
    assert_eq!(store.rooms(RoomQuery { space, ..RoomQuery::default() }).await.unwrap(), []);
    let rooms = store.rooms(RoomQuery::default()).await.unwrap();
    assert_eq!(rooms.len(), 2);
}

#[tokio::test]
async fn a_redacted_alias_names_no_room() {
    let store = stored("alias-redacted").await;
    assert_eq!(row(&store).await.name, None);
    assert!(!everything(&store).await.contains("#bad:x"));
}

#[tokio::test]
async fn a_redacted_edit_leaves_the_text_before_it_and_no_line() {
    assert_eq!(lines(&stored("redacted-edit").await).await, [line("1", false)]);
}

#[tokio::test]
async fn an_edit_without_new_content_hides_no_other() {
    assert_eq!(lines(&stored("edit-without-new-content").await).await, [line("second", true)]);
}

#[tokio::test]
async fn the_latest_edit_counts_whenever_it_came() {
    assert_eq!(lines(&stored("edits-out-of-order").await).await, [line("v3 newest", true)]);
}

#[tokio::test]
async fn a_redacted_name_is_in_no_later_event() {
    let store = stored("redacted-name-in-prev-content").await;
    let all = everything(&store).await;
    assert!(!all.contains(WORD), "{all}");
    assert!(all.contains("Manolo3") && all.contains(r#"replaces_state\":\"$e1"#), "{all}");
}

#[tokio::test]
async fn a_redaction_that_was_redacted_before_its_target_came_does_not_count() {
    let store = stored("redaction-before-target").await;
    assert_eq!(lines(&store).await, [line("late, was redacted", false)]);
}

#[tokio::test]
async fn a_redaction_counts_for_what_comes_after_it() {
    let store = MemoryStore::new();
    answer(&store, &timeline("s1", &[redaction("$r", "$m"), redaction("$r2", "$n")])).await;
    let name = format!(r#"{{"name":"{WORD}"}}"#);
    let late = event("$m", "m.room.message", &format!(r#"{{"body":"{WORD}"}}"#), "");
    answer(&store, &timeline("s2", &[late, state("$n", "m.room.name", &name, "")])).await;
    assert!(!everything(&store).await.contains(WORD));
    assert_eq!(row(&store).await.name, None);
    // An emptied event stays so when the redaction is redacted.
    answer(&store, &timeline("s3", &[redaction("$rr", "$r")])).await;
    assert_eq!(lines(&store).await, [line("(removed)", false)]);
}

#[tokio::test]
async fn state_and_its_redaction_in_one_answer() {
    let store = MemoryStore::new();
    let name = |id, name: &str| state(id, "m.room.name", &format!(r#"{{"name":"{name}"}}"#), "");
    let topic = state("$t", "m.room.topic", &format!(r#"{{"topic":"{WORD}"}}"#), "");
    let avatar = state("$a", "m.room.avatar", &format!(r#"{{"url":"mxc://x/{WORD}"}}"#), "");
    let targets = ["$n", "$t", "$a"].map(|target| redaction(&format!("$r{}", &target[1..]), target));
    let mut events = vec![name("$n", WORD), topic, avatar];
    events.extend(targets);
    answer(&store, &timeline("s1", &events)).await;
    let shown = row(&store).await;
    assert_eq!((shown.name, shown.topic, shown.avatar), (None, None, None));
    assert!(!everything(&store).await.contains(WORD));
    // A later redaction of a value that was replaced takes nothing away.
    answer(&store, &timeline("s2", &[name("$n2", "old"), name("$n3", "new"), redaction("$r2", "$n2")])).await;
    assert_eq!(row(&store).await.name.as_deref(), Some("new"));
}

#[tokio::test]
async fn a_redacted_reaction_is_counted_no_more_and_shows_nowhere() {
    let store = MemoryStore::new();
    let reaction = |id| {
        let relates = format!(r#"{{"rel_type":"m.annotation","event_id":"$m","key":"{WORD}"}}"#);
        event(id, "m.reaction", &format!(r#"{{"m.relates_to":{relates}}}"#), "")
    };
    let message = event("$m", "m.room.message", r#"{"body":"hi"}"#, "");
    answer(&store, &timeline("s1", &[message, reaction("$1"), reaction("$2")])).await;
    // One by its redaction, one by the server's emptied copy.
    let copy = event("$2", "m.reaction", "{}", r#","unsigned":{"redacted_because":{"event_id":"$r2"}}"#);
    answer(&store, &timeline("s2", &[redaction("$r", "$1"), copy])).await;
    let view = store.timeline_view(&room(), Page::newest(9)).await.unwrap();
    let [ViewItem::Message(shown)] = &view.items[..] else { panic!("one message: {:?}", view.items) };
    assert_eq!((shown.message.id.as_str(), shown.reactions.len()), ("$m", 0));
    assert!(!everything(&store).await.contains(WORD));
}

#[tokio::test]
async fn the_servers_emptied_copy_empties_what_came_of_the_event() {
    let store = MemoryStore::new();
    let name = state("$n", "m.room.name", &format!(r#"{{"name":"{WORD}"}}"#), "");
    let members = [member("$e1", WORD, None), member("$e2", "Bob", Some(("$e1", WORD)))];
    let [first, second] = members;
    answer(&store, &timeline("s1", &[name, first, second])).await;
    assert_eq!(row(&store).await.name.as_deref(), Some(WORD));
    let because = |id: &str| format!(r#","unsigned":{{"redacted_because":{{"event_id":"{id}"}}}}"#);
    let name = state("$n", "m.room.name", "{}", &because("$r1"));
    let empty = r#"{"membership":"join"}"#;
    let first = event("$e1", "m.room.member", empty, &format!(r#","state_key":"@bob:x"{}"#, because("$r2")));
    answer(&store, &timeline("s2", &[name, first])).await;
    assert!(!everything(&store).await.contains(WORD));
    assert_ne!(row(&store).await.name.as_deref(), Some(WORD));
}

#[tokio::test]
async fn a_copy_of_redacted_state_that_comes_late_is_not_stored() {
    let page = |events: &[String]| format!(r#"{{"chunk":[{}],"start":"p","end":"q"}}"#, events.join(","));
    // The redaction first, then the events from a gap, whose copies are old.
    let store = MemoryStore::new();
    let limited = timeline("s1", &[redaction("$r", "$e1")])
        .replace(r#""timeline":{"#, r#""timeline":{"limited":true,"prev_batch":"p","#);
    answer(&store, &limited).await;
    let gap = store.gaps(&room()).await.unwrap().remove(0);
    let events = [member("$e2", "Bob", Some(("$e1", WORD))), member("$e1", WORD, None)];
    let page = parse_messages(page(&events).as_bytes(), &room(), Direction::Older).unwrap();
    apply_page(&store, &gap, &page, None, &MatrixProtocol).await.unwrap();
    let all = everything(&store).await;
    assert!(all.contains("Bob") && !all.contains(WORD), "{all}");
    // The redacted event is stored, then another that repeats it.
    answer(&store, &timeline("s2", &[member("$e3", "Bobby", Some(("$e1", WORD)))])).await;
    let all = everything(&store).await;
    assert!(all.contains("Bobby") && !all.contains(WORD), "{all}");
}

#[tokio::test]
async fn a_redaction_in_another_room_empties_nothing_here() {
    let store = MemoryStore::new();
    answer(&store, &timeline("s1", &[event("$m", "m.room.message", r#"{"body":"hi"}"#, "")])).await;
    answer(&store, &timeline("s2", &[redaction("$r", "$m")]).replace("!r:x", "!other:x")).await;
    assert_eq!(lines(&store).await, [line("hi", false)]);
}

#[tokio::test]
async fn a_redacted_member_is_no_hero_by_the_name_that_was_redacted() {
    let store = MemoryStore::new();
    let heroes = format!(
        r#""summary":{{"heroes":[{{"user_id":"@bob:x","displayname":"{WORD}"}}],"m.heroes":["@bob:x"]}},"timeline""#
    );
    answer(&store, &timeline("s1", &[member("$e1", WORD, None)]).replace(r#""timeline""#, &heroes)).await;
    assert_eq!(row(&store).await.name.as_deref(), Some(WORD));
    answer(&store, &timeline("s2", &[redaction("$r", "$e1")])).await;
    assert_eq!(row(&store).await.name.as_deref(), Some("@bob:x"));
    assert!(!everything(&store).await.contains(WORD));
}

#[tokio::test]
async fn an_event_that_could_not_be_read_goes_with_its_redaction() {
    let store = MemoryStore::new();
    let odd =
        event("$odd", "m.room.message", &format!(r#"{{"body":"{WORD}"}}"#), "").replace(r#""@bob:x""#, "7");
    answer(&store, &timeline("s1", &[odd])).await;
    assert!(everything(&store).await.contains(WORD), "it is kept for a later version");
    answer(&store, &timeline("s2", &[redaction("$r", "$odd")])).await;
    assert!(!everything(&store).await.contains(WORD));
}

/// Words in every place that a redaction empties, then the redactions.
async fn says_and_takes_back(store: &dyn StorageAdapter) {
    let body = |relates: &str| format!(r#"{{"body":"{WORD}"{relates}}}"#);
    let relates =
        |kind: &str, rest: &str| format!(r#","m.relates_to":{{"rel_type":"{kind}","event_id":"$m"{rest}}}"#);
    let new = format!(r#"{},"m.new_content":{{"body":"{WORD}"}}"#, relates("m.replace", ""));
    let key = relates("m.annotation", &format!(r#","key":"{WORD}""#));
    let alias = format!(r##"{{"alias":"#{WORD}:x"}}"##);
    let events = [
        event("$m", "m.room.message", &body(""), &format!(r#","unsigned":{{"note":"{WORD}"}}"#)),
        event("$edit", "m.room.message", &body(&new), ""),
        event("$reaction", "m.reaction", &body(&key), ""),
        event("$encrypted", "m.room.encrypted", &body(""), ""),
        state("$name", "m.room.name", &format!(r#"{{"name":"{WORD}"}}"#), ""),
        state("$topic", "m.room.topic", &format!(r#"{{"topic":"{WORD}"}}"#), ""),
        state("$alias", "m.room.canonical_alias", &alias, ""),
        state("$odd", "org.example.odd", &body(""), ""),
        member("$e1", WORD, None),
        member("$e2", "Bob", Some(("$e1", WORD))),
    ];
    answer(store, &timeline("s1", &events)).await;
    assert!(everything(store).await.matches(WORD).count() > 12, "the search finds them");
    let targets =
        ["$m", "$edit", "$reaction", "$encrypted", "$name", "$topic", "$alias", "$odd", "$e1"].into_iter();
    let redactions: Vec<_> =
        targets.map(|target| redaction(&format!("$r{}", &target[1..]), target)).collect();
    answer(store, &timeline("s2", &redactions)).await;
    let all = everything(store).await;
    assert!(!all.contains(WORD), "{all}");
}

fn files(folder: &Path) -> Vec<u8> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn a_redacted_word_is_in_no_row_of_a_sqlite_store_and_after_compaction_in_no_byte_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(SqliteOptions::new(folder.path().join("s"))).await.unwrap();
    says_and_takes_back(&store).await;
    store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
    store.close().await.unwrap();
    let bytes = files(folder.path());
    let finds = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(finds("Bob"), "a plain store can be searched");
    assert!(!finds(WORD));
}

#[tokio::test]
async fn a_redacted_word_is_in_no_row_of_a_sled_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(SledOptions::new(folder.path().join("s"))).await.unwrap();
    says_and_takes_back(&store).await;
    store.close().await.unwrap();
    let store = SledStore::open(SledOptions::new(folder.path().join("s"))).await.unwrap();
    let all = everything(&store).await;
    assert!(all.contains("Bob") && !all.contains(WORD));
}

#[tokio::test]
async fn of_two_targets_the_rooms_version_decides() {
    let said = |id: &str| event(id, "m.room.message", r#"{"body":"x"}"#, "");
    let two = event("$r", "m.room.redaction", r#"{"redacts":"$inside"}"#, r#","redacts":"$beside""#);
    for (create, target) in [
        (Some(r#"{"room_version":"10"}"#), "$beside"),
        (Some(r#"{"room_version":"1"}"#), "$beside"),
        (Some("{}"), "$beside"),
        (Some(r#"{"room_version":"11"}"#), "$inside"),
        (Some(r#"{"room_version":"12"}"#), "$inside"),
        (Some(r#"{"room_version":"org.example.next"}"#), "$inside"),
        (None, "$inside"),
    ] {
        let create = create.map(|content| state("$c", "m.room.create", content, ""));
        let before: Vec<_> = create.into_iter().chain(["$inside", "$beside"].map(said)).collect();
        let together = [&before[..], std::slice::from_ref(&two)].concat();
        for answers in [vec![before.clone(), vec![two.clone()]], vec![together]] {
            let store = MemoryStore::new();
            for (at, events) in answers.iter().enumerate() {
                answer(&store, &timeline(&format!("s{at}"), events)).await;
            }
            for id in ["$inside", "$beside"] {
                let message = store.message(&room(), &EventId::new(id).unwrap()).await.unwrap().unwrap();
                assert_eq!(message.redacted_by.is_some(), id == target, "{id} by {before:?}");
            }
        }
    }
}
