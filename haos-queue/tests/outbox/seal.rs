//! Encrypted rooms: nothing goes there in clear, and what may have arrived goes out again with the same bytes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_backends::{Home, on_every_store};
use haos_queue::pressure::{Clear, clear};
use haos_queue::{
    Acted, Answer, Driver, EnqueueError, Lead, Outbox, OutboxOptions, PauseReason, Seal, Sealed, TokioHost,
    Unready, apply_sync,
};
use haos_sim::{Blow, Blows, Brittle, Ciphertext, ENCRYPTED, ModelFile, ModelSeal, REDACTION, SimProtocol};
use haos_store_api::*;

use crate::client::{Client, draft, guarded, options, room};
use crate::wire::{Fault, Hold, Wire};

/// A [`ModelSeal`] that is not ready when it is told so.
pub(crate) struct Sealer {
    model: ModelSeal,
    unready: Mutex<VecDeque<Unready>>,
}

impl Sealer {
    pub(crate) fn new(store: Arc<dyn StorageAdapter>) -> Self {
        Self { model: ModelSeal::new(store, 7), unready: Mutex::default() }
    }

    /// Sets how the next preparations fail, in turn.
    fn next(&self, unready: impl IntoIterator<Item = Unready>) {
        self.unready.lock().unwrap().extend(unready);
    }
}

#[async_trait]
impl Seal for Sealer {
    async fn prepare(&self, _: &RoomId) -> Result<(), Unready> {
        self.unready.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }

    async fn seal(&self, row: &Pending) -> Result<Sealed, Unready> {
        self.model.seal(row).await
    }
}

/// A client of which room `a` is encrypted, and known to be.
async fn encrypted(home: Home) -> Client {
    let client = Client::new(home).await;
    client.wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
    client.sync().await;
    client
}

/// The kinds on the wire, and what whoever has the keys reads.
fn read(wire: &Wire, name: &str) -> Vec<(String, String, String)> {
    let events = wire.events(&room(name)).into_iter().filter(|event| event.state_key.is_none());
    let opened = |event: haos_queue::Event| match event.content.parse::<Ciphertext>() {
        Ok(inner) => (event.kind.to_string(), inner.kind.to_string(), inner.content),
        Err(_) => (event.kind.to_string(), event.kind.to_string(), event.content.as_str().to_owned()),
    };
    events.map(opened).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_room_gets_nothing_in_clear_but_redactions_and_reactions() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        client.seal();
        let first = client.text("a", "one").await;
        client.about("a", &first, "m.room.message", r#"{"answers":"TARGET","body":"two"}"#).await;
        client.about("a", &first, "m.room.message", r#"{"edits":"TARGET","new":{"body":"ONE"}}"#).await;
        client.about("a", &first, "m.reaction", r#"{"key":"+","to":"TARGET"}"#).await;
        let last = client.text("a", "never mind").await;
        client.about("a", &last, REDACTION, "{}").await;
        client.text("b", "clear").await;
        client.drive();
        client.settle().await;

        let id = client.wire.events(&room("a"))[1].id.clone();
        let expected = [
            (ENCRYPTED, "m.room.message", r#"{"body":"one"}"#.to_owned()),
            (ENCRYPTED, "m.room.message", format!(r#"{{"answers":"{id}","body":"two"}}"#)),
            (ENCRYPTED, "m.room.message", format!(r#"{{"edits":"{id}","new":{{"body":"ONE"}}}}"#)),
            ("m.reaction", "m.reaction", format!(r#"{{"key":"+","to":"{id}"}}"#)),
            // The server has emptied it.
            (ENCRYPTED, ENCRYPTED, "{}".to_owned()),
            (REDACTION, REDACTION, "{}".to_owned()),
        ];
        let expected = expected.map(|(wire, kind, content)| (wire.to_owned(), kind.to_owned(), content));
        assert_eq!(read(&client.wire, "a"), expected);
        assert_eq!(client.wire.bodies(&room("b")), ["clear"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bytes_stay_while_the_server_may_have_them_and_no_longer() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        client.seal();
        let refused = haos_queue::Refusal { status: 503, ..haos_queue::Refusal::default() };
        // Never sent, twice; then lost before the server, by a proxy, after it.
        client.wire.next([
            Fault::Unsent,
            Fault::Unsent,
            Fault::Lost,
            Fault::Refused(refused),
            Fault::AnswerLost,
        ]);
        let hello = client.text("a", "hello").await;
        client.drive();
        client.settle().await;
        let forms = client.wire.forms(&hello.txn_id);
        assert_eq!(forms.len(), 6);
        let distinct: BTreeSet<&str> = forms.iter().map(|form| form.as_ref().unwrap().as_str()).collect();
        assert_eq!(distinct.len(), 3, "the first two did not arrive");
        assert!(
            forms[2..].iter().all(|form| *form == forms[2]),
            "what may have arrived is sent again as it is"
        );
        assert_eq!(read(&client.wire, "a").len(), 1);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_encrypt_parks_what_must_be() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        let hello = client.text("a", "hello").await;
        client.text("b", "clear").await;
        client.drive();
        let row = client.reaches(&hello, PendingState::Parked(ParkReason::Unsealed)).await;
        assert!(row.error.is_some() && row.first_attempt_ms.is_none());
        client.all_sent().await;
        assert_eq!(read(&client.wire, "a"), []);
        // The next version can.
        client.seal();
        client.restart().await;
        client.reaches(&hello, PendingState::Sent).await;
        client.settle().await;
        assert_eq!(read(&client.wire, "a").len(), 1);
        assert_eq!(read(&client.wire, "a")[0].0, ENCRYPTED);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sealed_holds_up_its_room_and_no_other() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        let sealer = client.seal();
        sealer.next([Unready::Paused("look at a device".to_owned())]);
        let one = client.text("a", "one").await;
        let two = client.text("a", "two").await;
        client.drive();
        let mut changes = client.store.changes();
        let why = PauseReason::Encryption("look at a device".to_owned());
        while client.outbox.paused(Some(&room("a"))).await.unwrap().as_ref() != Some(&why) {
            guarded("a pause", changes.next()).await.unwrap();
        }
        let elsewhere = client.text("b", "elsewhere").await;
        client.reaches(&elsewhere, PendingState::Sent).await;
        assert_eq!(client.outbox.paused(None).await.unwrap(), None);
        for row in [&one, &two] {
            let row = client.row(&row.txn_id).await.unwrap();
            assert_eq!((row.state, row.first_attempt_ms), (PendingState::Queued, None));
        }

        // The network, then the row itself.
        let proxy = haos_queue::Refusal { status: 502, ..haos_queue::Refusal::default() };
        sealer.next([
            Unready::Answered(Answer::NoAnswer),
            Unready::Answered(Answer::Refused(proxy)),
            Unready::Later("a sync".to_owned()),
            Unready::Store(Error::new(ErrorKind::Io, "seal", "on purpose")),
            Unready::Refused("nobody to encrypt for".to_owned()),
        ]);
        client.outbox.resume(Some(&room("a"))).await.unwrap();
        let row = client.reaches(&one, PendingState::Parked(ParkReason::Unsealed)).await;
        assert_eq!((row.attempts, row.ambiguous, row.first_attempt_ms), (1, false, None));
        assert_eq!(client.state(&two).await, Some(PendingState::Queued), "nothing overtakes");
        let blockers = client.outbox.blockers(&room("a")).await.unwrap();
        assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&one.txn_id]);
        assert_eq!(read(&client.wire, "a"), []);
        client.outbox.retry(&one.txn_id).await.unwrap();
        client.settle().await;
        let read: Vec<_> = read(&client.wire, "a").into_iter().map(|(_, _, content)| content).collect();
        assert_eq!(read, [r#"{"body":"one"}"#, r#"{"body":"two"}"#]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_stays_encrypted_whatever_becomes_of_its_state() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        client.seal();
        client.text("a", "kept").await;
        clear(&*client.store, Clear::AllButOutbox).await.unwrap();
        assert!(client.outbox.is_encrypted(&room("a")).await.unwrap());
        // A sync that tells nothing of it.
        client.wire.model(|model| {
            let there = model.rooms.get_mut(&room("a")).unwrap();
            (there.encrypted, there.events) = (None, Vec::new());
        });
        client.sync().await;
        client.drive();
        client.settle().await;
        assert_eq!(read(&client.wire, "a")[0].0, ENCRYPTED);
        assert!(!client.outbox.is_encrypted(&room("b")).await.unwrap());
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_room_that_no_sync_has_told_of_the_server_is_asked_first() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.seal();
        for name in ["a", "c"] {
            client.wire.model(|model| model.encrypt(&room(name), 1).unwrap());
        }
        client.wire.unheard.store(1, SeqCst);
        client.text("a", "hello").await;
        client.text("b", "clear").await;
        let staged = client.outbox.stage(&room("c"), None, vec![1; 20]).await.unwrap();
        let content = format!(r#"{{"url":"{}"}}"#, staged.key().uri);
        let file =
            client.outbox.enqueue(draft("c", "m.room.message", &content).upload(staged)).await.unwrap();
        client.drive();
        let parked = |row: &Pending| row.state == PendingState::Parked(ParkReason::Unsealed);
        client.until("the upload parks", |rows| rows.iter().any(parked)).await;
        assert_eq!(client.wire.model(|model| model.media.values().flatten().count()), 0);
        client.outbox.cancel(&file.txn_id).await.unwrap();
        client.settle().await;
        assert_eq!(read(&client.wire, "a")[0].0, ENCRYPTED);
        assert!(client.outbox.is_encrypted(&room("a")).await.unwrap(), "that is noted for good");
        assert_eq!(client.wire.bodies(&room("b")), ["clear"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_encrypt_sends_nothing_in_clear_to_a_room_that_no_sync_has_told_of() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
        client.text("a", "hello").await;
        client.text("b", "clear").await;
        client.drive();
        let parked = |row: &Pending| row.state == PendingState::Parked(ParkReason::Unsealed);
        client.until("the text parks", |rows| rows.iter().any(parked)).await;
        let sent = |row: &Pending| row.room == room("b") && row.state == PendingState::Sent;
        client.until("the other room goes on", |rows| rows.iter().any(sent)).await;
        assert_eq!(read(&client.wire, "a"), []);
        assert_eq!(client.wire.bodies(&room("b")), ["clear"]);
        client.end().await;
    })
    .await;
}

/// The echo does not come, and the server is asked: what it shows is a ciphertext, and whoever wrote it reads on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sealed_is_read_as_it_was_written_once_it_is_confirmed() {
    on_every_store(async |home: Home| {
        let mut client = Client::with(home, OutboxOptions { echo_ms: 1, ..options() }).await;
        client.wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
        client.sync().await;
        client.seal();
        client.drive();
        let first = client.text("a", "first").await;
        client.reaches(&first, PendingState::Sent).await;
        let edit =
            client.about("a", &first, "m.room.message", r#"{"edits":"TARGET","new":{"body":"FIRST"}}"#).await;
        client.reaches(&edit, PendingState::Sent).await;
        for token in ["s1", "s2"] {
            client.sync_without_news(token).await;
        }
        client.until("both are there", |rows| rows.iter().all(|row| row.room != room("a"))).await;
        let slice = client.store.timeline(&room("a"), Page::newest(2)).await.unwrap();
        let shown: Vec<_> = slice.messages().collect();
        assert_eq!(shown.len(), 2);
        for message in &shown {
            assert_eq!(message.kind.as_str(), "m.room.message", "{:?}", message.content);
            assert!(message.provisional);
        }
        assert_eq!(shown[0].content.as_str(), r#"{"body":"first"}"#);
        assert!(shown[1].content.as_str().contains("FIRST"), "{:?}", shown[1].content);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_gone_out_in_clear_is_proven_absent_first() {
    for arrived in [false, true] {
        on_every_store(async |home: Home| {
            let mut client = Client::with(home, OutboxOptions { settle_ms: 1, ..options() }).await;
            client.seal();
            let hello = client.text("a", "hello").await;
            client.wire.next([if arrived { Fault::AnswerLost } else { Fault::Lost }]);
            client.wire.hold(Hold::Before);
            client.drive();
            client.wire.begun("send", 1).await;
            client.wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
            client.sync().await;
            client.wire.hold(Hold::Nowhere);
            client.settle().await;
            let read = read(&client.wire, "a");
            assert_eq!(read.len(), 1, "once");
            assert_eq!(read[0].0 == ENCRYPTED, !arrived);
            assert!(!client.wire.times("history").is_empty());
            assert_eq!(client.wire.forms(&hello.txn_id).len(), if arrived { 1 } else { 2 });
            client.end().await;
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_must_leave_room_for_its_encryption() {
    on_every_store(async |home: Home| {
        let client = encrypted(home).await;
        let limit = options().max_sealed_bytes;
        let content = |bytes: usize| format!(r#"{{"body":"{}"}}"#, "x".repeat(bytes - r#"{"body":""}"#.len()));
        let enqueue =
            async |name: &str, kind: &str, bytes| client.outbox.enqueue(draft(name, kind, &content(bytes))).await;
        let is_too_large = |refused: Result<_, EnqueueError>, bytes| {
            matches!(refused, Err(EnqueueError::TooLarge { bytes: b, limit: l }) if (b, l) == (bytes, limit))
        };
        assert!(is_too_large(enqueue("a", "m.room.message", limit + 1).await.map(drop), limit + 1));
        enqueue("a", "m.reaction", limit + 1).await.unwrap();
        enqueue("b", "m.room.message", limit + 1).await.unwrap();
        let fits = enqueue("a", "m.room.message", limit).await.unwrap();
        let larger = client.outbox.edit(&fits.txn_id, Json::new(content(limit + 1)).unwrap()).await;
        assert!(is_too_large(larger.map(drop), limit + 1));
        let acted = client.outbox.edit(&fits.txn_id, Json::new(content(limit - 1)).unwrap()).await.unwrap();
        assert_eq!(acted, Acted::Done { maybe_sent: false });
        client.end().await;
    })
    .await;
}

/// A file and its thumbnail: encrypted while they are staged, and the same bytes in every upload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_encrypted_before_they_are_stored() {
    on_every_store(async |home: Home| {
        let mut client = encrypted(home).await;
        client.seal();
        let refused = client.outbox.stage(&room("a"), Some("image/png"), vec![1; 20]).await.unwrap();
        assert_eq!(refused.sealed().unwrap(), None);
        let refused = client.outbox.enqueue(draft("a", "m.room.message", "{}").upload(refused)).await;
        assert!(matches!(refused, Err(EnqueueError::Unsealed)), "{refused:?}");

        let stage = async |byte| {
            let bytes = vec![byte; 20];
            let mut staged =
                client.outbox.stage_sealed(&room("a"), Box::new(ModelFile), bytes).await.unwrap();
            client.outbox.stage_more(&mut staged, vec![byte + 1; 10]).await.unwrap();
            staged
        };
        let (thumbnail, file) = (stage(1).await, stage(5).await);
        let described = file.sealed().unwrap().unwrap();
        assert_eq!(file.clone().sealed().unwrap(), Some(described.clone()), "as often as one likes");
        let stored = client.store.media(file.key(), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(stored.bytes, [vec![!5; 20], vec![!6; 10]].concat());
        assert_eq!(stored.info.mime.as_deref(), Some("application/octet-stream"));
        let content = format!(
            r#"{{"file":{{"url":"{}","with":{}}},"thumbnail":"{}"}}"#,
            file.key().uri,
            described.as_str(),
            thumbnail.key().uri
        );
        let draft = draft("a", "m.room.message", &content).upload(thumbnail).upload(file);
        client.wire.next([Fault::AnswerLost, Fault::Unsent]);
        client.outbox.enqueue(draft).await.unwrap();
        client.drive();
        client.settle().await;
        let media: Vec<_> = client.wire.model(|model| model.media.values().flatten().cloned().collect());
        assert_eq!(media.len(), 2);
        assert!(media.contains(&stored.bytes));
        let read = read(&client.wire, "a");
        assert!(read[0].0 == ENCRYPTED && !read[0].2.contains("haos-local"), "{}", read[0].2);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_before_does_not_go_to_a_room_that_was_encrypted_since() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.seal();
        let staged = client.outbox.stage(&room("a"), None, vec![1; 20]).await.unwrap();
        let content = format!(r#"{{"url":"{}"}}"#, staged.key().uri);
        let file =
            client.outbox.enqueue(draft("a", "m.room.message", &content).upload(staged)).await.unwrap();
        client.wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
        client.sync().await;
        client.drive();
        let parked = |row: &Pending| row.state == PendingState::Parked(ParkReason::Unsealed);
        client.until("the upload parks", |rows| rows.iter().any(parked)).await;
        assert_eq!(client.wire.model(|model| model.media.values().flatten().count()), 0);
        client.outbox.cancel(&file.txn_id).await.unwrap();
        client.settle().await;
        client.end().await;
    })
    .await;
}

/// After a part that failed nobody knows what is stored: a file does not go on from there.
#[tokio::test]
async fn a_file_does_not_go_on_after_a_part_that_failed() {
    let blows = Arc::new(Mutex::new(Blows::default()));
    let store: Arc<dyn StorageAdapter> = Arc::new(Brittle::new(MemoryStore::new(), blows.clone()));
    let outbox = Outbox::new(store, Arc::new(TokioHost), Arc::new(SimProtocol), options()).unwrap();
    let mut staged = outbox.stage_sealed(&room("a"), Box::new(ModelFile), vec![1; 20]).await.unwrap();
    blows.lock().unwrap().after(0, Blow::Fail(ErrorKind::Busy));
    assert_eq!(outbox.stage_more(&mut staged, vec![2]).await.unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(outbox.stage_more(&mut staged, vec![2]).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(staged.sealed().unwrap_err().kind(), ErrorKind::Invalid);
}

/// The process dies before each write of sealing and sending, and after it: every message arrives once, in order, from
/// a place of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_any_write_leaves_every_message_once_and_readable() {
    for (blow, lost) in [(Blow::DieBefore, false), (Blow::DieAfter, false), (Blow::DieBefore, true)] {
        let mut deaths = 0;
        for ahead in 0.. {
            let rows = MemoryStore::new();
            let wire = Arc::new(Wire::new(&[room("a"), room("b"), room("c")]));
            wire.model(|model| model.encrypt(&room("a"), 1).unwrap());
            let delta = wire.model(|model| model.sync(&wire.session, None, 100));
            apply_sync(&rows, &delta, Some(&wire.session.user), &SimProtocol).await.unwrap();
            let blows = Arc::new(Mutex::new(Blows::default()));
            let start = || {
                let store: Arc<dyn StorageAdapter> = Arc::new(Brittle::new(rows.clone(), blows.clone()));
                let outbox =
                    Outbox::new(store.clone(), Arc::new(TokioHost), Arc::new(SimProtocol), options())
                        .unwrap();
                let driver = Driver::new(outbox.clone(), wire.clone(), wire.session.clone());
                (outbox, driver.sealing(Arc::new(Sealer::new(store))))
            };
            let (outbox, driver) = start();
            for body in ["one", "two"] {
                outbox
                    .enqueue(draft("a", "m.room.message", &format!(r#"{{"body":"{body}"}}"#)))
                    .await
                    .unwrap();
            }
            if lost {
                wire.next([Fault::Unsent, Fault::AnswerLost]);
            }
            blows.lock().unwrap().after(ahead, blow);
            let is_sent = async || rows.pending(PendingQuery::default()).await.unwrap().iter().all(is_sent);
            let run = async |driver: Driver| {
                let driving = tokio::spawn(driver.run(Lead::Alone));
                while !blows.lock().unwrap().dead && !is_sent().await {
                    tokio::task::yield_now().await;
                }
                driving.abort();
                let _ = driving.await;
            };
            guarded("a death, or the end", run(driver)).await;
            let died = std::mem::take(&mut blows.lock().unwrap().dead);
            deaths += u32::from(died);
            guarded("the end", run(start().1)).await;
            let read = read(&wire, "a");
            let contents: Vec<_> = read.iter().map(|(_, _, content)| content.as_str()).collect();
            assert_eq!(contents, [r#"{"body":"one"}"#, r#"{"body":"two"}"#], "{blow:?} {ahead}");
            let places: BTreeSet<_> = wire
                .events(&room("a"))
                .iter()
                .filter_map(|e| e.content.parse::<Ciphertext>().ok())
                .map(|c| c.place)
                .collect();
            assert_eq!(places.len(), 2, "{blow:?} {ahead}");
            assert!(wire.all_forms().iter().all(Option::is_some), "{blow:?} {ahead}");
            if !died {
                break;
            }
        }
        assert!(deaths >= 6, "two messages are two leases, two places and two ends: {deaths}");
    }
}

fn is_sent(row: &Pending) -> bool {
    row.state == PendingState::Sent
}
