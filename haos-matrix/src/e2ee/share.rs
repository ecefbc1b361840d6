//! Makes sure that whoever is to read a room's next event can.

use std::time::Duration;

use haos_store_api::{Json, RoomId, Scope, StateEntry, StorageAdapterExt as _};
use matrix_sdk_common::ruma::events::room::history_visibility::HistoryVisibility;
use matrix_sdk_common::ruma::{OwnedUserId, RoomId as RumaRoomId, UserId as RumaUserId};
use matrix_sdk_crypto::EncryptionSettings;

use super::Encryption;
use super::call::Call;
use super::trouble::{Result, Trouble};
use super::words::ENCRYPTION;
use crate::Engine;
use crate::parse::{known_key, known_kind};

impl Encryption {
    /// Shares the key of a room's next event with all devices of its members, as of the stored token.
    pub(super) async fn share(&self, engine: &Engine, room: &RoomId) -> Result<()> {
        let Ok(ruma_room) = RumaRoomId::parse(room.as_str()) else {
            return Err(Trouble::Machine(format!("{room} is no id of a room")));
        };
        // Whose devices changed, before a crash too.
        self.drain().await?;
        let (users, settings) = self.readers(engine, room).await?;
        let turn = self.turn().await?;
        turn.machine.update_tracked_users(Users(users.iter())).await?;
        turn.done();
        let _alone = self.inner.sending.lock().await;
        self.pump_alone(&Call::is_of_devices).await?;
        let turn = self.turn().await?;
        let claim = turn.machine.get_missing_sessions(Users(users.iter())).await?;
        turn.done();
        if let Some((id, request)) = claim {
            self.send(&Call::claim(&id, &request)?).await?;
        }
        let turn = self.turn().await?;
        let shared = turn.machine.share_room_key(&ruma_room, Users(users.iter()), settings);
        let requests = shared.await?;
        turn.done();
        for request in requests {
            self.send(&Call::to_device(&request)?).await?;
        }
        Ok(())
    }

    /// Who reads a room, and under which settings.
    async fn readers(
        &self,
        engine: &Engine,
        room: &RoomId,
    ) -> Result<(Vec<OwnedUserId>, EncryptionSettings)> {
        let members = engine.members(room).await?;
        if !members.complete {
            // As of no token: somebody may be missing, and somebody may have left.
            return Err(members.stopped.map_or(Trouble::Early, Trouble::from));
        }
        let (encryption, visibility) =
            (self.content(room, ENCRYPTION).await?, self.content(room, "m.room.history_visibility").await?);
        let visibility = visibility.and_then(|content| content.text("history_visibility"));
        let visibility = visibility.map_or(HistoryVisibility::Shared, HistoryVisibility::from);
        let invited = visibility != HistoryVisibility::Joined;
        let reads = |entry: &&StateEntry| {
            let membership = entry.value.member("content").and_then(|content| content.text("membership"));
            membership.is_some_and(|is| is == "join" || (is == "invite" && invited))
        };
        let users = members.entries.iter().filter(reads);
        let users = users.filter_map(|entry| RumaUserId::parse(entry.key.as_str()).ok()).collect();
        Ok((users, settings(encryption.as_ref(), visibility)))
    }

    /// The content of a room's state.
    async fn content(&self, room: &RoomId, kind: &'static str) -> haos_store_api::Result<Option<Json>> {
        let (scope, key) = (Scope::Room(room.clone()), known_key(""));
        let value = self.inner.store.state_value(scope, &known_kind(kind), &key).await?;
        Ok(value.and_then(|event| event.member("content")))
    }
}

/// Users, as the machine takes them. A closure in its place would keep the future from being sent to another thread.
struct Users<'a>(std::slice::Iter<'a, OwnedUserId>);

impl<'a> Iterator for Users<'a> {
    type Item = &'a RumaUserId;

    fn next(&mut self) -> Option<&'a RumaUserId> {
        self.0.next().map(|user| &**user)
    }
}

/// How often a room wants a new key.
fn settings(encryption: Option<&Json>, history_visibility: HistoryVisibility) -> EncryptionSettings {
    let number = |name: &str| encryption?.member(name)?.parse::<u64>().ok();
    let mut settings = EncryptionSettings { history_visibility, ..EncryptionSettings::default() };
    if let Some(ms) = number("rotation_period_ms") {
        settings.rotation_period = Duration::from_millis(ms);
    }
    if let Some(messages) = number("rotation_period_msgs") {
        settings.rotation_period_msgs = messages;
    }
    settings
}
