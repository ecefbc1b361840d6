//! The secrets of a sealed store, and their changes.

use std::collections::{BTreeSet, HashSet};

use super::*;

fn words(text: &str) -> Secret {
    Secret::passphrase(text)
}

fn other_key(n: u8) -> Secret {
    Secret::key([n; 32])
}

fn cheap() -> KdfParams {
    Opening::at("").kdf
}

/// Opens the store of the case with a secret.
async fn with(harness: &Durable, secret: &Secret) -> Result<Store> {
    harness.open(Opening::at(place(harness)).secret(secret.clone())).await
}

/// Makes a closed store that is sealed with the secret.
async fn make_with(harness: &Durable, secret: &Secret) -> Outcome {
    make(harness, Opening::at(place(harness)).secret(secret.clone())).await
}

/// The secret opens the store of the case, which holds its outbox.
async fn opens(harness: &Durable, secret: &Secret, expected: &[&str]) -> Outcome {
    let store = with(harness, secret).await?;
    same(txns(&store).await?, expected)?;
    Ok(store.close().await?)
}

async fn is_wrong(harness: &Durable, secret: &Secret) -> Outcome {
    fails(with(harness, secret).await, ErrorKind::WrongKey)
}

/// Tells whether any stretch of random bytes of `record` stands in the store's files.
fn remains(harness: &Durable, record: &[u8]) -> Result<bool, Failure> {
    const STRETCH: usize = 16;
    let stretches: HashSet<&[u8]> = record.windows(STRETCH).collect();
    let files = files(harness.folder())?;
    Ok(files.values().any(|bytes| bytes.windows(STRETCH).any(|window| stretches.contains(window))))
}

pub(crate) async fn a_secret_makes_a_new_store_a_sealed_one(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    for (name, secret) in [("by key", key()), ("by words", words("correct horse"))] {
        let opening = Opening::at(harness.folder().join(name)).secret(secret);
        let store = harness.open(opening.clone()).await?;
        holds(store.info().sealed, "it is sealed from the beginning")?;
        store.apply(sample()).await?;
        store.close().await?;
        same(key_ids(sealing, &opening.path), BTreeSet::from([1]))?;

        let store = harness.open(opening).await?;
        holds(store.info().sealed, "it is sealed afterwards")?;
        same(txns(&store).await?, ["t1", "t2", "t3"])?;
        same(some(store.media(&media_key("cat"), ByteRange::ALL).await?)?.bytes, pattern(100_000))?;
        is_sound(&store).await?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn without_a_secret_a_sealed_store_is_refused_untouched(harness: &Durable) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    make_with(harness, &key()).await?;
    let before = lasting(harness)?;
    let plain = Opening::at(place(harness));
    for opening in [plain.clone(), plain.checked()] {
        same(refusal(harness, opening).await?.kind(), ErrorKind::Sealed)?;
        holds(before == lasting(harness)?, "nothing is changed")?;
    }
    Ok(())
}

pub(crate) async fn a_wrong_secret_is_refused_untouched(harness: &Durable) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    for right in [key(), words("right")] {
        make_with(harness, &right).await?;
        let before = lasting(harness)?;
        for wrong in [other_key(8), words("wrong"), words("")] {
            is_wrong(harness, &wrong).await?;
            holds(before == lasting(harness)?, "nothing is changed")?;
        }
        opens(harness, &right, &["t1", "t2", "t3"]).await?;
        clear(harness, &place(harness))?;
    }
    Ok(())
}

pub(crate) async fn a_secret_for_a_plain_store_that_holds_something_is_refused_untouched(
    harness: &Durable,
) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    make(harness, Opening::at(place(harness))).await?;
    let before = lasting(harness)?;
    for secret in [key(), words("correct horse")] {
        fails(with(harness, &secret).await, ErrorKind::NotSealed)?;
        holds(before == lasting(harness)?, "nothing is changed")?;
    }
    same(txns(&open(harness, &place(harness)).await?).await?.len(), 3)
}

pub(crate) async fn a_sealed_store_is_resumed_without_its_secret(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    make_with(harness, &words("correct horse")).await?;
    let store = with(harness, &words("correct horse")).await?;
    store.suspend().await?;
    // Meanwhile somebody else changes who can open it, and rotates.
    let other = with(harness, &words("correct horse")).await?;
    other.change_keys(KeyChange::SetPassphrase(words("battery staple"), cheap())).await?;
    other.maintain(Maintenance::Rotate, Progress::none()).await?;
    other.close().await?;

    store.resume().await?;
    same(txns(&store).await?.len(), 3)?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "after"));
    store.apply(batch).await?;
    store.close().await?;
    same(key_ids(sealing, &place(harness)), BTreeSet::from([2]))?;
    opens(harness, &words("battery staple"), &["t1", "t2", "t3", "after"]).await
}

pub(crate) async fn a_store_that_was_shredded_is_not_resumed(harness: &Durable) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    make_with(harness, &key()).await?;
    let store = with(harness, &key()).await?;
    store.suspend().await?;
    with(harness, &key()).await?.change_keys(KeyChange::Shred).await?;
    fails(store.resume().await, ErrorKind::WrongKey)
}

pub(crate) async fn a_keyring_of_which_one_byte_is_changed_is_refused_untouched(
    harness: &Durable,
) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    make_with(harness, &key()).await?;
    // It would be restored.
    without_mirror(harness, &place(harness))?;
    let record = sealing.keyring(&place(harness));
    for at in 0..record.len() {
        let mut bytes = record.clone();
        bytes[at] ^= 0x01;
        sealing.set_keyring(&place(harness), &bytes);
        let before = lasting(harness)?;
        let kind = refusal(harness, sealed(&place(harness))).await?.kind();
        // The first byte is the version of the format.
        let is_told = matches!(kind, ErrorKind::Corrupt | ErrorKind::NewerSchema);
        holds(is_told && before == lasting(harness)?, &format!("byte {at} is noticed: {kind:?}"))?;
    }
    Ok(())
}

pub(crate) async fn after_a_change_of_passphrase_the_new_one_opens_and_the_old_one_does_not(
    harness: &Durable,
) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    make_with(harness, &words("old")).await?;
    let record = sealing.keyring(&place(harness));
    let store = with(harness, &words("old")).await?;
    store.change_keys(KeyChange::SetPassphrase(words("new"), cheap())).await?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "after"));
    store.apply(batch).await?;
    store.close().await?;

    is_wrong(harness, &words("old")).await?;
    opens(harness, &words("new"), &["t1", "t2", "t3", "after"]).await?;
    holds(!remains(harness, &record[24..])?, "the old slot is overwritten")
}

pub(crate) async fn a_recovery_key_opens_the_store_until_it_is_removed(harness: &Durable) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    make_with(harness, &words("words")).await?;
    let store = with(harness, &words("words")).await?;
    store.change_keys(KeyChange::AddKey("recovery".to_owned(), key())).await?;
    store.close().await?;

    let store = with(harness, &key()).await?;
    same(txns(&store).await?.len(), 3)?;
    // A user who has forgotten the passphrase sets another.
    store.change_keys(KeyChange::SetPassphrase(words("remembered"), cheap())).await?;
    store.change_keys(KeyChange::RemoveKey("recovery".to_owned())).await?;
    store.close().await?;
    is_wrong(harness, &key()).await?;
    is_wrong(harness, &words("words")).await?;
    opens(harness, &words("remembered"), &["t1", "t2", "t3"]).await
}

pub(crate) async fn a_key_of_the_same_name_is_replaced(harness: &Durable) -> Outcome {
    let Some(_) = harness.sealing() else { return Ok(()) };
    make_with(harness, &key()).await?;
    let store = with(harness, &key()).await?;
    for n in [20, 21] {
        store.change_keys(KeyChange::AddKey("phone".to_owned(), other_key(n))).await?;
    }
    store.close().await?;
    is_wrong(harness, &other_key(20)).await?;
    opens(harness, &other_key(21), &["t1", "t2", "t3"]).await
}

pub(crate) async fn the_last_secret_stays(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    for (secret, last) in
        [(words("words"), KeyChange::RemovePassphrase), (key(), KeyChange::RemoveKey("key".to_owned()))]
    {
        make_with(harness, &secret).await?;
        let store = with(harness, &secret).await?;
        let before = sealing.keyring(&path);
        fails(store.change_keys(last.clone()).await, ErrorKind::Invalid)?;
        holds(sealing.keyring(&path) == before, "nothing is written")?;
        same(txns(&store).await?.len(), 3)?;

        store.change_keys(KeyChange::AddKey("other".to_owned(), other_key(9))).await?;
        store.change_keys(last).await?;
        store.close().await?;
        is_wrong(harness, &secret).await?;
        opens(harness, &other_key(9), &["t1", "t2", "t3"]).await?;
        clear(harness, &path)?;
    }
    Ok(())
}

pub(crate) async fn a_change_that_cannot_be_made_is_invalid_and_changes_nothing(
    harness: &Durable,
) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    make_with(harness, &key()).await?;
    let store = with(harness, &key()).await?;
    let before = sealing.keyring(&place(harness));
    for wrong in [
        KeyChange::SetPassphrase(key(), cheap()),
        KeyChange::SetPassphrase(words("x"), KdfParams { memory_kib: u32::MAX, ..cheap() }),
        KeyChange::SetPassphrase(words("x"), KdfParams { passes: 0, ..cheap() }),
        KeyChange::RemovePassphrase,
        KeyChange::RemoveKey("nobody".to_owned()),
        KeyChange::AddKey(String::new(), other_key(9)),
        KeyChange::AddKey("n".repeat(65), other_key(9)),
        KeyChange::AddKey("words".to_owned(), words("words")),
    ] {
        let done = fails(store.change_keys(wrong.clone()).await, ErrorKind::Invalid);
        done.map_err(|f| f.within(format_args!("{wrong:?}")))?;
    }
    holds(sealing.keyring(&place(harness)) == before, "nothing is written")
}

pub(crate) async fn a_plain_store_has_no_keys_to_change(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    store.apply(sample_with(1000)).await?;
    for change in [KeyChange::SetPassphrase(words("x"), cheap()), KeyChange::Shred] {
        fails(store.change_keys(change).await, ErrorKind::NotSealed)?;
    }
    fails(store.maintain(Maintenance::Rotate, Progress::none()).await, ErrorKind::NotSealed)?;
    same(txns(&store).await?.len(), 3)
}
