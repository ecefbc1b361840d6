//! What a sync brings for this device's keys: stored with its token, read after it, removed once that is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use haos_queue::{SyncDelta, unless_conflict};
use haos_store_api::{
    Json, Result, RoomId, Scope, StateEntry, StateQuery, StorageAdapterExt as _, WriteBatch,
};
use matrix_sdk_common::ruma::api::client::sync::sync_events::DeviceLists;
use matrix_sdk_common::ruma::events::AnyToDeviceEvent;
use matrix_sdk_common::ruma::serde::Raw;
use matrix_sdk_common::ruma::{OneTimeKeyAlgorithm, OwnedUserId, UInt, UserId as RumaUserId};
use matrix_sdk_crypto::EncryptionSyncChanges;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::Encryption;
use super::open::{Waits, trust};
use super::trouble::Result as Outcome;
use super::words::{CHANGED, COUNTS, EVERYBODY, INBOX, TURN, of_account};
use crate::parse::decoded::decoded;
use crate::parse::members::body_members;
use crate::parse::{DEVICE_LIST, TO_DEVICE_KIND, known_key, known_kind};

/// Events that are read in one write.
const AT_ONCE: usize = 200;
/// Events that wait at most; only a machine that fails for long lets so many wait.
const MOST_WAITING: u64 = 20_000;

/// The server's counts of one-time keys.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    #[serde(default)]
    counts: BTreeMap<OneTimeKeyAlgorithm, UInt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unused: Option<Vec<OneTimeKeyAlgorithm>>,
}

impl Counts {
    fn of(body: &[u8]) -> Option<Json> {
        let text = decoded(body).ok()?;
        let members = body_members(&text).ok()?;
        let read = |name: &str| members.get(name).map(|raw| raw.get().to_owned());
        let counts = read("device_one_time_keys_count").and_then(|raw| serde_json::from_str(&raw).ok());
        let unused = read("device_unused_fallback_key_types").and_then(|raw| serde_json::from_str(&raw).ok());
        if counts.is_none() && unused.is_none() {
            return None;
        }
        Json::of(&Self { counts: counts.unwrap_or_default(), unused }).ok()
    }
}

/// The sessions of rooms whose keys came, or were refused.
pub(super) type Sessions = BTreeMap<RoomId, BTreeSet<String>>;

impl Encryption {
    /// Makes of what an answer has for this device what waits to be read, in an order that holds across answers. The
    /// answer is applied on top of its token, so that of two contexts only one counts.
    pub(crate) async fn admit(&self, delta: &mut SyncDelta, body: &[u8], is_fresh: bool) -> Result<()> {
        let known = self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counts = Counts::of(body).filter(|counts| known.as_ref() != Some(counts));
        let is_of_device = |entry: &StateEntry| matches!(entry.kind.as_str(), TO_DEVICE_KIND | DEVICE_LIST);
        // Most answers have nothing for it: then nothing is read, either.
        if counts.is_none() && !is_fresh && !delta.account.iter().any(is_of_device) {
            return Ok(());
        }
        let store = &*self.inner.store;
        let turn = self.turn_number().await?.saturating_add(1);
        let is_full = store.count_state(&Scope::Account, &known_kind(INBOX)).await? >= MOST_WAITING;
        for entry in &mut delta.account {
            match entry.kind.as_str() {
                TO_DEVICE_KIND => {
                    entry.kind = known_kind(INBOX);
                    entry.key = known_key(&format!("{turn:016x}|{}", entry.key));
                }
                DEVICE_LIST => entry.kind = known_kind(CHANGED),
                _ => {}
            }
        }
        if is_full {
            warn!("events for this device are not read, and too many wait: more are left out");
            delta.account.retain(|entry| entry.kind.as_str() != INBOX);
        }
        if is_fresh {
            // Whose devices changed while the token was lost, nobody tells.
            delta.account.push(of_account(known_kind(CHANGED), known_key(EVERYBODY), Json::empty()));
        }
        delta.account.extend(counts.map(|counts| of_account(known_kind(COUNTS), known_key(""), counts)));
        delta.account.push(of_account(known_kind(TURN), known_key(""), Json::of(&turn)?));
        Ok(())
    }

    /// An answer is stored: what it brought for this device is read, and rows with it. Should that fail, it is tried again
    /// beside the sync.
    pub(crate) async fn arrived(&self, waits: Waits) {
        if let Err(error) = self.drain_if_wanted().await {
            tracing::debug!(%error, "what came for this device waits");
        }
        self.look_again(waits).await;
        self.stir();
    }

    async fn drain_if_wanted(&self) -> Outcome<()> {
        if self.is_wanted().await? { self.drain().await } else { Ok(()) }
    }

    async fn turn_number(&self) -> Result<u64> {
        let stored = self.inner.store.state_value(Scope::Account, &known_kind(TURN), &known_key("")).await?;
        Ok(stored.and_then(|turn| turn.parse().ok()).unwrap_or_default())
    }

    /// Gives what waits to the machine, in its order, and removes it once that is stored. What was read already, before
    /// a crash, is read again and changes nothing. Rows that can be read by what came are read.
    pub(crate) async fn drain(&self) -> Outcome<()> {
        // As long as syncs of others come in between.
        for _ in 0..8 {
            let Some(drained) = self.drain_once().await? else { return Ok(()) };
            self.stir();
            self.heal(drained.sessions).await?;
            self.inner.settled.store(true, Ordering::Relaxed);
            if self.remove(drained.waited).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn drain_once(&self) -> Outcome<Option<Drained>> {
        // One after the other, also for the reading: what somebody else removes is not read twice.
        let turn = self.turn().await?;
        let Some(waited) = self.waited().await? else {
            turn.done();
            return Ok(None);
        };
        let counts: Counts =
            waited.counts.as_ref().and_then(|entry| entry.value.parse().ok()).unwrap_or_default();
        let (lists, is_everybody) = waited.lists();
        if is_everybody {
            turn.machine.mark_all_tracked_users_as_dirty().await?;
        }
        let nobody = DeviceLists::default();
        let mut sessions = Sessions::new();
        let settings = trust();
        for (place, part) in waited.parts().enumerate() {
            let is_first = place == 0;
            let changes = EncryptionSyncChanges {
                to_device_events: part.iter().map(raw).collect(),
                changed_devices: if is_first { &lists } else { &nobody },
                one_time_keys_counts: if is_first { &counts.counts } else { &BTreeMap::new() },
                unused_fallback_keys: if is_first { counts.unused.as_deref() } else { None },
                next_batch_token: None,
            };
            let received = turn.machine.receive_sync_changes(changes, &settings);
            let (_, keys) = turn.keys.together(received).await?;
            for key in keys {
                let Ok(room) = RoomId::new(key.room_id.as_str()) else { continue };
                sessions.entry(room).or_default().insert(key.session_id);
            }
            part.iter().filter_map(withheld).for_each(|(room, session)| {
                sessions.entry(room).or_default().insert(session);
            });
        }
        if waited.is_again {
            // Before a crash or a failure, keys may have been stored whose rows were not read.
            self.add_awaited(&turn, &mut sessions).await?;
        }
        let told = waited.counts.as_ref().map(|entry| entry.value.clone());
        if told.is_some() {
            *self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
        turn.done();
        Ok(Some(Drained { waited, sessions }))
    }

    /// What waits; none if nothing does.
    async fn waited(&self) -> Result<Option<Waited>> {
        let store = &*self.inner.store;
        // The number first: what comes after it counts as more.
        let turn = self.turn_number().await?;
        let all = |kind: &'static str| StateQuery::kind(Scope::Account, known_kind(kind));
        let mut lists = store.states(vec![all(INBOX), all(CHANGED), all(COUNTS)]).await?.into_iter();
        let mut next = || lists.next().unwrap_or_default();
        let (mut inbox, changed, counts) = (next(), next(), next().pop());
        if inbox.is_empty() && changed.is_empty() && counts.is_none() {
            return Ok(None);
        }
        inbox.sort_by(|a, b| a.key.as_str().cmp(b.key.as_str()));
        let is_again = !self.inner.settled.swap(false, Ordering::Relaxed);
        Ok(Some(Waited { turn, inbox, changed, counts, is_again }))
    }

    /// Removes what was read. False if a sync came meanwhile, whose changes of devices have the same place.
    async fn remove(&self, waited: Waited) -> Result<bool> {
        let store = &*self.inner.store;
        let mut batch = WriteBatch::relaxed();
        let remove = |batch: &mut WriteBatch, entry: StateEntry| {
            batch.remove_state(entry.scope, entry.kind, entry.key);
        };
        waited.inbox.into_iter().for_each(|entry| remove(&mut batch, entry));
        if !batch.ops().is_empty() {
            store.apply(batch).await?;
        }
        let mut batch = WriteBatch::relaxed();
        waited.changed.into_iter().chain(waited.counts).for_each(|entry| remove(&mut batch, entry));
        if batch.ops().is_empty() {
            return Ok(true);
        }
        let (kind, key) = (known_kind(TURN), known_key(""));
        batch.expect_state(Scope::Account, kind, key, Some(Json::of(&waited.turn)?));
        Ok(unless_conflict(store.apply(batch).await)?.is_some())
    }
}

struct Drained {
    waited: Waited,
    sessions: Sessions,
}

/// What syncs brought.
struct Waited {
    turn: u64,
    inbox: Vec<StateEntry>,
    changed: Vec<StateEntry>,
    counts: Option<StateEntry>,
    /// It may have been read before, and rows not with it.
    is_again: bool,
}

impl Waited {
    /// The events in parts; an empty one where there are none.
    fn parts(&self) -> impl Iterator<Item = &[StateEntry]> {
        let none = self.inbox.is_empty().then_some(&self.inbox[..]);
        none.into_iter().chain(self.inbox.chunks(AT_ONCE))
    }

    /// Whose devices changed; whether anybody's may have.
    fn lists(&self) -> (DeviceLists, bool) {
        let (mut lists, mut is_everybody) = (DeviceLists::default(), false);
        for entry in &self.changed {
            is_everybody |= entry.key.as_str() == EVERYBODY;
            let Ok(user) = RumaUserId::parse(entry.key.as_str()) else { continue };
            let user: OwnedUserId = user;
            match entry.value.member("left") {
                Some(_) => lists.left.push(user),
                None => lists.changed.push(user),
            }
        }
        (lists, is_everybody)
    }
}

/// The event as the machine takes it.
fn raw(entry: &StateEntry) -> Raw<AnyToDeviceEvent> {
    Raw::from_json_string(entry.value.as_str().to_owned())
        .unwrap_or_else(|_| Raw::from_json(serde_json::value::RawValue::NULL.to_owned()))
}

/// The session whose key somebody refuses to give.
fn withheld(entry: &StateEntry) -> Option<(RoomId, String)> {
    let kind = entry.value.text("type")?;
    if kind != "m.room_key.withheld" && kind != "org.matrix.room_key.withheld" {
        return None;
    }
    let content = entry.value.member("content")?;
    Some((RoomId::new(content.text("room_id")?).ok()?, content.text("session_id")?))
}
