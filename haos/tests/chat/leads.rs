use std::time::{Duration, Instant};

use haos::{Chat, Connection};
use haos_stub::{Mood, Stub};

use crate::world::{World, connected, lobby, over, password, sent, soon, until};
use haos_stub::server::Server;

#[tokio::test]
async fn of_two_chats_on_one_store_one_runs_and_the_other_takes_over() {
    let (world, stub) = (World::new(), Stub::new(Mood::Down));
    let first = over(&world.url(), &stub).await.unwrap();
    until(first.connection(), |now| now.connection == Connection::Live).await;
    let second = over(&world.url(), &stub).await.unwrap();
    until(second.connection(), |now| now.connection == Connection::Elsewhere).await;
    second.room(&lobby()).send("waits").await.unwrap();
    // The one that runs hears of it, and tries.
    soon("the first tries", || stub.calls() > 0).await;
    first.close().await.unwrap();
    stub.set(Mood::Up);
    let closed = Instant::now();
    sent(&second).await;
    assert_eq!(stub.count(), 1);
    assert!(closed.elapsed() < Duration::from_secs(10), "{:?}", closed.elapsed());
    until(second.connection(), |now| now.connection == Connection::Live).await;
}

#[tokio::test]
async fn a_chat_that_is_dropped_makes_room_as_well() {
    let (world, stub) = (World::new(), Stub::new(Mood::Up));
    let first = over(&world.url(), &stub).await.unwrap();
    until(first.connection(), |now| now.connection == Connection::Live).await;
    let second = over(&world.url(), &stub).await.unwrap();
    let (room, clone) = (first.room(&lobby()), first.clone());
    drop(first);
    drop(clone);
    room.send("the room keeps it running").await.unwrap();
    sent(room.chat()).await;
    drop(room);
    until(second.connection(), |now| now.connection == Connection::Live).await;
}

#[tokio::test]
async fn a_login_in_one_chat_is_taken_up_by_another() {
    let (world, server) = (World::new(), Server::start(2));
    let (first, second) = (Chat::open(&world.url()).await.unwrap(), Chat::open(&world.url()).await.unwrap());
    assert_eq!(first.connection().now().await.unwrap().connection, Connection::LoggedOut);
    first.login(&server.url, password()).await.unwrap();
    connected(&first).await;
    until(second.connection(), |now| now.connection == Connection::Elsewhere).await;
    assert_eq!(second.account(), first.account());
    assert_eq!(second.room(&lobby()).info().await.unwrap().name.as_deref(), Some("Lobby"));
    first.close().await.unwrap();
    connected(&second).await;
}
