//! What is stored, without a network: the rooms of a chat, and the end of the first one's timeline.
//!
//! ```sh
//! cargo run -p haos --example read -- sqlite:chat.db
//! ```

use haos::{Chat, RoomFilter, TimelineItemKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:chat.db".to_owned());
    let chat = Chat::open(&url).offline().await?;
    let rooms = chat.rooms(RoomFilter::all()).now().await?;
    for room in rooms.iter() {
        let latest = room.latest.as_ref().map_or("", |latest| latest.text.as_str());
        println!("{:3} {}: {latest}", room.unread, room.name);
    }
    if let Some(room) = rooms.first() {
        println!("\n{}", room.name);
        for item in chat.room(&room.id).timeline(20).await?.items().await?.iter() {
            match &item.kind {
                TimelineItemKind::Day { date, .. } => println!("— {date} —"),
                TimelineItemKind::Gap => println!("⋯"),
                TimelineItemKind::ReadMarker => println!("— unread —"),
                _ => {
                    let Some(post) = item.post() else { continue };
                    let name = post.sender.name.as_deref().unwrap_or(post.sender.id.as_str());
                    println!("{name}: {}", post.content.plain());
                }
            }
        }
    }
    chat.close().await?;
    Ok(())
}
