//! A writer that is killed at any moment: every acknowledged batch is stored, and no batch is torn.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::conformance::durable::child::{Child, say};

/// The number of kills: `HAOS_KILLS=100 cargo test … kill` for a long run.
const KILLS: &str = "HAOS_KILLS";
/// Messages of each room of the history, enough for several steps of a rotation.
const HISTORY: u64 = 1500;
const MEDIA_BYTES: usize = 1_300_000;

/// Makes batch `n`: every part of it carries the number. A killed process loses no relaxed batch either.
fn batch(n: u64) -> WriteBatch {
    let mut batch = if n.is_multiple_of(2) { WriteBatch::strict() } else { WriteBatch::relaxed() };
    for name in ["a", "b"] {
        batch.put_room(Room { name: Some(n.to_string()), ..room(name) });
        batch.put_message(message(name, &format!("{name}{n}"), n));
    }
    batch.put_state(state(Scope::Account, "haos.sync_token", "", &n.to_string()));
    batch.put_pending(pending("a", &n.to_string()));
    if n > 3 {
        batch.remove_pending(txn(&(n - 3).to_string()));
    }
    batch.put_media(media("last"), n.to_string().into_bytes());
    batch
}

/// Reads the number of the last stored batch, from the token.
async fn last(store: &Store) -> Result<u64> {
    let found = store.state(StateQuery::kind(Scope::Account, kind("haos.sync_token"))).await?;
    found.first().map_or(Ok(0), |entry| entry.value.parse())
}

/// Writes batch after batch until the process is killed, and rotates meanwhile, if asked.
pub(crate) async fn write(harness: &Durable, path: &Path, rotates: bool) -> Outcome {
    let store = harness.open(if rotates { sealed(path) } else { Opening::at(path) }).await?;
    let rotating =
        rotates.then(|| {
            let store = store.clone();
            std::thread::spawn(move || {
                while block_on(store.maintain(Maintenance::Rotate, Progress::none())).is_ok() {}
            })
        });
    for n in last(&store).await? + 1.. {
        store.apply(batch(n)).await?;
        holds(rotating.as_ref().is_none_or(|thread| !thread.is_finished()), "every rotation succeeds")?;
        say(&format!("stored {n}"))?;
    }
    Ok(())
}

/// Starts the writer, kills it some time after its first line; returns the last number it printed.
pub(super) fn run_and_kill(
    harness: &Durable,
    role: &str,
    path: &Path,
    delay: Duration,
) -> Result<u64, Failure> {
    let mut child = Child::start(harness, role, path)?;
    let (tell, told) = mpsc::channel();
    let lines = child.lines();
    let listener = std::thread::spawn(move || {
        let numbers = lines.filter_map(|line| line.strip_prefix("stored ")?.parse().ok());
        Ok(numbers.inspect(|_| _ = tell.send(())).last().unwrap_or(0))
    });
    let waited = told.recv_timeout(Duration::from_secs(60));
    waited.map_err(|_| Failure::new("the writer says nothing"))?;
    std::thread::sleep(delay);
    child.kill()?;
    joined(listener.join())
}

/// The stored rows are whole, on top of a history that ended at a revision.
async fn is_whole(store: &Store, told: u64, history: Revision) -> Outcome {
    same(store.info().recovery, None)?;
    let n = last(store).await?;
    holds(n >= told, &format!("{told} was acknowledged, {n} is stored"))?;
    same(store.info().opened_at, Revision(history.0 + n))?;
    for name in ["a", "b"] {
        let room = some(store.room(&room_id(name)).await?)?;
        same(room.name, Some(n.to_string()))?;
        same(store.count(&room_id(name), None).await?, n)?;
        let newest = store.message(&room_id(name), &event_id(&format!("{name}{n}"))).await?;
        same(some(newest)?.position, at(n))?;
    }
    let expected: Vec<String> = (n.saturating_sub(2).max(1)..=n).map(|n| n.to_string()).collect();
    same(txns(store).await?, expected)?;
    let media = some(store.media(&media_key("last"), ByteRange::ALL).await?)?;
    same(media.bytes, n.to_string().into_bytes())?;
    is_sound(store).await
}

/// Returns the kills, each with its delay after the first line.
pub(super) fn kills(seed: u64, longest_us: usize) -> impl ExactSizeIterator<Item = (usize, Duration)> {
    let kills = std::env::var(KILLS).ok().and_then(|n| n.parse().ok()).unwrap_or(8);
    let mut random = Random(seed);
    (0..kills).map(move |round| (round, Duration::from_micros(random.below(longest_us) as u64)))
}

pub(crate) async fn nothing_acknowledged_is_lost_and_nothing_is_torn(harness: &Durable) -> Outcome {
    let path = place(harness);
    for (round, delay) in kills(7, 80_000) {
        let told = run_and_kill(harness, "write", &path, delay)?;
        let store = open(harness, &path).await?;
        let outcome = is_whole(&store, told, Revision::ZERO).await;
        outcome.map_err(|f| f.within(format_args!("round {round}")))?;
        store.close().await?;
    }
    Ok(())
}

/// Writes rows to every collection.
async fn fill(store: &Store) -> Outcome {
    let mut batch = WriteBatch::strict();
    for name in ["c", "d"] {
        batch.put_room(room(name));
        for n in 0..HISTORY {
            batch.put_message(message(name, &format!("{name}{n}"), 100 + n));
        }
        batch.put_gap(gap(name, 20, "older"));
    }
    for n in 0..50 {
        batch.put_state(state(Scope::Room(room_id("d")), "m.tag", &n.to_string(), "{}"));
    }
    batch.put_media(media("cat"), pattern(MEDIA_BYTES));
    store.apply(batch).await?;
    Ok(())
}

/// Reads all that [`fill`] has written, in long reads and short ones.
async fn read_all(store: &Store) -> Outcome {
    for name in ["c", "d"] {
        let slice = store.timeline(&room_id(name), Page::oldest(10_000)).await?;
        same((slice.messages().count() as u64, slice.gaps().count()), (HISTORY, 1))?;
        holds(slice.gaps().all(|gap| gap.token.is_some()), "a gap keeps its token")?;
        for n in [0, 700, HISTORY - 1] {
            some(store.message(&room_id(name), &event_id(&format!("{name}{n}"))).await?)?;
        }
    }
    let media = some(store.media(&media_key("cat"), ByteRange::ALL).await?)?;
    holds(media.bytes == pattern(MEDIA_BYTES), "media have the written bytes")?;
    holds(store.rooms(RoomQuery::latest(9)).await?.len() >= 2, "the rooms are listed")?;
    let tags = StateQuery::kind(Scope::Room(room_id("d")), kind("m.tag"));
    same(store.state(tags).await?.len(), 50)?;
    same(store.info().damaged, 0).map_err(|f| f.within("nothing is left out"))
}

fn is_rotating(sealing: &dyn Sealing, path: &Path) -> Result<bool> {
    Ok(Keyring::unlock(&sealing.keyring(path), &key())?.is_rotating())
}

pub(crate) async fn a_killed_rotation_loses_nothing_and_completes_in_the_end(harness: &Durable) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let path = place(harness);
    let store = harness.open(sealed(&path)).await?;
    fill(&store).await?;
    let history = store.changes().start();
    store.close().await?;
    let kills = kills(11, 150_000);
    let (rounds, mut cut_off) = (kills.len(), 0);
    for (round, delay) in kills {
        let within = |f: Failure| f.within(format_args!("round {round}"));
        let told = run_and_kill(harness, "rotate", &path, delay)?;
        let store = harness.open(sealed(&path)).await?;
        is_whole(&store, told, history).await.map_err(within)?;
        read_all(&store).await.map_err(within)?;
        store.close().await?;
        holds(key_ids(sealing, &path).len() <= 2, "there are two keys at most").map_err(within)?;
        cut_off += u32::from(is_rotating(sealing, &path)?);
    }
    holds(cut_off > 0 || rounds < 20, "some kill meets a rotation")?;

    // Once to complete the interrupted rotation, once for a new key.
    let mut found = Vec::new();
    for _ in 0..2 {
        let store = harness.open(sealed(&path)).await?;
        store.maintain(Maintenance::Rotate, Progress::none()).await?;
        read_all(&store).await?;
        store.close().await?;
        found.push(key_ids(sealing, &path));
        same(found.last().map(BTreeSet::len), Some(1))?;
        same(is_rotating(sealing, &path)?, false)?;
    }
    holds(found[0] != found[1], "the key is another one")
}
