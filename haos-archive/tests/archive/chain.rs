//! Incremental archives.

use haos_archive::Backup;
use haos_backends::{Backend, Home, Store};
use haos_store_api::*;

use crate::content::{Content, bytes_of, open, read};
use crate::make::{self, Shape, fill, message, noise, room};
use crate::whole::passphrase;

fn large() -> Shape {
    Shape {
        seed: 5,
        rooms: 3,
        messages: 2000,
        state: 400,
        media: vec![700_000, 700_000, 5],
        pending: 9,
        huge: 0,
    }
}

/// Writes a little everywhere.
async fn change(store: &Store, n: u64) {
    let mut batch = WriteBatch::relaxed();
    batch
        .put_message(message(room(0), 700 + n, "edited"))
        .remove_message(room(1), make::event(50 + n))
        .put_message(message(room(0), 5000 + n, "new"))
        .put_media(make::media(40 + n), noise(1000, n))
        .remove_media(make::media_key(0))
        .touch_media(vec![make::media_key(1)], 1_000_000 + n as i64)
        .put_state(make::state(Scope::Account, 7, &format!("{n}")))
        .remove_pending(TxnId::new(format!("txn{n}")).unwrap());
    store.apply(batch).await.unwrap();
}

#[tokio::test]
async fn a_chain_equals_a_full_archive_and_each_link_is_small() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &large()).await;
    let mut files = vec![bytes_of(Backup::new(), &store).await];
    for n in 1..4 {
        // Places may be taken by a gap: the change is the same everywhere else.
        let mut batch = WriteBatch::relaxed();
        batch.remove_gap(room(0), Position::FIRST.newer(700 + n).unwrap());
        store.apply(batch).await.unwrap();
        change(&store, n).await;
        let links: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        let backup = Backup::new().base(open(&links, None).unwrap());
        let link = bytes_of(backup, &store).await;
        assert!(link.len() * 20 < files[0].len(), "{} of {}", link.len(), files[0].len());
        files.push(link);
    }
    let links: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let full = bytes_of(Backup::new(), &store).await;
    let expected = Content::of_store(&store).await;
    assert_eq!(read(&[&full], None).unwrap(), expected);
    let mut chain = open(&links, None).unwrap();
    assert_eq!(Content::of_archive(&mut chain).unwrap(), expected);
    chain.check(&Progress::none()).unwrap();
    assert_eq!(chain.summary().base.len(), 3);
    // The earlier ones in another order.
    assert_eq!(read(&[links[2], links[0], links[1], links[3]], None).unwrap(), expected);
    // Each link is an archive of its time.
    assert_ne!(read(&links[..2], None).unwrap(), expected);
}

#[tokio::test]
async fn an_encrypted_chain_is_encrypted_throughout() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &make::small()).await;
    let (encryption, identity) = passphrase();
    let plain = bytes_of(Backup::new(), &store).await;
    let full = bytes_of(Backup::new().encryption(encryption.clone()), &store).await;
    let base = || open(&[&full], Some(&identity)).unwrap();
    let link = bytes_of(Backup::new().encryption(encryption.clone()).base(base()), &store).await;
    assert_eq!(read(&[&full, &link], Some(&identity)).unwrap(), Content::of_store(&store).await);
    for backup in [
        Backup::new().base(base()),
        Backup::new().encryption(encryption).base(open(&[&plain], None).unwrap()),
    ] {
        assert_eq!(backup.run(&store, Vec::new()).await.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_wrong_or_missing_link_is_named() {
    let store = Home::new(Backend::Memory, false).open().await;
    fill(&store, &make::small()).await;
    let first = bytes_of(Backup::new(), &store).await;
    let other = bytes_of(Backup::new(), &store).await;
    let second = bytes_of(Backup::new().base(open(&[&first], None).unwrap()), &store).await;
    let third = bytes_of(Backup::new().base(open(&[&first, &second], None).unwrap()), &store).await;
    let id = |links: &[&[u8]]| open(links, None).unwrap().summary().id.to_string();
    let (first_id, second_id, other_id) = (id(&[&first]), id(&[&first, &second]), id(&[&other]));
    let fails = |links: &[&[u8]], named: &str| {
        let error = open(links, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(named), "{error}");
    };
    fails(&[&third], &first_id);
    fails(&[&first, &third], &second_id);
    fails(&[&second, &third], &first_id);
    fails(&[&other, &second, &third], &first_id);
    fails(&[&first, &second, &other, &third], &other_id);
    fails(&[&first, &other], &first_id);
    assert_eq!(open(&[], None).unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn media_that_the_base_has_is_not_read() {
    let mut home = Home::new(Backend::Memory, false);
    let store = home.open().await;
    fill(&store, &make::small()).await;
    let full = bytes_of(Backup::new(), &store).await;
    let mut batch = WriteBatch::relaxed();
    // The bytes differ; key, size and time of fetching are the same.
    batch.put_media(make::media(1), noise(900, 77));
    store.apply(batch).await.unwrap();
    let link = bytes_of(Backup::new().base(open(&[&full], None).unwrap()), &store).await;
    let kept = &read(&[&full, &link], None).unwrap().media[&make::media_key(1)];
    assert_eq!(kept.1, noise(900, make::small().seed), "the base's bytes were taken");
}
