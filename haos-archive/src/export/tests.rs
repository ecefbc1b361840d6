use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_store_api::*;

use super::*;

/// A protocol whose contents have a `body`, a `file` and a member's `name`.
struct Plain;

impl Shows for Plain {
    fn text(&self, view: &MessageView) -> Option<String> {
        let edited = view.edit.as_ref().and_then(|edit| edit.content.text("body"));
        edited.or_else(|| view.message.content.text("body"))
    }

    fn attachment(&self, view: &MessageView) -> Option<Attachment> {
        let name = view.message.content.text("file")?;
        let is_picture = name.ends_with("png");
        Some(Attachment { key: key(&name), name, is_picture })
    }

    fn member_kind(&self) -> Option<EventType> {
        EventType::new("member").ok()
    }

    fn member_name(&self, member: &Json) -> Option<String> {
        member.text("name")
    }
}

/// A folder in memory.
#[derive(Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Files {
    fn text(&self, ending: &str) -> String {
        let files = self.0.lock().unwrap();
        let (_, bytes) = files.iter().find(|(name, _)| name.ends_with(ending)).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }
}

struct File(Files, String);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().get_mut(&self.1).unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Folder for Files {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Written>> {
        let before = self.0.lock().unwrap().insert(name.to_owned(), Vec::new());
        assert!(before.is_none(), "{name} is made twice");
        Ok(Box::new(File(self.clone(), name.to_owned())))
    }
}

fn room() -> RoomId {
    RoomId::new("!lobby").unwrap()
}

fn key(name: &str) -> MediaKey {
    let uri = format!("mxc://here/{name}");
    MediaKey { uri: MediaUri::new(uri).unwrap(), format: MediaFormat::new("file").unwrap() }
}

fn info(name: &str) -> MediaInfo {
    MediaInfo {
        key: key(name),
        size: 0,
        mime: None,
        rooms: vec![room()],
        last_access_ms: 0,
        fetched_at_ms: 0,
        pinned: false,
    }
}

fn message(n: u64, content: &str) -> Message {
    Message {
        room: room(),
        id: EventId::new(format!("${n}")).unwrap(),
        position: Position::FIRST.newer(n * 16).unwrap(),
        sender: UserId::new(if n.is_multiple_of(2) { "@ada" } else { "@bob" }).unwrap(),
        timestamp_ms: 1_795_362_779_000 + n.cast_signed() * 1_000,
        kind: EventType::new("text").unwrap(),
        state_key: None,
        content: Json::new(content).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn related(n: u64, kind: RelationKind, key: Option<&str>, target: u64, content: &str) -> Message {
    let target = EventId::new(format!("${target}")).unwrap();
    let relation = Some(Relation { kind, target, key: key.map(str::to_owned) });
    Message { relation, ..message(n, content) }
}

async fn store(fill: impl FnOnce(&mut WriteBatch)) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room { name: Some("A <b> & c".to_owned()), ..Room::new(room(), Membership::Join) });
    fill(&mut batch);
    store.apply(batch).await.unwrap();
    store
}

async fn export(store: &dyn StorageAdapter, make: Export<'_>) -> (Exported, Files) {
    let mut files = Files::default();
    let done = make.run(store, &mut files).await.unwrap();
    (done, files)
}

/// Messages of every look.
async fn sample() -> MemoryStore {
    store(|batch| {
        batch.put_media(info("a b.png"), b"png".to_vec());
        batch.put_state(StateEntry {
            scope: Scope::Room(room()),
            kind: EventType::new("member").unwrap(),
            key: StateKey::new("@ada").unwrap(),
            event_id: None,
            value: Json::new(r#"{"name":"Ada *L*"}"#).unwrap(),
        });
        batch
            .put_gap(Gap { room: room(), position: Position::FIRST, token: None, revision: Revision::ZERO })
            .put_message(message(1, r#"{"body":"<script>alert(1)</script>\nsecond *line*"}"#))
            .put_message(message(2, r#"{"body":"old"}"#))
            .put_message(related(3, RelationKind::Reply, None, 2, r#"{"body":"an answer"}"#))
            .put_message(related(4, RelationKind::Edit, None, 2, r#"{"body":"new"}"#))
            .put_message(related(5, RelationKind::Reaction, Some("👍"), 1, "{}"))
            .put_message(message(6, r#"{"file":"a b.png"}"#))
            .put_message(message(7, r#"{"file":"a b.png"}"#))
            .put_message(message(8, r#"{"file":"../gone.pdf"}"#))
            .put_message(message(9, "{}"));
        let by = EventId::new("$by").unwrap();
        let target = EventId::new("$9").unwrap();
        batch.redact(Redact { room: room(), target, by, content: Json::empty() });
    })
    .await
}

#[tokio::test]
async fn pages_show_what_people_saw_and_run_nothing() {
    let store = sample().await;
    let (done, files) = export(&store, Export::new(&Plain, Format::Html)).await;
    let expected = Exported { rooms: 1, messages: 7, gaps: 1, media: 1, missing_media: 1 };
    assert_eq!(done, expected);
    let page = files.text("/0001.html");
    assert!(
        !page.contains("<script") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;\nsecond"),
        "{page}"
    );
    for shown in [
        "A &lt;b&gt; &amp; c",
        "script-src 'none'",
        "Messages are missing here",
        "Ada *L*",
        "<blockquote><b>Ada *L*</b> new</blockquote>",
        "👍 1",
        "gone.pdf (not stored)",
        "message removed",
        "2026-11-22 15:53:00 UTC",
        "<i>edited</i>",
    ] {
        assert!(page.contains(shown), "{shown} in {page}");
    }
    assert!(!page.contains(">old<"), "the edit counts");
    assert_eq!(page.matches("<img").count(), 2, "one file, shown twice");
    let names = files.names();
    let picture = names.iter().find(|name| name.contains("/media/")).unwrap();
    assert!(page.contains(&format!("src=\"media/{}\"", picture.rsplit('/').next().unwrap())), "{picture}");
    assert!(files.text("index.html").contains("/0001.html"));
    assert!(names.iter().all(|name| !name.contains("..")), "{names:?}");
}

#[tokio::test]
async fn markdown_shows_signs_as_they_are() {
    let (_, files) = export(&sample().await, Export::new(&Plain, Format::Markdown)).await;
    let text = files.text("messages.md");
    assert!(text.starts_with("# A \\<b\\> \\& c\n"), "{text}");
    assert!(text.contains("\\<script\\>alert\\(1\\)\\</script\\>  \nsecond \\*line\\*\n"), "{text}");
    assert!(text.contains("**Ada \\*L\\*** 2026-11-22 15:53:01 UTC (edited)\n\nnew\n"), "{text}");
    assert!(text.contains("> **Ada \\*L\\*** new\n") && text.contains("](media/a-b-"), "{text}");
}

#[tokio::test]
async fn json_has_every_field_of_every_message() {
    let (_, files) = export(&sample().await, Export::new(&Plain, Format::Json)).await;
    let document: serde_json::Value = serde_json::from_str(&files.text("messages.json")).unwrap();
    assert_eq!(document["room"]["name"], "A <b> & c");
    let items = document["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["type"]), (8, &serde_json::json!("gap")));
    assert_eq!((&items[2]["text"], &items[2]["content"]["body"]), (&"new".into(), &"old".into()));
    assert_eq!((&items[2]["sender_name"], &items[2]["edited_by"]), (&"Ada *L*".into(), &"$4".into()));
    assert_eq!((&items[1]["reactions"][0]["key"], &items[7]["redacted_by"]), (&"👍".into(), &"$by".into()));
}

#[tokio::test]
async fn filters_choose_messages_and_the_gaps_between_them() {
    let store = sample().await;
    let base = Export::new(&Plain, Format::Json);
    let ids = |files: &Files| {
        let document: serde_json::Value = serde_json::from_str(&files.text("messages.json")).unwrap();
        let id = |item: &serde_json::Value| item["event_id"].as_str().unwrap_or("gap").to_owned();
        document["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    let (_, files) = export(&store, base.clone().senders([UserId::new("@bob").unwrap()])).await;
    assert_eq!(ids(&files), ["$1", "$3", "$7", "$9"]);
    let start = 1_795_362_779_000;
    let (done, files) = export(&store, base.clone().from_ms(start + 2_000).until_ms(start + 7_000)).await;
    assert_eq!((ids(&files), done.gaps), (vec!["$2".to_owned(), "$3".into(), "$6".into()], 0));
    let (done, files) = export(&store, base.clone().media(false)).await;
    assert_eq!((done.media, done.missing_media, files.names().len()), (0, 0, 1));
    let missing = base.rooms([RoomId::new("!no").unwrap()]).run(&store, &mut Files::default()).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_long_room_has_pages_that_lead_to_each_other() {
    let store = store(|batch| {
        for n in 0..2_500 {
            batch.put_message(message(n, r#"{"body":"x"}"#));
        }
    })
    .await;
    let seen = Arc::new(Mutex::new((0, 0)));
    let last = seen.clone();
    let progress = Progress::to(move |done, total| *last.lock().unwrap() = (done, total));
    let (done, files) = export(&store, Export::new(&Plain, Format::Html).progress(progress)).await;
    assert_eq!((done.messages, *seen.lock().unwrap()), (2_500, (2_500, 2_500)));
    let pages = ["/0001.html", "/0002.html", "/0003.html"].map(|name| files.text(name));
    assert_eq!(pages.each_ref().map(|page| page.matches("<li").count()), [1_000, 1_000, 500]);
    assert!(pages[0].contains("rel=\"next\" href=\"0002.html\"") && !pages[0].contains("rel=\"prev\""));
    assert!(pages[1].contains("rel=\"prev\" href=\"0001.html\"") && pages[1].contains("href=\"0003.html\""));
    assert!(!pages[2].contains("rel=\"next\"") && pages.iter().all(|page| page.ends_with("</html>\n")));
}

/// Counts the most that a read brings into memory.
#[derive(Debug)]
struct Counting(MemoryStore, Mutex<(usize, u64)>);

#[async_trait]
impl StorageAdapter for Counting {
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let slice = self.0.timeline(room, page).await?;
        let mut most = self.1.lock().unwrap();
        most.0 = most.0.max(slice.items.len());
        Ok(slice)
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let media = self.0.media(key, range).await?;
        let mut most = self.1.lock().unwrap();
        most.1 = most.1.max(media.as_ref().map_or(0, |media| media.bytes.len() as u64));
        Ok(media)
    }

    forward_store! { self => self.0; except timeline, media }
}

/// element-web#2630 and Dexie#872: an export that holds everything in memory ends the program.
#[tokio::test]
async fn element_web_2630_and_dexie_872_an_export_takes_no_more_memory_for_more_messages() {
    let store = store(|batch| {
        batch.put_media(info("film.mp4"), vec![7; 3 << 20]);
        batch.put_message(message(0, r#"{"file":"film.mp4"}"#));
        for n in 1..3_000 {
            batch.put_message(message(n, r#"{"body":"x"}"#));
        }
    })
    .await;
    let store = Counting(store, Mutex::default());
    let (_, files) = export(&store, Export::new(&Plain, Format::Json)).await;
    assert_eq!(*store.1.lock().unwrap(), (200, 256 << 10));
    assert_eq!(files.0.lock().unwrap().values().map(Vec::len).max(), Some(3 << 20), "whole all the same");
}

#[test]
fn an_export_takes_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("diary.txt"), "x").unwrap();
    let refused = Directory::new(folder.path()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("not empty"), "{refused}");
    let mut directory = Directory::new(folder.path().join("a/b")).unwrap();
    directory.create("c/d.txt").unwrap().write_all(b"x").unwrap();
    assert_eq!(std::fs::read(folder.path().join("a/b/c/d.txt")).unwrap(), b"x");
    assert!(directory.create("c/d.txt").is_err(), "nothing is written over");
}
