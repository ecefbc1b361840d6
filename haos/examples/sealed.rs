//! A chat whose store says nothing without its passphrase.
//!
//! ```sh
//! cargo run -p haos --example sealed
//! ```

use haos::{Chat, Error, ErrorKind, RoomId, Secret};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("chat.db").display());
    let lobby = RoomId::new("!lobby:example.org")?;

    let chat = Chat::open(&url).secret(Secret::passphrase("red green blue")).offline().await?;
    chat.room(&lobby).send("for nobody else").await?;
    chat.close().await?;

    // Without a passphrase, and with a wrong one, the store tells what it needs.
    for opening in [Chat::open(&url), Chat::open(&url).secret(Secret::passphrase("red green brown"))] {
        match opening.offline().await {
            Err(Error::Store(error)) if matches!(error.kind(), ErrorKind::Sealed | ErrorKind::WrongKey) => {
                println!("{error}");
            }
            other => return Err(format!("it opened: {other:?}").into()),
        }
    }

    let chat = Chat::open(&url).secret(Secret::passphrase("red green blue")).offline().await?;
    for row in chat.outbox().now().await?.iter() {
        println!("still unsent in {}: {}", row.room, row.text);
    }
    chat.close().await?;
    Ok(())
}
