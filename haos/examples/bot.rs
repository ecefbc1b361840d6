//! A bot that answers `pong` to `ping` in one room, with or without a network in between.
//!
//! ```sh
//! cargo run -p haos --example bot -- https://matrix.example.org bot PASSWORD '#lobby:example.org'
//! ```

use haos::{Chat, Content, Credentials, Diff, Text, TimelineItemKind};

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
    let (_, mut diffs) = room.timeline(50).await?.subscribe().await?;
    println!("listening; Ctrl-C ends it");
    loop {
        let steps = tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            steps = diffs.next() => steps?,
        };
        let Some(steps) = steps else { break };
        // What comes in is answered; what was there before is not, and neither is what is only changed.
        for step in steps {
            let Diff::Insert { item, .. } = step else { continue };
            let TimelineItemKind::Event(event) = &item.kind else { continue };
            let is_ping = matches!(&event.post.content, Content::Text { body, .. } if body == "ping");
            if is_ping && !event.post.is_own {
                room.send(Text::new("pong").reply_to(&event.event_id)).await?;
            }
        }
    }
    chat.close().await?;
    Ok(())
}
