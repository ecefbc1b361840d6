use std::collections::{BTreeMap, HashMap};

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateKey, StateQuery, StorageAdapter, UserId, state_kind,
};

use super::latest::Latest;
use crate::live::timeline::Profile;

/// What a list shows of a room besides its row, as far as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) latest: Option<Option<Latest>>,
    pub(super) has_draft: Option<bool>,
    pub(super) people: HashMap<UserId, Profile>,
}

impl Part {
    /// Forgets what the room's messages tell.
    pub(super) fn forget_messages(&mut self) {
        self.latest = None;
    }

    /// Forgets what the room's state tells.
    pub(super) fn forget_state(&mut self) {
        self.has_draft = None;
        self.people.clear();
    }

    fn meet(&mut self, user: UserId, content: Option<&Json>) {
        let profile = Profile::of(&user, content);
        self.people.insert(user, profile);
    }
}

/// What a list wants of a room's state.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Whether there is a draft.
    Draft,
    /// Who somebody is.
    Person(UserId),
}

/// Reads what is wanted of rooms into their parts, at one go.
///
/// Somebody is who their member event says, or else whom the server tells a room without a name to be named after.
pub(super) async fn read_state(
    store: &dyn StorageAdapter,
    parts: &mut HashMap<RoomId, Part>,
    wanted: Vec<(RoomId, Wanted)>,
) -> Result<()> {
    let queries = wanted.iter().map(|(room, wanted)| match wanted {
        Wanted::Draft => query(room, state_kind::DRAFT, ""),
        // A user's id can be a key: both have the same limit.
        Wanted::Person(user) => query(room, "m.room.member", user.as_str()),
    });
    let lists = states(store, queries).await?;
    let mut strangers: BTreeMap<RoomId, Vec<UserId>> = BTreeMap::new();
    for ((room, wanted), entry) in wanted.into_iter().zip(lists) {
        let Some(part) = parts.get_mut(&room) else { continue };
        match (wanted, entry) {
            (Wanted::Draft, entry) => part.has_draft = Some(entry.is_some()),
            (Wanted::Person(user), Some(event)) => part.meet(user, event.member("content").as_ref()),
            (Wanted::Person(user), None) => strangers.entry(room).or_default().push(user),
        }
    }
    let lists = states(store, strangers.keys().map(|room| query(room, "haos.summary", "heroes"))).await?;
    for ((room, users), heroes) in strangers.into_iter().zip(lists) {
        let Some(part) = parts.get_mut(&room) else { continue };
        let heroes: Vec<Json> = heroes.and_then(|heroes| heroes.parse().ok()).unwrap_or_default();
        for user in users {
            let hero = heroes.iter().find(|hero| hero.text("user_id").as_deref() == Some(user.as_str()));
            part.meet(user, hero);
        }
    }
    Ok(())
}

fn query(room: &RoomId, kind: &str, key: &str) -> Result<StateQuery> {
    Ok(StateQuery::one(Scope::Room(room.clone()), EventType::new(kind)?, StateKey::new(key)?))
}

/// Reads the values of entries, each of which may be absent.
async fn states(
    store: &dyn StorageAdapter,
    queries: impl Iterator<Item = Result<StateQuery>>,
) -> Result<Vec<Option<Json>>> {
    let queries: Vec<_> = queries.collect::<Result<_>>()?;
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let lists = store.states(queries).await?;
    Ok(lists.into_iter().map(|entries| entries.into_iter().next().map(|entry| entry.value)).collect())
}
