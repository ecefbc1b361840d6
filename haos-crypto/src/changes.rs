//! What a machine changed, as one write.

use haos_store_api::Durability;
use matrix_sdk_crypto::SecretInfo;
use matrix_sdk_crypto::store::types::Changes;

use crate::error::{Error, Result};
use crate::place::{self, one, single};
use crate::store::{KeyStore, Write};

/// Tells how durable changes have to be.
///
/// A ratchet must not go back when the power goes: what was sent by then was encrypted under the steps that would be
/// taken again. Secrets come once. All else comes again: a room key is received by a message that the application keeps
/// until this write is stored, and writes are stored in their order.
fn durability(changes: &Changes) -> Durability {
    let is_dear = !changes.sessions.is_empty()
        || !changes.outbound_group_sessions.is_empty()
        || !changes.secrets.is_empty()
        || changes.private_identity.is_some()
        || changes.backup_decryption_key.is_some()
        || changes.dehydrated_device_pickle_key.is_some();
    if is_dear { Durability::Strict } else { Durability::Relaxed }
}

/// Names a thing that is asked for.
pub(crate) fn wanted(info: &SecretInfo) -> Result<String> {
    serde_json::to_string(info).map_err(|_| Error::Unreadable("a request for a secret"))
}

impl KeyStore {
    pub(crate) async fn save(&self, changes: Changes) -> Result<()> {
        let mut write = self.write(durability(&changes)).await?;
        write.put_changes(changes).await?;
        write.commit().await
    }
}

impl Write<'_> {
    async fn put_changes(&mut self, changes: Changes) -> Result<()> {
        // Every field by its name: one that is added to it does not compile until it is stored.
        let Changes {
            private_identity,
            backup_version,
            backup_decryption_key,
            dehydrated_device_pickle_key,
            sessions,
            message_hashes,
            inbound_group_sessions,
            outbound_group_sessions,
            key_requests,
            identities,
            devices,
            withheld_session_info,
            room_settings,
            secrets,
            next_batch_token,
            received_room_key_bundles,
            room_key_backups_fully_downloaded,
            rooms_pending_key_bundle,
        } = changes;
        if let Some(identity) = private_identity {
            self.put(one(single::IDENTITY)?, &identity.pickle().await)?;
        }
        self.put_if(single::BACKUP_VERSION, backup_version)?;
        self.put_if(single::BACKUP_KEY, backup_decryption_key)?;
        self.put_if(single::DEHYDRATED, dehydrated_device_pickle_key)?;
        self.put_if(single::SYNC_TOKEN, next_batch_token)?;
        for session in sessions {
            let place = place::olm_session(&session.sender_key().to_base64(), session.session_id())?;
            self.put(place, &session.pickle().await)?;
        }
        self.put_room_keys(inbound_group_sessions, None).await?;
        for session in outbound_group_sessions {
            self.put(place::sent_key(session.room_id().as_str())?, &session.pickle().await)?;
        }
        for hash in message_hashes {
            self.put(place::message_hash(&hash.sender_key, &hash.hash)?, &true)?;
        }
        for request in key_requests {
            self.put(place::requested(&wanted(&request.info)?)?, &request.request_id)?;
            self.put(place::request(request.request_id.as_str())?, &request)?;
        }
        for identity in identities.new.iter().chain(&identities.changed) {
            self.put(place::identity(identity.user_id().as_str())?, identity)?;
        }
        for device in devices.new.iter().chain(&devices.changed) {
            self.put(place::device(device.user_id().as_str(), device.device_id().as_str())?, device)?;
        }
        for device in &devices.deleted {
            self.remove(place::device(device.user_id().as_str(), device.device_id().as_str())?);
        }
        for (room, sessions) in withheld_session_info {
            for (session, entry) in sessions {
                self.put(place::withheld(room.as_str(), &session)?, &entry)?;
            }
        }
        for (room, settings) in room_settings {
            self.put(place::settings(room.as_str())?, &settings)?;
        }
        for (nth, secret) in secrets.into_iter().enumerate() {
            // By key in the order of their arrival.
            let nth = format!("{:020}/{nth:05}", self.number());
            self.put(place::secret(secret.secret_name.as_str(), &nth)?, &*secret.secret)?;
        }
        for bundle in received_room_key_bundles {
            let place = place::bundle(bundle.bundle_data.room_id.as_str(), bundle.sender_user.as_str())?;
            self.put(place, &bundle)?;
        }
        for room in room_key_backups_fully_downloaded {
            self.put(place::downloaded(room.as_str())?, &true)?;
        }
        for (room, details) in rooms_pending_key_bundle {
            let place = place::pending_bundle(room.as_str())?;
            match details {
                Some(details) => self.put(place, &details)?,
                None => self.remove(place),
            }
        }
        Ok(())
    }

    fn put_if<T: serde::Serialize>(&mut self, name: &'static str, value: Option<T>) -> Result<()> {
        value.map_or(Ok(()), |value| self.put(one(name)?, &value))
    }
}
