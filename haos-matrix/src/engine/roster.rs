use std::collections::HashSet;

use haos_queue::{Answer, RoomDelta, Since, SyncDelta, Synced, apply_sync};
use haos_store_api::{
    Json, Membership, Result, Room, RoomId, Scope, StateEntry, StateQuery, StorageAdapterExt as _,
};

use super::amend::{MEMBERS, note};
use super::{Engine, FetchError};
use crate::MatrixProtocol;
use crate::parse::{known_key, known_kind, parse_roster};

/// The number of times that the list is fetched again because a sync came in between.
const TRIES: usize = 3;

/// The members of a room.
#[derive(Debug)]
pub struct MemberList {
    /// Their entries, of kind `m.room.member`: users who left among them.
    pub entries: Vec<StateEntry>,
    /// All of them are stored, as of the last sync.
    pub complete: bool,
    /// The reason why the server could not be asked.
    pub stopped: Option<FetchError>,
}

impl Engine {
    /// The members of a room: from the store where it has all, else from the server, once. Lazy loading
    /// leaves out those who write nothing.
    ///
    /// The list is stored as of the stored token, in a commit that expects that token: a sync in between
    /// makes it ask again. After three such it only adds what the store lacks, and the next call asks again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn members(&self, room: &RoomId) -> Result<MemberList> {
        let flight = self.inner.flights.of((room.clone(), Some("\0members".to_owned())));
        let _alone = flight.lock().await;
        let mut stopped = None;
        if !self.has_members(room).await? {
            match self.fetch_members(room).await {
                Ok(()) => {}
                Err(FetchError::Store(e)) => return Err(e),
                Err(e) => stopped = Some(e),
            }
        }
        let query = StateQuery::kind(Scope::Room(room.clone()), known_kind("m.room.member"));
        let entries = self.inner.store.state(query).await?;
        Ok(MemberList { entries, complete: self.has_members(room).await?, stopped })
    }

    /// Tells if all members are stored.
    async fn has_members(&self, room: &RoomId) -> Result<bool> {
        let (kind, key) = (known_kind(MEMBERS), known_key(""));
        let note = self.inner.store.state_value(Scope::Room(room.clone()), &kind, &key).await?;
        Ok(note.is_some_and(|note| note.text("at").is_some()))
    }

    async fn fetch_members(&self, room: &RoomId) -> Result<(), FetchError> {
        let inner = &*self.inner;
        for tried in 0..=TRIES {
            let token = inner.store.sync_token().await?;
            let stored = inner.store.room(room).await?;
            // Of a room that the user is not in, no changes come.
            let joined = stored.filter(|room| room.membership == Membership::Join);
            let body = match self.ask(inner.server.members(room, token.as_deref())).await {
                Err(FetchError::Answer(Answer::Refused(refusal)))
                    if refusal.status == 400 && token.is_some() =>
                {
                    // A server that cannot say it as of then.
                    let body = self.ask(inner.server.members(room, None)).await?;
                    return Ok(self
                        .add_members(room, parse_roster(&body, room, inner.account.limits)?)
                        .await?);
                }
                body => body?,
            };
            let entries = parse_roster(&body, room, inner.account.limits)?;
            let Some((joined, token)) = joined.zip(token).filter(|_| tried < TRIES) else {
                return Ok(self.add_members(room, entries).await?);
            };
            if self.put_members(joined, entries, token).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Stores all members as of a token; false if the token is another one by now.
    async fn put_members(&self, room: Room, mut entries: Vec<StateEntry>, token: String) -> Result<bool> {
        let at = Json::of(&serde_json::json!({ "at": token }))?;
        entries.push(note(Scope::Room(room.id.clone()), at));
        Ok(self.put(room, entries, Some(token)).await? != Synced::Stale)
    }

    /// Stores those members that the store has nothing of.
    async fn add_members(&self, room: &RoomId, entries: Vec<StateEntry>) -> Result<()> {
        for _ in 0..=TRIES {
            let token = self.inner.store.sync_token().await?;
            let Some(stored) = self.inner.store.room(room).await? else { return Ok(()) };
            let known = self.inner.store.state(StateQuery::all(Scope::Room(room.clone()))).await?;
            let known: HashSet<_> = known.iter().map(|entry| (&entry.kind, &entry.key)).collect();
            let new = entries.iter().filter(|entry| !known.contains(&(&entry.kind, &entry.key)));
            if self.put(stored, new.cloned().collect(), token).await? != Synced::Stale {
                return Ok(());
            }
        }
        // Somebody else knows more.
        Ok(())
    }

    /// Stores state of a room on top of a token.
    async fn put(&self, room: Room, state: Vec<StateEntry>, token: Option<String>) -> Result<Synced> {
        let room = RoomDelta { state, ..RoomDelta::new(room.id, room.membership) };
        let delta = SyncDelta { since: Since::Stored(token), rooms: vec![room], ..SyncDelta::default() };
        apply_sync(&*self.inner.store, &delta, Some(&self.inner.user), &MatrixProtocol).await
    }
}
