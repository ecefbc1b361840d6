//! A timeline whose history is on the server.

use haos::live::timeline::Reach;
use haos::{Error, EventId, Timeline, TimelineItemKind};
use haos_stub::server::Server;

use crate::world::{connected, lobby, logged_in};

/// The server's first events are the room's state.
const STATE: usize = 3;

async fn texts(timeline: &Timeline) -> Vec<String> {
    let items = timeline.items().await.unwrap();
    items.iter().filter_map(|item| Some(item.post()?.content.plain())).collect()
}

fn event(nr: usize) -> EventId {
    EventId::new(format!("$e{}", STATE + nr)).unwrap()
}

fn old(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|nr| format!("old {nr}")).collect()
}

#[tokio::test]
async fn history_is_fetched_where_it_is_shown() {
    let server = Server::start(500);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let timeline = chat.room(&lobby()).timeline(5).await.unwrap();
    assert_eq!(texts(&timeline).await, old(495..500));
    let reach = timeline.older(20).await.unwrap();
    assert_eq!(reach, Reach { is_end: false, stopped: None });
    assert_eq!(texts(&timeline).await, old(475..500));
    // Far away: several requests, and the rest of the history is left where it is.
    timeline.around(&event(60), 4).await.unwrap();
    assert_eq!(texts(&timeline).await, old(58..63));
    let unknown = timeline.around(&EventId::new("$nowhere").unwrap(), 4).await;
    assert!(matches!(unknown, Err(Error::NotFound { .. })), "{unknown:?}");
    assert_eq!(texts(&timeline).await, old(58..63), "it stays");
    chat.close().await.unwrap();
}

#[tokio::test]
async fn a_gap_is_filled_where_it_is_shown() {
    let server = Server::start(30);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let timeline = chat.room(&lobby()).timeline(50).await.unwrap();
    let items = timeline.items().await.unwrap();
    let gap = items.iter().find(|item| matches!(item.kind, TimelineItemKind::Gap)).unwrap();
    let before = texts(&timeline).await.len();
    assert_eq!(timeline.fill(gap).await.unwrap(), Reach { is_end: true, stopped: None });
    assert!(texts(&timeline).await.len() > before);
    assert_eq!(timeline.fill(gap).await.unwrap(), Reach { is_end: true, stopped: None }, "it is gone");
    chat.close().await.unwrap();
}
