//! The machine's requests as requests to the server, and the server's answers as the machine takes them.

use std::collections::BTreeMap;

use haos_queue::{Answer, Refusal};
use haos_store_api::Json;
use matrix_sdk_common::ruma::api::IncomingResponse;
use matrix_sdk_common::ruma::api::client::keys::{claim_keys, get_keys, upload_keys, upload_signatures};
use matrix_sdk_common::ruma::api::client::message::send_message_event;
use matrix_sdk_common::ruma::api::client::{backup, to_device};
use matrix_sdk_common::ruma::{OwnedTransactionId, TransactionId};
use matrix_sdk_crypto::types::DeviceKeys;
use matrix_sdk_crypto::types::requests::{
    AnyIncomingResponse, AnyOutgoingRequest, KeysBackupRequest, KeysQueryRequest, ToDeviceRequest,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::machine::Turn;
use super::trouble::Result;
use crate::{KeyRequest, KeyVerb, Reply};

/// A request of the machine.
pub(super) struct Call {
    pub(super) id: OwnedTransactionId,
    what: What,
    pub(super) request: KeyRequest,
    /// It tells the device's keys once more, after a login.
    pub(super) is_anew: bool,
}

/// The kinds of requests, by what their answers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Upload,
    Query,
    Claim,
    ToDevice,
    Signatures,
    Room,
    Backup,
}

impl Call {
    fn new(
        id: &TransactionId,
        what: What,
        name: &'static str,
        verb: KeyVerb,
        path: &[&str],
        body: Json,
    ) -> Self {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let request = KeyRequest { name, verb, path, version: None, body };
        Self { id: id.to_owned(), what, request, is_anew: false }
    }

    /// Tells if others must know the answer before anything is encrypted for them.
    pub(super) fn is_of_devices(&self) -> bool {
        matches!(self.what, What::Upload | What::Query)
    }

    pub(super) fn of(id: &TransactionId, request: &AnyOutgoingRequest) -> Reply<Self> {
        Ok(match request {
            AnyOutgoingRequest::KeysUpload(request) => Self::upload(id, request)?,
            AnyOutgoingRequest::KeysQuery(request) => Self::query(id, request)?,
            AnyOutgoingRequest::KeysClaim(request) => Self::claim(id, request)?,
            AnyOutgoingRequest::ToDeviceRequest(request) => Self::to_device(request)?,
            AnyOutgoingRequest::SignatureUpload(request) => {
                let path = ["v3", "keys", "signatures", "upload"];
                let body = body_of(&request.signed_keys)?;
                Self::new(id, What::Signatures, "signatures_upload", KeyVerb::Post, &path, body)
            }
            AnyOutgoingRequest::RoomMessage(request) => {
                let (room, txn) = (request.room_id.as_str(), request.txn_id.as_str());
                let kind =
                    matrix_sdk_common::ruma::events::MessageLikeEventContent::event_type(&*request.content);
                let path = ["v3", "rooms", room, "send", &kind.to_string(), txn];
                Self::new(id, What::Room, "send", KeyVerb::Put, &path, body_of(&request.content)?)
            }
        })
    }

    pub(super) fn is_upload(&self) -> bool {
        self.what == What::Upload
    }

    fn upload(id: &TransactionId, request: &upload_keys::v3::Request) -> Reply<Self> {
        let mut body = BTreeMap::new();
        if let Some(device_keys) = &request.device_keys {
            body.insert("device_keys", json_of(device_keys)?);
        }
        body.insert("one_time_keys", json_of(&request.one_time_keys)?);
        body.insert("fallback_keys", json_of(&request.fallback_keys)?);
        let path = ["v3", "keys", "upload"];
        Ok(Self::new(id, What::Upload, "keys_upload", KeyVerb::Post, &path, body_of(&body)?))
    }

    /// Tells the device's keys once more.
    pub(super) fn anew(keys: &DeviceKeys) -> Reply<Self> {
        let body = body_of(&json!({ "device_keys": json_of(keys)? }))?;
        let path = ["v3", "keys", "upload"];
        let call = Self::new(&TransactionId::new(), What::Upload, "keys_upload", KeyVerb::Post, &path, body);
        Ok(Self { is_anew: true, ..call })
    }

    fn query(id: &TransactionId, request: &KeysQueryRequest) -> Reply<Self> {
        let body = body_of(&json!({ "device_keys": json_of(&request.device_keys)? }))?;
        Ok(Self::new(id, What::Query, "keys_query", KeyVerb::Post, &["v3", "keys", "query"], body))
    }

    pub(super) fn claim(id: &TransactionId, request: &claim_keys::v3::Request) -> Reply<Self> {
        let body = body_of(&json!({ "one_time_keys": json_of(&request.one_time_keys)? }))?;
        Ok(Self::new(id, What::Claim, "keys_claim", KeyVerb::Post, &["v3", "keys", "claim"], body))
    }

    pub(super) fn to_device(request: &ToDeviceRequest) -> Reply<Self> {
        let (kind, txn) = (request.event_type.to_string(), request.txn_id.as_str());
        let body = body_of(&json!({ "messages": json_of(&request.messages)? }))?;
        let path = ["v3", "sendToDevice", &kind, txn];
        Ok(Self::new(&request.txn_id, What::ToDevice, "send_to_device", KeyVerb::Put, &path, body))
    }

    pub(super) fn backup(id: &TransactionId, request: &KeysBackupRequest) -> Reply<Self> {
        let body = body_of(&json!({ "rooms": json_of(&request.rooms)? }))?;
        let call =
            Self::new(id, What::Backup, "keys_backup", KeyVerb::Put, &["v3", "room_keys", "keys"], body);
        let request = KeyRequest { version: Some(request.version.clone()), ..call.request };
        Ok(Self { request, ..call })
    }

    /// Gives the machine the server's answer.
    pub(super) async fn told(&self, turn: &Turn<'_>, body: Vec<u8>) -> Result<()> {
        match self.what {
            What::Upload => self.mark::<upload_keys::v3::Response>(turn, body).await,
            What::Query => self.mark::<get_keys::v3::Response>(turn, body).await,
            What::Claim => self.mark::<claim_keys::v3::Response>(turn, body).await,
            What::ToDevice => self.mark::<to_device::send_event_to_device::v3::Response>(turn, body).await,
            What::Signatures => self.mark::<upload_signatures::v3::Response>(turn, body).await,
            What::Room => self.mark::<send_message_event::v3::Response>(turn, body).await,
            What::Backup => self.mark::<backup::add_backup_keys::v3::Response>(turn, body).await,
        }
    }

    async fn mark<T>(&self, turn: &Turn<'_>, body: Vec<u8>) -> Result<()>
    where
        T: IncomingResponse,
        for<'a> &'a T: Into<AnyIncomingResponse<'a>>,
    {
        let answer: T = read(body)?;
        Ok(turn.machine.mark_request_as_sent(&self.id, &answer).await?)
    }
}

fn json_of<T: Serialize + ?Sized>(value: &T) -> Reply<Value> {
    serde_json::to_value(value).map_err(|_| Answer::Refused(Refusal::new(400, "M_BAD_JSON")))
}

fn body_of<T: Serialize + ?Sized>(value: &T) -> Reply<Json> {
    Json::of(value).map_err(|_| Answer::Refused(Refusal::new(400, "M_BAD_JSON")))
}

/// Reads a success.
fn read<T: IncomingResponse>(body: Vec<u8>) -> Reply<T> {
    let answer = http::Response::new(body);
    T::try_from_http_response(answer).map_err(|_| Answer::Unreadable)
}
