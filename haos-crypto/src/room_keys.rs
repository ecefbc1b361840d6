//! Room keys, and the kinds that find them: by room, by the device that they came from, by the backup that has them.
//!
//! | kind | key | value |
//! |---|---|---|
//! | `room_key/<room>` | session | [`Row`] |
//! | `from/<trust>/<sender's key>` | session | [`Named`] |
//! | `unbacked`, `backed_up/<version>` | a hash of room and session | [`Named`] |
//! | `backup` | version | the version |
//!
//! All of a room key's entries change in the write that changes the key. Nothing has to be counted, sorted or rebuilt, so
//! that a page costs the same among a thousand keys and among a hundred thousand, and a new version of the backup
//! nothing at all.

use std::collections::{BTreeMap, HashMap};

use haos_store_api::{Durability, EventType, StateKey};
use matrix_sdk_common::ruma::RoomId;
use matrix_sdk_crypto::olm::{InboundGroupSession, PickledInboundGroupSession, SenderDataType};
use matrix_sdk_crypto::store::types::RoomKeyCounts;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::place::{self, Place};
use crate::store::{KeyStore, PAGE, Write};
use crate::value::decode;

const KEY: &str = "a room key";
const NAMES: &str = "names of room keys";

/// A room key.
#[derive(Serialize, Deserialize)]
struct Row {
    found: Found,
    pickle: PickledInboundGroupSession,
}

/// The same, read without the pickle.
#[derive(Deserialize)]
struct Header {
    found: Found,
}

/// By what a room key is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Found {
    /// The version of the backup that it was last written to.
    to: Option<String>,
    /// The Curve25519 key of the device that it came from.
    from: String,
    trust: SenderDataType,
}

/// The names of room keys: one, but for somebody who shares a session in two rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Named {
    session: String,
    rooms: Vec<String>,
}

impl Row {
    fn session(self) -> Result<InboundGroupSession> {
        InboundGroupSession::from_pickle(self.pickle).map_err(|_| Error::Unreadable(KEY))
    }
}

impl Found {
    fn in_backup(&self, room: &str, session: &str) -> Result<Place> {
        match &self.to {
            Some(version) => place::backed_up(version, room, session),
            None => place::unbacked(room, session),
        }
    }

    fn by_sender(&self, session: &str) -> Result<Place> {
        place::key_from(&self.from, self.trust, session)
    }
}

/// A room key to be written.
struct New {
    room: String,
    session: String,
    pickle: PickledInboundGroupSession,
}

impl Write<'_> {
    /// Puts room keys; `version` is that of the backup that they come from.
    pub(crate) async fn put_room_keys(
        &mut self,
        sessions: Vec<InboundGroupSession>,
        version: Option<&str>,
    ) -> Result<()> {
        let mut keys = Vec::with_capacity(sessions.len());
        for session in sessions {
            let (room, pickle) = (session.room_id().to_string(), session.pickle().await);
            keys.push(New { room, session: session.session_id().to_owned(), pickle });
        }
        self.put_keys(keys, version).await
    }

    async fn put_keys(&mut self, keys: Vec<New>, version: Option<&str>) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        if let Some(version) = version {
            self.put(place::backup(version)?, &version)?;
        }
        let places =
            keys.iter().map(|key| place::room_key(&key.room, &key.session)).collect::<Result<Vec<_>>>()?;
        let stored: Vec<Option<Header>> = self.store.several(KEY, places.iter().cloned()).await?;
        let mut before: HashMap<Place, Found> = HashMap::new();
        before
            .extend(places.iter().cloned().zip(stored).filter_map(|(place, row)| Some((place, row?.found))));
        let mut steps = Vec::with_capacity(keys.len());
        for (key, place) in keys.into_iter().zip(places) {
            let old = before.get(&place).cloned();
            // A key that was written to a backup stays so while nothing but what is known of its sender changes. Another
            // key of the same session, one that reads more, is to be written anew: it says so itself.
            let kept = || old.as_ref().filter(|_| key.pickle.backed_up).and_then(|old| old.to.clone());
            let to = version.map(str::to_owned).or_else(kept);
            let from = key.pickle.sender_key.to_base64();
            let new = Found { to, from, trust: key.pickle.sender_data.to_type() };
            before.insert(place.clone(), new.clone());
            steps.push((key, place, old, new));
        }
        let mut senders = self.senders(&steps).await?;
        for (New { room, session, pickle }, place, old, new) in steps {
            let listed = new.in_backup(&room, &session)?;
            if let Some(old) = &old {
                let gone = old.in_backup(&room, &session)?;
                if gone != listed {
                    self.remove(gone);
                }
                if let Some(rooms) = senders.get_mut(&old.by_sender(&session)?) {
                    rooms.1.retain(|other| *other != room);
                }
            }
            self.put(listed, &Named { session: session.clone(), rooms: vec![room.clone()] })?;
            senders.entry(new.by_sender(&session)?).or_insert_with(|| (session, Vec::new())).1.push(room);
            self.put(place, &Row { found: new, pickle })?;
        }
        for (place, (session, rooms)) in senders {
            match rooms.is_empty() {
                true => self.remove(place),
                false => self.put(place, &Named { session, rooms })?,
            }
        }
        Ok(())
    }

    /// Reads the names by sender that the steps change: session and rooms.
    async fn senders(
        &self,
        steps: &[(New, Place, Option<Found>, Found)],
    ) -> Result<BTreeMap<Place, (String, Vec<String>)>> {
        let mut senders = BTreeMap::new();
        for (key, _, old, new) in steps {
            for found in old.iter().chain([new]) {
                senders.insert(found.by_sender(&key.session)?, (key.session.clone(), Vec::new()));
            }
        }
        let stored: Vec<Option<Named>> = self.store.several(NAMES, senders.keys().cloned()).await?;
        for (sender, stored) in senders.values_mut().zip(stored) {
            sender.1.extend(stored.into_iter().flat_map(|named| named.rooms));
        }
        Ok(senders)
    }
}

impl KeyStore {
    pub(crate) async fn room_key(&self, room: &str, session: &str) -> Result<Option<InboundGroupSession>> {
        self.get::<Row>(KEY, place::room_key(room, session)?).await?.map(Row::session).transpose()
    }

    pub(crate) async fn room_keys_of(&self, room: &str) -> Result<Vec<InboundGroupSession>> {
        let rows: Vec<Row> = self.list(KEY, place::room_keys(room)?).await?;
        rows.into_iter().map(Row::session).collect()
    }

    pub(crate) async fn room_keys_from(
        &self,
        sender_key: &str,
        trust: SenderDataType,
        after_session: Option<&str>,
        limit: usize,
    ) -> Result<Vec<InboundGroupSession>> {
        let (kind, mut found) = (place::keys_from(sender_key, trust)?, Vec::new());
        let after = after_session.map(|session| place::key_from(sender_key, trust, session)).transpose()?;
        self.add_named(&kind, after.map(|place| place.key), limit, &mut found).await?;
        Ok(found)
    }

    pub(crate) async fn all_room_keys(&self) -> Result<Vec<InboundGroupSession>> {
        self.add_unless_in(None, usize::MAX).await
    }

    pub(crate) async fn room_keys_for_backup(
        &self,
        version: &str,
        limit: usize,
    ) -> Result<Vec<InboundGroupSession>> {
        self.add_unless_in(Some(version), limit).await
    }

    pub(crate) async fn count_room_keys(&self, version: Option<&str>) -> Result<RoomKeyCounts> {
        let mut counts = RoomKeyCounts::default();
        for (of, kind) in self.by_backup().await? {
            let count = self.count(&kind).await?;
            counts.total += count;
            if of.is_some() && of.as_deref() == version {
                counts.backed_up = count;
            }
        }
        Ok(counts)
    }

    pub(crate) async fn mark_backed_up(&self, version: &str, ids: &[(&RoomId, &str)]) -> Result<()> {
        let mut write = self.write(Durability::Relaxed).await?;
        let places = ids.iter().map(|(room, session)| place::room_key(room.as_str(), session));
        let rows: Vec<Option<Row>> = self.several(KEY, places.collect::<Result<Vec<_>>>()?).await?;
        let mut keys = Vec::with_capacity(ids.len());
        for ((room, session), row) in ids.iter().zip(rows) {
            let Some(Row { mut pickle, .. }) = row else { continue };
            pickle.backed_up = true;
            keys.push(New { room: room.to_string(), session: (*session).to_owned(), pickle });
        }
        write.put_keys(keys, Some(version)).await?;
        write.commit().await
    }

    /// Lists the kinds that name room keys by their backups, and those backups. Each room key is in one.
    async fn by_backup(&self) -> Result<Vec<(Option<String>, EventType)>> {
        let mut kinds = vec![(None, place::not_backed_up()?)];
        for version in self.list::<String>("a version of the backup", place::backups()?).await? {
            let kind = place::backed_up_to(&version)?;
            kinds.push((Some(version), kind));
        }
        Ok(kinds)
    }

    async fn add_unless_in(&self, version: Option<&str>, limit: usize) -> Result<Vec<InboundGroupSession>> {
        let mut found = Vec::new();
        for (of, kind) in self.by_backup().await? {
            if of.is_none() || of.as_deref() != version {
                self.add_named(&kind, None, limit, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Adds the room keys that a kind names, until there are `limit` or more: who shares one session in two rooms has
    /// both under one name.
    async fn add_named(
        &self,
        kind: &EventType,
        mut after: Option<StateKey>,
        limit: usize,
        found: &mut Vec<InboundGroupSession>,
    ) -> Result<()> {
        while found.len() < limit {
            let most = PAGE.min(limit - found.len());
            let page = self.page(kind, after, most).await?;
            let mut places = Vec::with_capacity(page.len());
            for entry in &page {
                let Named { session, rooms } = decode(NAMES, &entry.value)?;
                for room in rooms {
                    places.push(place::room_key(&room, &session)?);
                }
            }
            let is_last = page.len() < most;
            after = page.into_iter().last().map(|entry| entry.key);
            // One whose row is damaged is left out, as in every list.
            let rows: Vec<Option<Row>> = self.several(KEY, places).await?;
            for row in rows.into_iter().flatten() {
                found.push(row.session()?);
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }
}
