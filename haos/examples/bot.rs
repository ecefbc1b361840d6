//! A bot that answers `pong` to `ping` in one room, with or without a network in between.
//!
//! ```sh
//! cargo run -p haos --example bot -- https://matrix.example.org bot PASSWORD '#lobby:example.org'
//! ```

use std::collections::HashSet;

use haos::live::timeline::EventItem;
use haos::{Chat, Content, Credentials, EventId, Text, TimelineItem, TimelineItemKind};

/// Where the bot keeps what it knows, so that a restart goes on.
const STORE: &str = "sqlite:bot.db";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [server, user, password, room] = args.as_slice() else {
        return Err("who am I, and where? Name homeserver, user, password and room".into());
    };
    let chat = Chat::open(STORE).name("bot").await?;
    if !chat.account().is_some_and(|account| account.is_logged_in) {
        chat.login(server, Credentials::password(user, password)).await?;
    }
    let room = chat.join(room).await?;
    let (mut items, mut diffs) = room.timeline(50).await?.subscribe().await?;
    // What was there before is not answered.
    let mut seen: HashSet<EventId> =
        items.iter().filter_map(|item| Some(event(item)?.event_id.clone())).collect();
    println!("listening; Ctrl-C ends it");
    loop {
        let steps = tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            steps = diffs.next() => steps?,
        };
        let Some(steps) = steps else { break };
        for step in steps {
            step.apply(&mut items)?;
        }
        // Whatever the steps were, a reset among them, each message is answered once.
        for event in items.iter().filter_map(|item| event(item)) {
            let is_new = seen.insert(event.event_id.clone());
            let is_ping = matches!(&event.post.content, Content::Text { body, .. } if body == "ping");
            if is_new && is_ping && !event.post.is_own {
                room.send(Text::new("pong").reply_to(&event.event_id)).await?;
            }
        }
    }
    chat.close().await?;
    Ok(())
}

fn event(item: &TimelineItem) -> Option<&EventItem> {
    match &item.kind {
        TimelineItemKind::Event(event) => Some(event),
        _ => None,
    }
}
