use haos_store_api::backend::law::sort_by;
use haos_store_api::{EventType, Membership, Scope, StateEntry, StateQuery, StorageAdapter as _, UserId};
use serde::Serialize;

use super::Room;
use crate::error::{Error, Result};
use crate::live::timeline::Profile;

/// The people of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// Those who take part first, then the others; each by name.
    pub members: Vec<Member>,
    /// True if these are all, as of the last sync. Else there may be more.
    pub is_complete: bool,
    /// The reason why the server was not asked for the others, for the user.
    pub problem: Option<String>,
}

/// A person and their relation to a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The person.
    #[serde(flatten)]
    pub profile: Profile,
    /// Their relation to it.
    pub membership: Membership,
}

impl Room {
    /// Reads who is in it, and who was: from the store where it has all, else from the server, once. Without a network
    /// those that the store knows come at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn members(&self) -> Result<Members> {
        let (entries, is_complete, problem) = match self.chat.engine() {
            Some(engine) => {
                let list = engine.members(&self.id).await?;
                (list.entries, list.complete, list.stopped.map(|stopped| Error::from(stopped).to_string()))
            }
            None => {
                let query = StateQuery::kind(Scope::Room(self.id.clone()), EventType::new("m.room.member")?);
                (self.chat.store().state(query).await?, false, Some(Error::NotLoggedIn.to_string()))
            }
        };
        let key = |member: &Member| {
            let name = member.profile.name.as_deref().unwrap_or(member.profile.id.as_str());
            (rank(member.membership), name.to_lowercase(), member.profile.id.clone())
        };
        let members = entries.iter().filter_map(Member::of);
        let mut keyed: Vec<_> = members.map(|member| (key(&member), member)).collect();
        sort_by(&mut keyed, |(a, _), (b, _)| a.cmp(b));
        let members = keyed.into_iter().map(|(_, member)| member).collect();
        Ok(Members { members, is_complete, problem })
    }
}

fn rank(membership: Membership) -> u8 {
    match membership {
        Membership::Join => 0,
        Membership::Invite => 1,
        Membership::Knock => 2,
        Membership::Leave => 3,
        _ => 4,
    }
}

impl Member {
    /// Reads a member event; `None` for one that is no user's.
    fn of(entry: &StateEntry) -> Option<Self> {
        let id = UserId::new(entry.key.as_str()).ok()?;
        let content = entry.value.member("content");
        let membership = content.as_ref().and_then(|content| content.member("membership")?.parse().ok());
        let profile = Profile::of(&id, content.as_ref());
        // What was taken back says nothing: who it was about is not known to be here.
        Some(Self { profile, membership: membership.unwrap_or(Membership::Leave) })
    }
}
