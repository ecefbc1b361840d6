use std::future::IntoFuture as _;

use futures_util::FutureExt as _;
use haos::{Chat, Connection, Error, ErrorKind, OpenOptions, Secret};
use haos_stub::{Mood, Stub};

use crate::world::{World, known, lobby, over, until};

fn kind(outcome: Result<Chat, Error>) -> ErrorKind {
    match outcome {
        Err(Error::Store(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bad_url_is_refused() {
    for url in ["", "chat.db", "sqlite:", "postgres:x"] {
        assert_eq!(kind(Chat::open(url).await), ErrorKind::Invalid, "{url}");
    }
    assert_eq!(kind(Chat::open("idb:chat").await), ErrorKind::Unsupported);
}

#[test]
fn without_a_runtime_only_an_offline_chat_opens() {
    let opening = Chat::open("memory:").into_future().now_or_never().unwrap();
    assert!(opening.as_ref().unwrap_err().to_string().contains("tokio runtime"));
    assert_eq!(kind(opening), ErrorKind::Invalid);
    let chat = Chat::open("memory:").offline().into_future().now_or_never().unwrap().unwrap();
    chat.room(&lobby()).send("hello").now_or_never().unwrap().unwrap();
    assert_eq!(chat.outbox().now().now_or_never().unwrap().unwrap().len(), 1);
    chat.close().now_or_never().unwrap().unwrap();
}

#[tokio::test]
async fn a_sealed_chat_asks_for_its_secret() {
    let world = World::new();
    let secret = || Secret::key([7; 32]);
    let chat = Chat::open(&world.url()).secret(secret()).offline().await.unwrap();
    known(&chat, &lobby()).await;
    chat.room(&lobby()).draft().set("sealed").await.unwrap();
    chat.close().await.unwrap();
    assert_eq!(kind(Chat::open(&world.url()).await), ErrorKind::Sealed);
    assert_eq!(kind(Chat::open(&world.url()).secret(Secret::key([8; 32])).await), ErrorKind::WrongKey);
    let options = OpenOptions { create: false, ..OpenOptions::default() };
    let chat = Chat::open(&world.url()).secret(secret()).store_options(options).await.unwrap();
    assert_eq!(chat.room(&lobby()).draft().get().await.unwrap().unwrap().text, "sealed");
    assert!(!std::fs::read(world.path("chat.db")).unwrap().windows(6).any(|bytes| bytes == b"sealed"));
}

#[tokio::test]
async fn an_offline_chat_sends_nothing() {
    let (world, stub) = (World::new(), Stub::new(Mood::Up));
    let chat = over(&world.url(), &stub).offline().await.unwrap();
    chat.room(&lobby()).send("later").await.unwrap();
    chat.try_now();
    chat.set_online(true);
    let now = chat.connection().now().await.unwrap();
    assert_eq!((now.connection, now.unsent), (Connection::Offline, 1));
    chat.close().await.unwrap();
    assert_eq!(stub.calls(), 0);
    let chat = over(&world.url(), &stub).await.unwrap();
    until(chat.connection(), |now| now.unsent == 0).await;
    assert_eq!(stub.count(), 1, "whoever runs sends it");
}

#[tokio::test]
async fn a_closed_chat_is_closed_for_every_clone() {
    let stub = Stub::new(Mood::Up);
    let chat = over("memory:", &stub).await.unwrap();
    let (clone, mut connection) = (chat.clone(), chat.connection());
    let mut waiting = tokio::spawn(async move { while connection.next().await.unwrap().is_some() {} });
    assert!((&mut waiting).now_or_never().is_none());
    chat.close().await.unwrap();
    waiting.await.unwrap();
    let error = clone.room(&lobby()).send("late").await.unwrap_err();
    assert!(matches!(&error, Error::Store(e) if e.kind() == ErrorKind::Closed), "{error}");
    clone.close().await.unwrap();
}

#[tokio::test]
async fn what_is_watched_ends_with_a_chat_that_is_dropped() {
    for is_offline in [false, true] {
        let opening = over("memory:", &Stub::new(Mood::Up));
        let chat = if is_offline { opening.offline().await.unwrap() } else { opening.await.unwrap() };
        let (mut connection, mut storage) = (chat.connection(), chat.storage());
        assert!(connection.next().await.unwrap().is_some() && storage.next().await.unwrap().is_some());
        drop(chat);
        while connection.next().await.unwrap().is_some() {}
        while storage.next().await.unwrap().is_some() {}
    }
}

#[tokio::test]
async fn a_sound_store_has_no_recovery_and_a_damaged_one_says_what_was_carried_over() {
    let (world, stub) = (World::new(), Stub::new(Mood::Down));
    let chat = over(&world.url(), &stub).offline().await.unwrap();
    assert_eq!(chat.recovery(), None);
    for n in 0..3 {
        chat.room(&lobby()).send(format!("unsent {n}")).await.unwrap();
    }
    chat.close().await.unwrap();
    drop(chat);
    let path = world.path("chat.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // The number of pages: SQLite says that the file is malformed.
    bytes[100..108].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let chat = over(&world.url(), &stub).offline().await.unwrap();
    let report = chat.recovery().unwrap();
    assert!(report.set_aside.is_some(), "{report}");
    assert_eq!(report.unsent, chat.outbox().now().await.unwrap().len() as u64, "{report}");
    assert!(report.to_string().starts_with("the store was damaged"));
}
