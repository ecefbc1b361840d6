//! Changes of a room's members.

use haos_store_api::{StateKey, UserId};
use serde::Serialize;

use super::file::media_uri;
use super::read::Object;
use super::state::quoted;

/// A change of somebody's place in a room (specification, client-server API, `m.room.member`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct MemberChange {
    /// The one whose place changed.
    pub user: UserId,
    /// The change.
    #[serde(flatten)]
    pub action: MemberAction,
    /// The reason that the sender gave.
    pub reason: Option<String>,
}

/// The kinds of changes of a member. Those from `Invited` to `Unbanned` are another one's doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "action", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum MemberAction {
    /// They joined.
    Joined,
    /// They left.
    Left,
    /// They rejected an invite.
    InviteRejected,
    /// They asked to join.
    Knocked,
    /// They took back that they asked to join.
    KnockRetracted,
    /// They changed their name or their picture.
    ProfileChanged {
        /// The name, if it changed.
        name: Option<NameChange>,
        /// True if the picture changed.
        avatar: bool,
    },
    /// They were invited.
    Invited,
    /// An invite of theirs was withdrawn.
    InviteWithdrawn,
    /// They asked to join, and were not let in.
    KnockDenied,
    /// They were removed, and may join again.
    Kicked,
    /// They were removed, and may not join again.
    Banned,
    /// They may join again.
    Unbanned,
    /// Nothing that people see.
    Unchanged,
}

/// Another name of a member. Without one, their id is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct NameChange {
    /// The name before.
    pub before: Option<String>,
    /// The name from then on.
    pub after: Option<String>,
}

impl MemberChange {
    /// Reads a change; none if it is malformed. Without the content `prev` that it replaced, they were not there.
    pub(super) fn of(
        sender: &UserId,
        state_key: &StateKey,
        content: &Object<'_>,
        prev: Option<&Object<'_>>,
    ) -> Option<Self> {
        let user = UserId::new(state_key).ok()?;
        let before = prev.and_then(|prev| prev.text("membership"));
        let own = *sender == user;
        let action = match (before.as_deref(), content.text("membership")?.as_str(), own) {
            (Some("invite"), "invite", _)
            | (Some("leave"), "leave", _)
            | (Some("ban"), "ban", _)
            | (Some("knock"), "knock", _) => MemberAction::Unchanged,
            (Some("join"), "join", _) => profile(content, prev?),
            (_, "join", _) => MemberAction::Joined,
            (_, "invite", _) => MemberAction::Invited,
            (_, "knock", _) => MemberAction::Knocked,
            (_, "ban", _) => MemberAction::Banned,
            (Some("ban"), "leave", _) => MemberAction::Unbanned,
            (Some("invite"), "leave", true) => MemberAction::InviteRejected,
            (Some("invite"), "leave", false) => MemberAction::InviteWithdrawn,
            (Some("knock"), "leave", true) => MemberAction::KnockRetracted,
            (Some("knock"), "leave", false) => MemberAction::KnockDenied,
            (_, "leave", true) => MemberAction::Left,
            (_, "leave", false) => MemberAction::Kicked,
            _ => return None,
        };
        Some(Self { user, action, reason: content.name("reason") })
    }

    /// Tells if the member is the one who did it.
    pub(super) fn is_own(&self) -> bool {
        use MemberAction as A;
        matches!(
            self.action,
            A::Joined
                | A::Left
                | A::InviteRejected
                | A::Knocked
                | A::KnockRetracted
                | A::ProfileChanged { .. }
        )
    }

    /// Tells the change, after the name of the one who did it. An invite goes without its reason: anybody can send one
    /// to anybody.
    pub(super) fn sentence(&self, target: Option<&str>) -> String {
        use MemberAction as A;
        let who = target.unwrap_or(self.user.as_str());
        let told = match &self.action {
            A::Joined => "joined the room".to_owned(),
            A::Left => "left the room".to_owned(),
            A::InviteRejected => "rejected the invite".to_owned(),
            A::Knocked => "asked to join the room".to_owned(),
            A::KnockRetracted => "no longer asks to join the room".to_owned(),
            A::ProfileChanged { name: None, avatar: true } => "changed their picture".to_owned(),
            A::ProfileChanged { name: None, .. } | A::Unchanged => "changed nothing".to_owned(),
            A::ProfileChanged { name: Some(name), avatar: false } => name.sentence(),
            A::ProfileChanged { name: Some(name), .. } => {
                format!("{} and changed their picture", name.sentence())
            }
            A::Invited => return format!("invited {who}"),
            A::InviteWithdrawn => format!("withdrew the invite of {who}"),
            A::KnockDenied => format!("turned down {who}, who asked to join"),
            A::Kicked => format!("removed {who}"),
            A::Banned => format!("banned {who}"),
            A::Unbanned => format!("unbanned {who}"),
        };
        match &self.reason {
            Some(reason) => format!("{told}: {reason}"),
            None => told,
        }
    }
}

impl NameChange {
    fn sentence(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                format!("changed their name from {} to {}", quoted(before), quoted(after))
            }
            (None, Some(after)) => format!("set their name to {}", quoted(after)),
            (Some(before), None) => format!("removed their name {}", quoted(before)),
            (None, None) => "removed their name".to_owned(),
        }
    }
}

/// Compares the names and pictures of a member.
fn profile(content: &Object<'_>, prev: &Object<'_>) -> MemberAction {
    let (before, after) = (prev.name("displayname"), content.name("displayname"));
    let name = (before != after).then_some(NameChange { before, after });
    let avatar = media_uri(content, "avatar_url") != media_uri(prev, "avatar_url");
    match name.is_none() && !avatar {
        true => MemberAction::Unchanged,
        false => MemberAction::ProfileChanged { name, avatar },
    }
}
