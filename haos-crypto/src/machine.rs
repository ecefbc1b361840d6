//! The store as a machine sees it.

use std::collections::HashMap;

use async_trait::async_trait;
use haos_store_api::{Durability, Scope, StateQuery};
use matrix_sdk_common::cross_process_lock::CrossProcessLockGeneration;
use matrix_sdk_common::ruma::events::secret::request::SecretName;
use matrix_sdk_common::ruma::{DeviceId, OwnedDeviceId, RoomId, TransactionId, UserId};
use matrix_sdk_crypto::olm::{
    InboundGroupSession, OlmMessageHash, OutboundGroupSession, PrivateCrossSigningIdentity, SenderDataType,
    Session,
};
use matrix_sdk_crypto::store::CryptoStore;
use matrix_sdk_crypto::store::types::{
    BackupKeys, Changes, DehydratedDeviceKey, PendingChanges, RoomKeyCounts, RoomKeyWithheldEntry,
    RoomPendingKeyBundleDetails, RoomSettings, StoredRoomKeyBundleData, TrackedUser,
};
use matrix_sdk_crypto::vodozemac::{Curve25519PublicKey, base64_decode, base64_encode};
use matrix_sdk_crypto::{Account, DeviceData, GossipRequest, SecretInfo, UserIdentityData};
use zeroize::Zeroizing;

use crate::changes::wanted;
use crate::error::{Error, Result};
use crate::place::{self, one, single};
use crate::store::KeyStore;

const DEVICE: &str = "a device";
const REQUEST: &str = "a request for a secret";
const WITHHELD: &str = "a withheld room key";
const BUNDLE: &str = "a bundle of room keys";

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl CryptoStore for KeyStore {
    type Error = Error;

    async fn load_account(&self) -> Result<Option<Account>> {
        let Some(pickle) = self.own(single::ACCOUNT).await? else { return Ok(None) };
        let account = Account::from_pickle(pickle).map_err(|_| Error::Unreadable(single::ACCOUNT))?;
        self.set_account(account.static_data());
        Ok(Some(account))
    }

    async fn load_identity(&self) -> Result<Option<PrivateCrossSigningIdentity>> {
        let Some(pickle) = self.own(single::IDENTITY).await? else { return Ok(None) };
        PrivateCrossSigningIdentity::from_pickle(pickle)
            .map(Some)
            .map_err(|_| Error::Unreadable(single::IDENTITY))
    }

    async fn save_changes(&self, changes: Changes) -> Result<()> {
        self.save(changes).await
    }

    async fn save_pending_changes(&self, changes: PendingChanges) -> Result<()> {
        let Some(account) = changes.account else { return Ok(()) };
        self.put(Durability::Strict, one(single::ACCOUNT)?, &account.pickle()).await?;
        self.set_account(account.static_data());
        Ok(())
    }

    async fn save_inbound_group_sessions(
        &self,
        sessions: Vec<InboundGroupSession>,
        backed_up_to_version: Option<&str>,
    ) -> Result<()> {
        let mut write = self.write(Durability::Relaxed).await?;
        write.put_room_keys(sessions, backed_up_to_version).await?;
        write.commit().await
    }

    async fn get_sessions(&self, sender_key: &str) -> Result<Option<Vec<Session>>> {
        let pickles = self.list("an Olm session", place::olm_sessions(sender_key)?).await?;
        if pickles.is_empty() {
            return Ok(None);
        }
        let keys = self.get_own_device().await?.as_device_keys().clone();
        let session = |pickle| Session::from_pickle(keys.clone(), pickle);
        let sessions: Result<_, _> = pickles.into_iter().map(session).collect();
        sessions.map(Some).map_err(|_| Error::Unreadable("an Olm session"))
    }

    async fn get_inbound_group_session(
        &self,
        room_id: &RoomId,
        session_id: &str,
    ) -> Result<Option<InboundGroupSession>> {
        self.room_key(room_id.as_str(), session_id).await
    }

    async fn get_withheld_info(
        &self,
        room_id: &RoomId,
        session_id: &str,
    ) -> Result<Option<RoomKeyWithheldEntry>> {
        self.get(WITHHELD, place::withheld(room_id.as_str(), session_id)?).await
    }

    async fn get_withheld_sessions_by_room_id(&self, room_id: &RoomId) -> Result<Vec<RoomKeyWithheldEntry>> {
        self.list(WITHHELD, place::withheld_of(room_id.as_str())?).await
    }

    async fn get_inbound_group_sessions(&self) -> Result<Vec<InboundGroupSession>> {
        self.all_room_keys().await
    }

    async fn inbound_group_session_counts(&self, backup_version: Option<&str>) -> Result<RoomKeyCounts> {
        self.count_room_keys(backup_version).await
    }

    async fn get_inbound_group_sessions_by_room_id(
        &self,
        room_id: &RoomId,
    ) -> Result<Vec<InboundGroupSession>> {
        self.room_keys_of(room_id.as_str()).await
    }

    async fn get_inbound_group_sessions_for_device_batch(
        &self,
        curve_key: Curve25519PublicKey,
        sender_data_type: SenderDataType,
        after_session_id: Option<String>,
        limit: usize,
    ) -> Result<Vec<InboundGroupSession>> {
        self.room_keys_from(&curve_key.to_base64(), sender_data_type, after_session_id.as_deref(), limit)
            .await
    }

    async fn inbound_group_sessions_for_backup(
        &self,
        backup_version: &str,
        limit: usize,
    ) -> Result<Vec<InboundGroupSession>> {
        self.room_keys_for_backup(backup_version, limit).await
    }

    async fn mark_inbound_group_sessions_as_backed_up(
        &self,
        backup_version: &str,
        room_and_session_ids: &[(&RoomId, &str)],
    ) -> Result<()> {
        self.mark_backed_up(backup_version, room_and_session_ids).await
    }

    /// Does nothing: a room key says which backup has it, so that another version has none of them.
    async fn reset_backup_state(&self) -> Result<()> {
        Ok(())
    }

    async fn load_backup_keys(&self) -> Result<BackupKeys> {
        let decryption_key = self.own(single::BACKUP_KEY).await?;
        Ok(BackupKeys { decryption_key, backup_version: self.own(single::BACKUP_VERSION).await? })
    }

    async fn load_dehydrated_device_pickle_key(&self) -> Result<Option<DehydratedDeviceKey>> {
        self.own(single::DEHYDRATED).await
    }

    async fn delete_dehydrated_device_pickle_key(&self) -> Result<()> {
        self.remove(Durability::Strict, one(single::DEHYDRATED)?).await
    }

    async fn get_outbound_group_session(&self, room_id: &RoomId) -> Result<Option<OutboundGroupSession>> {
        let what = "the key that a room's messages are sent under";
        let Some(pickle) = self.get(what, place::sent_key(room_id.as_str())?).await? else { return Ok(None) };
        let account = self.get_static_account().ok_or(Error::NoAccount)?;
        let session = OutboundGroupSession::from_pickle(account.device_id, account.identity_keys, pickle);
        session.map(Some).map_err(|_| Error::Unreadable(what))
    }

    async fn load_tracked_users(&self) -> Result<Vec<TrackedUser>> {
        self.list("a user whose devices are followed", place::tracked_users()?).await
    }

    async fn save_tracked_users(&self, users: &[(&UserId, bool)]) -> Result<()> {
        let mut write = self.write(Durability::Relaxed).await?;
        for (user, dirty) in users {
            let tracked = TrackedUser { user_id: (*user).to_owned(), dirty: *dirty };
            write.put(place::tracked(user.as_str())?, &tracked)?;
        }
        write.commit().await
    }

    async fn get_device(&self, user_id: &UserId, device_id: &DeviceId) -> Result<Option<DeviceData>> {
        self.get(DEVICE, place::device(user_id.as_str(), device_id.as_str())?).await
    }

    async fn get_user_devices(&self, user_id: &UserId) -> Result<HashMap<OwnedDeviceId, DeviceData>> {
        let devices: Vec<DeviceData> = self.list(DEVICE, place::devices(user_id.as_str())?).await?;
        Ok(devices.into_iter().map(|device| (device.device_id().to_owned(), device)).collect())
    }

    async fn get_own_device(&self) -> Result<DeviceData> {
        let account = self.get_static_account().ok_or(Error::NoAccount)?;
        self.get_device(&account.user_id, &account.device_id).await?.ok_or(Error::NoAccount)
    }

    async fn get_user_identity(&self, user_id: &UserId) -> Result<Option<UserIdentityData>> {
        self.get("a user's identity", place::identity(user_id.as_str())?).await
    }

    async fn is_message_known(&self, message_hash: &OlmMessageHash) -> Result<bool> {
        self.has(place::message_hash(&message_hash.sender_key, &message_hash.hash)?).await
    }

    async fn get_outgoing_secret_requests(
        &self,
        request_id: &TransactionId,
    ) -> Result<Option<GossipRequest>> {
        self.get(REQUEST, place::request(request_id.as_str())?).await
    }

    async fn get_secret_request_by_info(&self, secret_info: &SecretInfo) -> Result<Option<GossipRequest>> {
        let id: Option<String> = self.get(REQUEST, place::requested(&wanted(secret_info)?)?).await?;
        match id {
            Some(id) => self.get(REQUEST, place::request(&id)?).await,
            None => Ok(None),
        }
    }

    async fn get_unsent_secret_requests(&self) -> Result<Vec<GossipRequest>> {
        let mut requests: Vec<GossipRequest> = self.list(REQUEST, place::requests()?).await?;
        requests.retain(|request| !request.sent_out);
        Ok(requests)
    }

    async fn delete_outgoing_secret_requests(&self, request_id: &TransactionId) -> Result<()> {
        let mut write = self.write(Durability::Relaxed).await?;
        let Some(request) = self.get_outgoing_secret_requests(request_id).await? else { return Ok(()) };
        let latest = place::requested(&wanted(&request.info)?)?;
        // A later request for the same thing stays to be found.
        if self.get::<String>(REQUEST, latest.clone()).await?.as_deref() == Some(request_id.as_str()) {
            write.remove(latest);
        }
        write.remove(place::request(request_id.as_str())?);
        write.commit().await
    }

    async fn get_secrets_from_inbox(&self, secret_name: &SecretName) -> Result<Vec<Zeroizing<String>>> {
        let secrets: Vec<String> = self.list("a secret", place::secrets(secret_name.as_str())?).await?;
        Ok(secrets.into_iter().map(Zeroizing::new).collect())
    }

    async fn delete_secrets_from_inbox(&self, secret_name: &SecretName) -> Result<()> {
        let kind = place::secrets(secret_name.as_str())?;
        let mut write = self.write(Durability::Strict).await?;
        for entry in self.read(StateQuery::kind(Scope::Account, kind)).await? {
            write.remove(place::Place::of(&entry));
        }
        write.commit().await
    }

    async fn get_room_settings(&self, room_id: &RoomId) -> Result<Option<RoomSettings>> {
        self.get("a room's settings", place::settings(room_id.as_str())?).await
    }

    async fn get_received_room_key_bundle_data(
        &self,
        room_id: &RoomId,
        user_id: &UserId,
    ) -> Result<Option<StoredRoomKeyBundleData>> {
        self.get(BUNDLE, place::bundle(room_id.as_str(), user_id.as_str())?).await
    }

    async fn get_pending_key_bundle_details_for_room(
        &self,
        room_id: &RoomId,
    ) -> Result<Option<RoomPendingKeyBundleDetails>> {
        self.get(BUNDLE, place::pending_bundle(room_id.as_str())?).await
    }

    async fn get_all_rooms_pending_key_bundles(&self) -> Result<Vec<RoomPendingKeyBundleDetails>> {
        self.list(BUNDLE, place::pending_bundles()?).await
    }

    async fn has_downloaded_all_room_keys(&self, room_id: &RoomId) -> Result<bool> {
        self.has(place::downloaded(room_id.as_str())?).await
    }

    async fn get_custom_value(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let what = "a value of the application";
        let text: Option<String> = self.get(what, place::custom(key)?).await?;
        text.map(|text| base64_decode(Zeroizing::new(text).as_str()).map_err(|_| Error::Unreadable(what)))
            .transpose()
    }

    async fn set_custom_value(&self, key: &str, value: Vec<u8>) -> Result<()> {
        let value = Zeroizing::new(value);
        let text = Zeroizing::new(base64_encode(&*value));
        self.put(Durability::Strict, place::custom(key)?, &*text).await
    }

    async fn remove_custom_value(&self, key: &str) -> Result<()> {
        self.remove(Durability::Strict, place::custom(key)?).await
    }

    async fn try_take_leased_lock(
        &self,
        lease_duration_ms: u32,
        key: &str,
        holder: &str,
    ) -> Result<Option<CrossProcessLockGeneration>> {
        self.take_lease(lease_duration_ms, key, holder).await
    }

    async fn next_batch_token(&self) -> Result<Option<String>> {
        self.own(single::SYNC_TOKEN).await
    }

    async fn close(&self) -> Result<()> {
        self.set_closed(true);
        Ok(())
    }

    async fn reopen(&self) -> Result<()> {
        self.set_closed(false);
        Ok(())
    }

    /// Returns the bytes of the whole store, which has more than keys.
    async fn get_size(&self) -> Result<Option<usize>> {
        Ok(usize::try_from(self.adapter()?.usage().await?.total_bytes).ok())
    }
}
