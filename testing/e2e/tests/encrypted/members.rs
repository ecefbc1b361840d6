use haos::Membership;
use haos::content::{Content, Unreadable};
use haos_e2e::StoreKind;

use crate::own::Own;
use crate::peer::Peer;
use crate::world::{Scene, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_peer_that_left_cannot_read_what_follows_and_reads_again_once_it_is_back() {
    let Scene { own, peer, room, .. } = Scene::set("left", StoreKind::Sqlite).await;
    register("left-third").await;
    let third = Peer::login("left-third").await;
    peer.invites(&room, third.user()).await;
    third.joins(&room).await;
    own.sees_member(&room, third.user(), Membership::Join).await;
    own.says(&room, "to all").await;
    third.until_reads(&room, "to all").await;
    third.leaves(&room).await;
    own.sees_member(&room, third.user(), Membership::Leave).await;
    let secret = own.says(&room, "without the third").await;
    peer.until_reads(&room, "without the third").await;
    // The server gives whoever is back what was said meanwhile, as it was said.
    peer.invites(&room, third.user()).await;
    third.joins(&room).await;
    own.sees_member(&room, third.user(), Membership::Join).await;
    own.says(&room, "to all again").await;
    third.until_reads(&room, "to all again").await;
    let meanwhile = third.until_has(&room, "what was said meanwhile", |read| read.event == secret).await;
    assert!(meanwhile.failure.is_some() && meanwhile.body.is_none(), "{meanwhile:?}");
    assert_eq!(third.bodies(&room).await, ["to all", "to all again"]);
    assert_eq!(peer.bodies(&room).await, ["to all", "without the third", "to all again"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn who_left_by_us_cannot_read_what_the_peer_writes_then() {
    let Scene { own, peer, room, .. } = Scene::set("we-left", StoreKind::SealedSqlite).await;
    peer.says(&room, "to both").await;
    own.until_reads(&room, "to both").await;
    own.room(&room).leave().await.unwrap();
    peer.sees_member(&room, own.user(), "leave").await;
    let secret = peer.says(&room, "alone").await;
    peer.invites(&room, own.user()).await;
    own.enters(&room).await;
    peer.sees_member(&room, own.user(), "join").await;
    peer.says(&room, "to both again").await;
    own.until_reads(&room, "to both again").await;
    own.room(&room).timeline(50).await.unwrap().older(50).await.unwrap();
    let meanwhile =
        own.until_has(&room, "what was said meanwhile", |event| event.event_id.as_str() == secret).await;
    // Nobody was told why: it was given to nobody else.
    let is_unreadable = matches!(
        meanwhile.post.content,
        Content::Encrypted { unreadable: Some(Unreadable::NoKey | Unreadable::Withheld { .. }), .. }
    );
    assert!(is_unreadable, "{:?}", meanwhile.post.content);
    assert_eq!(own.bodies(&room).await, ["to both", "to both again"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_peer_that_joins_reads_from_then_on() {
    let Scene { own, peer, room, .. } = Scene::set("joined", StoreKind::Sqlite).await;
    register("joined-third").await;
    let third = Peer::login("joined-third").await;
    let before = own.says(&room, "before the third").await;
    let theirs = peer.says(&room, "before the third, too").await;
    own.until_reads(&room, "before the third, too").await;
    peer.invites(&room, third.user()).await;
    third.joins(&room).await;
    own.sees_member(&room, third.user(), Membership::Join).await;
    peer.sees_member(&room, third.user(), "join").await;
    own.says(&room, "welcome").await;
    third.until_reads(&room, "welcome").await;
    third.says(&room, "hello").await;
    own.until_reads(&room, "hello").await;
    peer.says(&room, "hello, too").await;
    third.until_reads(&room, "hello, too").await;
    let reads = third.reads(&room).await;
    for event in [before, theirs] {
        let read = reads.iter().find(|read| read.event == event).unwrap();
        assert!(read.failure.is_some() && read.body.is_none(), "{read:?}");
    }
    assert_eq!(third.bodies(&room).await, ["welcome", "hello", "hello, too"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn who_joins_by_us_reads_from_then_on() {
    let Scene { own, peer, room, .. } = Scene::set("we-joined", StoreKind::Sqlite).await;
    register("we-joined-third").await;
    let third = Own::login("we-joined-third", StoreKind::Sled).await;
    peer.knows_device(third.user(), third.device()).await;
    let before = peer.says(&room, "before the third").await;
    own.says(&room, "before the third, too").await;
    peer.invites(&room, third.user()).await;
    third.enters(&room).await;
    peer.sees_member(&room, third.user(), "join").await;
    own.sees_member(&room, third.user(), Membership::Join).await;
    peer.says(&room, "welcome").await;
    third.until_reads(&room, "welcome").await;
    own.says(&room, "welcome, too").await;
    third.until_reads(&room, "welcome, too").await;
    third.says(&room, "hello").await;
    peer.until_reads(&room, "hello").await;
    own.until_reads(&room, "hello").await;
    third.room(&room).timeline(50).await.unwrap().older(50).await.unwrap();
    let early =
        third.until_has(&room, "what was said before", |event| event.event_id.as_str() == before).await;
    assert!(matches!(early.post.content, Content::Encrypted { .. }), "{:?}", early.post.content);
    assert_eq!(third.bodies(&room).await, ["welcome", "welcome, too", "hello"]);
}
