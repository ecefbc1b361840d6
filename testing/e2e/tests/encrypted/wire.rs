use haos::{FileInfo, Text};
use haos_e2e::{Recorded, StoreKind};
use haos_store_api::EventId;

use crate::world::{Scene, bytes};

/// The bytes of a file that are looked for at a place.
const PART: usize = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn nothing_that_is_written_in_an_encrypted_room_goes_out_in_clear() {
    let Scene { own, peer, room, .. } = Scene::set("wire", StoreKind::SealedSqlite).await;
    let handle = own.room(&room);
    let id = |event: &str| EventId::new(event).unwrap();
    // In a room that is not encrypted everything is found, so that a search that finds nothing says something.
    let open = haos::NewRoom { name: Some("Open".to_owned()), ..haos::NewRoom::default() };
    let open = own.chat.create_room(&open).await.unwrap();
    open.send("known-to-everybody").await.unwrap();
    let known = bytes(50_000, 21);
    open.send_file(known.clone(), FileInfo::guess().name("known-file.bin")).await.unwrap();

    let theirs = peer.says(&room, "said-by-the-peer").await;
    own.until_reads(&room, "said-by-the-peer").await;
    let first = own.says(&room, "said-in-private").await;
    handle.edit(&id(&first), "edited-in-private").await.unwrap();
    handle.send(Text::new("answered-in-private").reply_to(&id(&theirs))).await.unwrap();
    handle.send(Text::html("bold-in-private", "<b>formatted-in-private</b>")).await.unwrap();
    handle.react(&id(&theirs), "reacted-in-clear").await.unwrap();
    handle.typing(true).await.unwrap();
    handle.draft().set("drafted-in-private").await.unwrap();
    handle.mark_read(&id(&theirs)).await.unwrap();
    let (picture, small) = (bytes(200_000, 31), bytes(5_000, 33));
    let info = FileInfo::guess().name("named-in-private.png").mime("image/png");
    let info = info.thumbnail(small.clone()).thumbnail_mime("image/png").caption("captioned-in-private");
    handle.send_file(picture.clone(), info).await.unwrap();
    own.until_delivered().await;
    peer.until_reads(&room, "captioned-in-private").await;
    own.chat.close().await.unwrap();

    let wire = own.proxy.recorded();
    println!("{} requests, {} bytes", wire.len(), wire.iter().map(|sent| sent.body.len()).sum::<usize>());
    let parts = |file: &[u8]| -> Vec<Vec<u8>> {
        [0, 4_096, file.len() / 2, file.len() - PART].map(|at| file[at..at + PART].to_vec()).into()
    };
    for known in ["known-to-everybody", "known-file.bin", "reacted-in-clear"] {
        assert!(found(&wire, known.as_bytes()).is_some(), "{known}");
    }
    for part in parts(&known) {
        assert!(found(&wire, &part).is_some());
    }
    let texts = [
        "said-by-the-peer",
        "said-in-private",
        "edited-in-private",
        "answered-in-private",
        "bold-in-private",
        "formatted-in-private",
        "drafted-in-private",
        "named-in-private",
        "captioned-in-private",
        // Nor what kind of file it is.
        "image/png",
    ];
    for text in texts {
        assert_eq!(found(&wire, text.as_bytes()), None, "{text}");
    }
    for part in parts(&picture).into_iter().chain(parts(&small)) {
        assert_eq!(found(&wire, &part), None, "a part of a file");
    }
}

/// The request that has these bytes in its head or body.
fn found<'a>(wire: &'a [Recorded], bytes: &[u8]) -> Option<&'a str> {
    let has = |of: &[u8]| of.windows(bytes.len()).any(|window| window == bytes);
    wire.iter().find(|sent| has(sent.head.as_bytes()) || has(&sent.body)).map(|sent| &*sent.head)
}
