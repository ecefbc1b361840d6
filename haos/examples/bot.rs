//! A bot that answers `pong` to `ping`, with or without a network in between.
//!
//! ```sh
//! cargo run -p haos --example bot -- https://matrix.example.org bot PASSWORD
//! ```

use std::collections::HashMap;

use haos::{Chat, Credentials, EventId, RoomId};
use haos_store_api::{Change, Page, RoomQuery, Touched};

/// Where the bot keeps what it knows, so that a restart goes on.
const STORE: &str = "sqlite:bot.db";
/// Messages that are looked at again after a change.
const NEWEST: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let chat = Chat::open(STORE).name("bot").await?;
    if !chat.account().is_some_and(|account| account.is_logged_in) {
        let (Some(server), Some(user), Some(password)) = (args.next(), args.next(), args.next()) else {
            return Err("who am I? Name homeserver, user and password".into());
        };
        chat.login(&server, Credentials::password(user, password)).await?;
    }
    let me = chat.account().ok_or("nobody is logged in")?.user;

    // The newest message of each room that needs no answer any more: those of before the start do not.
    let mut changes = chat.store().changes();
    let mut seen: HashMap<RoomId, Option<EventId>> = HashMap::new();
    for room in chat.store().rooms(RoomQuery::default()).await? {
        let newest = chat.store().timeline(&room.id, Page::newest(1)).await?;
        seen.insert(room.id, newest.messages().next().map(|message| message.id.clone()));
    }
    println!("{me} listens; Ctrl-C ends it");
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            change = changes.next() => match change {
                Some(Change::Commit { touched, .. }) => {
                    for touched in touched.iter() {
                        let Touched::Room(room) = touched else { continue };
                        let newest = chat.store().timeline(room, Page::newest(NEWEST)).await?;
                        let known = seen.get(room).cloned().flatten();
                        let messages: Vec<_> = newest.messages().collect();
                        let next = messages.iter().position(|message| Some(&message.id) == known.as_ref());
                        for message in &messages[next.map_or(0, |at| at + 1)..] {
                            let is_ping = message.content.text("body").as_deref() == Some("ping");
                            if is_ping && message.sender != me {
                                chat.room(room).send("pong").await?;
                            }
                        }
                        seen.insert(room.clone(), messages.last().map(|message| message.id.clone()));
                    }
                }
                Some(_) => {}
                None => break,
            },
        }
    }
    chat.close().await?;
    Ok(())
}
