//! The mirror of the outbox: one damaged place of the store or of its mirror loses no unsent row, and brings none back.

use std::fs;

use super::kill::{kills, run_and_kill};
use super::*;
use crate::files::{Expected, beside, refuse_odd};

/// The unsent rows of most cases.
const ROWS: u64 = 20;
/// The page of a file system, which fails as a whole.
const PAGE: usize = 4096;
/// The damages of each kind that a case tries.
const DAMAGES: usize = 8;

/// Returns the ways to open the stores of the cases: plain, and sealed where that exists.
fn openings(harness: &Durable) -> Vec<Opening> {
    let plain = Opening::at(place(harness));
    let sealed = harness.sealing().map(|_| sealed(&place(harness)));
    [plain].into_iter().chain(sealed).collect()
}

/// Makes a closed store with messages and unsent rows, on a path that is free; returns the rows.
async fn make_unsent(harness: &Durable, opening: &Opening) -> Result<Vec<Pending>, Failure> {
    for name in names(harness.folder())? {
        let path = harness.folder().join(name);
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    let store = harness.open(opening.clone()).await?;
    store.apply(sample_with(5000)).await?;
    let mut batch = WriteBatch::strict();
    for name in ["t1", "t2", "t3"] {
        batch.remove_pending(txn(name));
    }
    store.apply(batch).await?;
    for n in 0..ROWS {
        let mut batch = if n % 2 == 0 { WriteBatch::strict() } else { WriteBatch::relaxed() };
        batch.put_pending(pending("a", &format!("unsent{n}")));
        store.apply(batch).await?;
        store.apply(put(&format!("room{n}"))).await?;
    }
    let rows = store.pending(PendingQuery::default()).await?;
    store.close().await?;
    Ok(rows)
}

/// Damages a file at a random place: a bit, a page, or everything from there on.
fn damage(path: &Path, kind: usize, random: &mut Random) -> Outcome {
    let mut bytes = fs::read(path)?;
    let at = random.below(bytes.len());
    match kind {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => {
            let page = at / PAGE * PAGE;
            let end = bytes.len().min(page + PAGE);
            bytes[page..end].fill(0);
        }
        _ => bytes.truncate(at),
    }
    Ok(fs::write(path, bytes)?)
}

/// Returns the largest file of a store, which has its rows.
fn main_file(harness: &Durable) -> Result<PathBuf, Failure> {
    let mut all = files(harness.folder())?;
    if let Some(mirror) = mirror(harness) {
        all.remove(&mirror);
    }
    some(all.into_iter().max_by_key(|(_, bytes)| bytes.len()).map(|(path, _)| path))
}

/// Compares rows but for their revision and their place in the outbox.
fn written(rows: &[Pending]) -> Vec<(TxnId, Json, PendingState)> {
    let mut rows: Vec<_> =
        rows.iter().map(|row| (row.txn_id.clone(), row.content.clone(), row.state)).collect();
    rows.sort_by(|(one, ..), (other, ..)| one.as_str().cmp(other.as_str()));
    rows
}

pub(crate) async fn every_row_comes_back_whatever_one_place_of_the_store_is_damaged(
    harness: &Durable,
) -> Outcome {
    if mirror(harness).is_none() || harness.damages().is_none() {
        return Ok(());
    }
    let mut random = Random(11);
    let mut refused = 0;
    for opening in openings(harness) {
        for round in 0..3 * DAMAGES {
            let within = |f: Failure| f.within(format_args!("round {round}, {opening:?}"));
            let expected = make_unsent(harness, &opening).await?;
            let file = main_file(harness)?;
            damage(&file, round % 3, &mut random)?;
            match harness.open(opening.clone()).await {
                Ok(store) => {
                    let rows = store
                        .pending(PendingQuery::default())
                        .await
                        .map_err(Failure::from)
                        .map_err(within)?;
                    same(written(&rows), written(&expected)).map_err(within)?;
                    store.close().await?;
                }
                // A bit of the header or of the keys that makes it another's store: it is left as it is.
                Err(error) if round % 3 == 0 => {
                    refused += 1;
                    let is_kept = [ErrorKind::NewerSchema, ErrorKind::Invalid, ErrorKind::WrongKey];
                    holds(is_kept.contains(&error.kind()), &format!("{error}")).map_err(within)?;
                }
                Err(error) => return Err(within(error.into())),
            }
        }
    }
    holds(refused <= 2, &format!("{refused} are refused"))
}

pub(crate) async fn every_row_comes_back_when_the_store_is_gone(harness: &Durable) -> Outcome {
    if mirror(harness).is_none() {
        return Ok(());
    }
    for opening in openings(harness) {
        let expected = make_unsent(harness, &opening).await?;
        let path = place(harness);
        if path.is_dir() {
            for folder in harness.layout().passing {
                fs::remove_dir_all(beside(&path, folder))?;
            }
        } else {
            fs::remove_file(&path)?;
        }
        if opening.secret.is_some() && path.is_file() {
            let wrong = Opening::at(&path).secret(Secret::key([6; 32]));
            same(refusal(harness, wrong).await?.kind(), ErrorKind::WrongKey)?;
            holds(!path.exists(), "no store is made with another secret")?;
        }
        let store = harness.open(opening.clone()).await?;
        same(written(&store.pending(PendingQuery::default()).await?), written(&expected))?;
        same(some(store.info().recovery)?.salvaged, ROWS)?;
        let mut batch = WriteBatch::strict();
        batch.put_pending(pending("a", "later"));
        let (_, seq) = some(store.apply(batch).await?.assigned.pop())?;
        holds(expected.iter().all(|row| row.seq < seq), "no number is given twice")?;
        is_sound(&store).await?;
        store.close().await?;
        let store = harness.open(opening).await?;
        same(store.info().recovery, None).map_err(|f| f.within("it is told once"))?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn the_store_loses_nothing_whatever_becomes_of_the_mirror(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let mut random = Random(5);
    for opening in openings(harness) {
        let expected = make_unsent(harness, &opening).await?;
        for round in 0..3 * DAMAGES {
            damage(&mirror, round % 3, &mut random)?;
            let store = harness.open(opening.clone()).await?;
            same(&store.pending(PendingQuery::default()).await?, &expected)?;
            same(store.info().recovery, None)?;
            is_sound(&store).await.map_err(|f| f.within("the mirror is written again"))?;
            store.close().await?;
        }
        fs::remove_file(&mirror)?;
        let store = harness.open(opening).await?;
        is_sound(&store).await.map_err(|f| f.within("it is made again"))?;
        store.close().await?;
        holds(mirror.exists(), "it is there")?;
    }
    Ok(())
}

/// A row is edited, one is sent, one is confirmed, one cancelled, and one cancelled and written again.
pub(crate) async fn what_was_sent_or_changed_does_not_come_back_as_it_was(harness: &Durable) -> Outcome {
    let (Some(_), Some(damages)) = (mirror(harness), harness.damages()) else { return Ok(()) };
    for opening in openings(harness) {
        make_unsent(harness, &opening).await?;
        let store = harness.open(opening.clone()).await?;
        let rows = store.pending(PendingQuery::default()).await?;
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(Pending { content: Json::of("edited")?, ..rows[0].clone() });
        let sent = PendingState::Sent;
        batch.put_pending(Pending { state: sent, event_id: Some(event_id("e")), ..rows[1].clone() });
        batch.remove_pending(rows[2].txn_id.clone()).remove_pending(rows[3].txn_id.clone());
        store.apply(batch).await?;
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(Pending { content: Json::of("again")?, ..rows[3].clone() });
        store.apply(batch).await?;
        let expected = store.pending(PendingQuery::default()).await?;
        same(expected.len() as u64, ROWS - 1)?;
        store.close().await?;
        damages.spoil_row(&place(harness), Collection::Pending);
        if opening.secret.is_none() {
            damages.spoil(&place(harness));
        }
        let store = harness.open(opening).await?;
        same(written(&store.pending(PendingQuery::default()).await?), written(&expected))?;
        store.close().await?;
    }
    Ok(())
}

/// A store that is sound but for a row of the outbox keeps all else where it is, if its database allows that.
pub(crate) async fn rows_that_the_store_lacks_come_back_in_place(harness: &Durable) -> Outcome {
    let (Some(_), Some(damages)) = (mirror(harness), harness.damages()) else { return Ok(()) };
    for opening in openings(harness) {
        let expected = make_unsent(harness, &opening).await?;
        damages.spoil_row(&place(harness), Collection::Pending);
        let refused = harness.open(opening.clone().refusing()).await;
        same(refused.err().map(|error| error.kind()), Some(ErrorKind::Corrupt))?;
        let store = harness.open(opening).await?;
        same(written(&store.pending(PendingQuery::default()).await?), written(&expected))?;
        holds(some(store.info().recovery)?.salvaged > 0, "it is told")?;
        is_sound(&store).await?;
        store.close().await?;
    }
    Ok(())
}

pub(crate) async fn another_store_s_mirror_is_not_taken(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let path = place(harness);
    make_unsent(harness, &Opening::at(&path)).await?;
    let theirs = fs::read(&mirror)?;
    clear(harness, &path)?;
    let store = open(harness, &path).await?;
    store.apply(sample()).await?;
    store.close().await?;
    fs::write(&mirror, &theirs)?;
    let store = open(harness, &path).await?;
    same(txns(&store).await?, ["t1", "t2", "t3"])?;
    same(store.info().recovery, None)?;
    is_sound(&store).await?;
    store.close().await?;
    // It may be the only copy of somebody's messages.
    let kept = files(harness.folder())?;
    holds(kept.iter().any(|(path, bytes)| *bytes == theirs && *path != mirror), "it is kept elsewhere")
}

pub(crate) async fn a_mirror_of_a_later_format_is_kept_and_not_used(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let path = place(harness);
    make_unsent(harness, &Opening::at(&path)).await?;
    let mut later = fs::read(&mirror)?;
    later[8..12].copy_from_slice(&99_u32.to_be_bytes());
    let sum = Crc32::of(&later[..12]).to_be_bytes();
    later[12..16].copy_from_slice(&sum);
    fs::write(&mirror, &later)?;
    let store = open(harness, &path).await?;
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "one more"));
    store.apply(batch).await?;
    same(txns(&store).await?.len() as u64, ROWS + 1)?;
    store.close().await?;
    holds(fs::read(&mirror)? == later, "it is as it was")
}

pub(crate) async fn it_is_made_with_the_first_row_and_stays_short(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let path = place(harness);
    let store = open(harness, &path).await?;
    store.apply(put("a")).await?;
    holds(!mirror.exists(), "a store without an outbox has none")?;
    let before = store.usage().await?.total_bytes;
    for n in 0..600 {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(Pending { content: Json::of(&"x".repeat(500))?, ..pending("a", &format!("{n}")) });
        if n > 3 {
            batch.remove_pending(txn(&format!("{}", n - 3)));
        }
        store.apply(batch).await?;
    }
    let length = fs::metadata(&mirror)?.len();
    // What the writing thread compacts, it compacts a little later.
    holds(length < 400_000, &format!("{length} bytes for three rows"))?;
    holds(store.usage().await?.total_bytes > before, "it is counted")?;
    is_sound(&store).await?;
    store.suspend().await?;
    let length = fs::metadata(&mirror)?.len();
    holds(length < 10_000, &format!("{length} bytes once the store is closed"))?;
    store.resume().await?;
    is_sound(&store).await?;
    Ok(store.close().await?)
}

pub(crate) async fn a_check_tells_a_mirror_that_differs(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let store = open(harness, &place(harness)).await?;
    store.apply(sample()).await?;
    is_sound(&store).await?;
    fs::write(&mirror, b"")?;
    let findings = store.maintain(Maintenance::Check, Progress::none()).await?.findings;
    holds(findings.len() == 1 && findings[0].contains("Compact"), &format!("{findings:?}"))?;
    store.maintain(Maintenance::Compact, Progress::none()).await?;
    is_sound(&store).await?;
    // The next commit mends it as well.
    fs::remove_file(&mirror)?;
    let mut batch = WriteBatch::relaxed();
    batch.put_pending(pending("a", "t4"));
    store.apply(batch).await?;
    is_sound(&store).await?;
    Ok(store.close().await?)
}

pub(crate) async fn no_plain_row_stays_in_it_when_a_store_is_sealed(harness: &Durable) -> Outcome {
    let (Some(mirror), Some(sealing)) = (mirror(harness), harness.sealing()) else { return Ok(()) };
    let path = place(harness);
    let expected = make_unsent(harness, &Opening::at(&path)).await?;
    let (body, folder) = (b"unsent unsent7".as_slice(), harness.folder());
    holds(fs::read(&mirror)?.windows(body.len()).any(|part| part == body), "the bytes can be found")?;
    sealing.seal(sealed(&path), Progress::none()).await?;
    holds(!has_bytes(folder, body), "no plain row is left beside the sealed store")?;
    let store = harness.open(sealed(&path)).await?;
    same(&store.pending(PendingQuery::default()).await?, &expected)?;
    is_sound(&store).await?;
    store.close().await?;
    holds(mirror.exists() && !has_bytes(folder, body), "the mirror of a sealed store is sealed")?;
    sealing.unseal(sealed(&path), Progress::none()).await?;
    let store = open(harness, &path).await?;
    same(&store.pending(PendingQuery::default()).await?, &expected)?;
    is_sound(&store).await?;
    store.close().await?;
    let keyring = fs::read(&mirror)?;
    holds(keyring.windows(body.len()).any(|part| part == body), "the mirror of a plain store is plain")
}

pub(crate) async fn a_change_of_keys_writes_it_again(harness: &Durable) -> Outcome {
    let (Some(mirror), Some(sealing)) = (mirror(harness), harness.sealing()) else { return Ok(()) };
    let path = place(harness);
    let expected = make_unsent(harness, &sealed(&path)).await?;
    let old = sealing.keyring(&path);
    let has = |record: &[u8]| has_bytes(harness.folder(), record);
    holds(fs::read(&mirror)?.windows(old.len()).any(|part| part == old), "the mirror has the keyring")?;
    let store = harness.open(sealed(&path)).await?;
    store.change_keys(KeyChange::AddKey("other".to_owned(), Secret::key([6; 32]))).await?;
    holds(!has(&old), "the former keyring is nowhere")?;
    store.maintain(Maintenance::Rotate, Progress::none()).await?;
    is_sound(&store).await?;
    store.close().await?;
    if !path.is_dir() {
        // The mirror opens with the secret of now.
        fs::remove_file(&path)?;
        let store = harness.open(Opening::at(&path).secret(Secret::key([6; 32]))).await?;
        same(written(&store.pending(PendingQuery::default()).await?), written(&expected))?;
        store.close().await?;
    }
    let store = harness.open(Opening::at(&path).secret(Secret::key([6; 32]))).await?;
    store.change_keys(KeyChange::Shred).await?;
    holds(!refuse_odd("test", &mirror, Expected::File)?, "it goes with the keys")
}

/// Without its keyring, all of a sealed store would be lost.
pub(crate) async fn a_damaged_keyring_is_restored_from_it(harness: &Durable) -> Outcome {
    let (Some(_), Some(sealing)) = (mirror(harness), harness.sealing()) else { return Ok(()) };
    let path = place(harness);
    let expected = make_unsent(harness, &sealed(&path)).await?;
    let record = sealing.keyring(&path);
    let mut damaged = record.clone();
    damaged[record.len() / 2] ^= 1;
    sealing.set_keyring(&path, &damaged);
    same(refusal(harness, sealed(&path).refusing()).await?.kind(), ErrorKind::Corrupt)?;
    let wrong = Opening::at(&path).secret(Secret::key([6; 32]));
    same(refusal(harness, wrong).await?.kind(), ErrorKind::WrongKey)?;
    holds(sealing.keyring(&path) == damaged, "whoever cannot open it changes nothing")?;
    let store = harness.open(sealed(&path)).await?;
    same(&store.pending(PendingQuery::default()).await?, &expected)?;
    is_sound(&store).await?;
    let is_told =
        |told: Recovery| told.set_aside.is_none() && told.is_whole && told.cause.contains("keyring");
    holds(store.info().recovery.is_some_and(is_told), "it is told")?;
    store.close().await?;
    same(sealing.keyring(&path), record)?;
    let store = harness.open(sealed(&path)).await?;
    same(store.info().recovery, None)?;
    Ok(store.close().await?)
}

pub(crate) async fn handles_that_write_at_once_lose_no_row_of_it(harness: &Durable) -> Outcome {
    let (Some(mirror), true) = (mirror(harness), harness.layout().shared) else { return Ok(()) };
    let path = place(harness);
    let handles = [open(harness, &path).await?, open(harness, &path).await?];
    let writes = (0..2_usize).map(|own| {
        let store = handles[own].clone();
        std::thread::spawn(move || -> Outcome {
            for n in 0..200_u64 {
                let mut batch = WriteBatch::relaxed();
                batch.put_pending(pending("a", &format!("{own}-{n}")));
                if n > 4 {
                    batch.remove_pending(txn(&format!("{own}-{}", n - 4)));
                }
                block_on(store.apply(batch))?;
                if n % 50 == own as u64 {
                    block_on(store.maintain(Maintenance::Compact, Progress::none()))?;
                }
            }
            Ok(())
        })
    });
    for thread in writes.collect::<Vec<_>>() {
        joined(thread.join())?;
    }
    for store in &handles {
        is_sound(store).await?;
    }
    let expected = handles[0].pending(PendingQuery::default()).await?;
    for store in handles {
        store.close().await?;
    }
    holds(mirror.exists(), "it is there")?;
    fs::remove_file(&path)?;
    let store = open(harness, &path).await?;
    same(written(&store.pending(PendingQuery::default()).await?), written(&expected))?;
    Ok(store.close().await?)
}

/// The mirror's place is taken by a folder, as a full disk or missing rights would take it.
pub(crate) async fn a_mirror_that_cannot_be_written_fails_no_commit(harness: &Durable) -> Outcome {
    let Some(mirror) = mirror(harness) else { return Ok(()) };
    let store = open(harness, &place(harness)).await?;
    store.apply(put("a")).await?;
    fs::create_dir(&mirror)?;
    for n in 0..5 {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(pending("a", &format!("t{n}")));
        store.apply(batch).await?;
    }
    let told = store.maintain(Maintenance::Check, Progress::none()).await;
    let is_told = told.is_err() || told.is_ok_and(|report| !report.findings.is_empty());
    holds(is_told, "the check tells that there is no second copy")?;
    fs::remove_dir(&mirror)?;
    for n in 5..12 {
        let mut batch = WriteBatch::relaxed();
        batch.put_pending(pending("a", &format!("t{n}")));
        store.apply(batch).await?;
    }
    is_sound(&store).await.map_err(|f| f.within("a later commit makes it"))?;
    Ok(store.close().await?)
}

pub(crate) async fn a_killed_writer_leaves_a_mirror_that_saves_the_outbox(harness: &Durable) -> Outcome {
    let (Some(_), Some(damages)) = (mirror(harness), harness.damages()) else { return Ok(()) };
    let path = place(harness);
    for (round, delay) in kills(13, 60_000) {
        let within = |f: Failure| f.within(format_args!("round {round}"));
        let told = run_and_kill(harness, "write", &path, delay)?;
        damages.spoil_row(&path, Collection::Pending);
        damages.spoil(&path);
        let store = open(harness, &path).await?;
        let rows = store.pending(PendingQuery::default()).await?;
        let numbers: Vec<u64> = rows.iter().filter_map(|row| row.txn_id.as_str().parse().ok()).collect();
        // Those of the last answered batch; a batch under way may have removed the oldest and added one.
        for n in told.saturating_sub(1).max(1)..=told {
            holds(numbers.contains(&n), &format!("{n} of {told} is among {numbers:?}")).map_err(within)?;
        }
        for row in &rows {
            let n = row.txn_id.as_str().parse::<u64>().unwrap_or_default();
            let is_parked = matches!(row.state, PendingState::Parked(_));
            holds(n + 2 >= told || is_parked && n + 3 >= told, &format!("{n} of {told} is back"))
                .map_err(within)?;
        }
        store.close().await?;
        clear(harness, &path)?;
    }
    Ok(())
}
