use async_trait::async_trait;
use haos_queue::{Answer, BackfillPage, Body, Created, Event, Lookup, RECEIPT, Refusal, TYPING, Transport};
use haos_store_api::{Direction, EventId, Json, MediaUri, Pending, RoomId};
use reqwest::Method;

use super::Homeserver;
use super::answer::Expected;
use super::mxc::Mxc;
use super::path::{Path, room_path};
use super::request::Request;
use crate::{PageRequest, Reply, Server as _, parse_event, parse_messages};

const REDACTION: &str = "m.room.redaction";
const ENCRYPTION: &str = "m.room.encryption";

/// A longer wait for a place to upload to is not worth it, in milliseconds: the bytes go in one request.
const LONG_MS: u64 = 60_000;

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Transport for Homeserver {
    async fn send(&self, row: &Pending) -> Answer {
        let (path, txn) = (room_path(&row.room), row.txn_id.as_str());
        let (kind, body) = row.wire_form();
        let (request, expected) = match kind.as_str() {
            RECEIPT => (Request::post("receipt", path.part("/read_markers"), body), Expected::Object),
            TYPING => {
                let Some(session) = self.session() else { return super::tokens::logged_out() };
                let path = path.part("/typing").id(session.user.as_str());
                (Request::put("typing", path, body), Expected::Object)
            }
            REDACTION => {
                let Some(target) = &row.target else {
                    return Answer::Refused(Refusal::new(400, "M_MISSING_PARAM"));
                };
                let path = path.part("/redact").id(target.as_str()).id(txn);
                (Request::put("redact", path, body), Expected::Event)
            }
            kind => (Request::put("send", path.part("/send").id(kind).id(txn), body), Expected::Event),
        };
        self.answered(&request, expected).await
    }

    async fn create_media(&self) -> Created {
        let body = Json::empty();
        let request = Request::post("create_media", Path::new("/_matrix/media/v1/create"), &body);
        match self.answered(&request, Expected::Media).await {
            Answer::Uploaded(uri) => Created::At(uri),
            Answer::Refused(Refusal { status: 404 | 405, .. }) => Created::Unsupported,
            Answer::Refused(Refusal { code: Some(code), .. }) if code == "M_UNRECOGNIZED" => {
                Created::Unsupported
            }
            // Servers keep a few unused places a user, for a day: answers that were lost use them up, and the
            // wait is until one of them expires. That is no wish for quiet of the whole account.
            Answer::Refused(Refusal { status: 429, retry_after_ms: Some(wait_ms), .. })
                if wait_ms > LONG_MS =>
            {
                Created::Unsupported
            }
            answer => Created::Failed(answer),
        }
    }

    async fn upload(&self, body: Body<'_>, remote: Option<&MediaUri>) -> Answer {
        let path = Path::new("/_matrix/media/v3/upload");
        let Some(uri) = remote else {
            let request = Request::upload("upload", Method::POST, path, &body);
            return self.answered(&request, Expected::Media).await;
        };
        let place = match Mxc::of(uri) {
            Ok(place) => place,
            Err(answer) => return answer,
        };
        let request = Request::upload("upload", Method::PUT, path.id(place.server).id(place.id), &body);
        match self.answered(&request, Expected::Object).await {
            Answer::Done => Answer::Uploaded(uri.clone()),
            answer => answer,
        }
    }

    async fn media_exists(&self, uri: &MediaUri) -> Lookup<()> {
        match self.look_at_media(uri).await {
            Ok(()) => Lookup::Found(()),
            Err(Answer::Refused(Refusal { code: Some(code), status: 404 | 504, .. }))
                if matches!(&*code, "M_NOT_FOUND" | "M_NOT_YET_UPLOADED") =>
            {
                Lookup::Missing
            }
            // A page of somebody else's, or of the user's own: putting it there once more tells.
            Err(Answer::Unreadable) => Lookup::Unknown,
            Err(answer) => Lookup::Failed(answer),
        }
    }

    async fn is_encrypted(&self, room: &RoomId) -> Reply<bool> {
        let path = room_path(room).part("/state").id(ENCRYPTION);
        match self.ask_json(&Request::read("encryption", path)).await {
            Ok(_) => Ok(true),
            Err(Answer::Refused(Refusal { status: 404, code: Some(code), .. })) if code == "M_NOT_FOUND" => {
                Ok(false)
            }
            Err(answer) => Err(answer),
        }
    }

    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        let path = room_path(room).part("/event").id(event.as_str());
        match self.ask_json(&Request::read("event", path)).await {
            Ok(body) => parse_event(&body).map_or(Lookup::Failed(Answer::Unreadable), Lookup::Found),
            Err(Answer::Refused(Refusal { status: 404, code: Some(code), .. })) if code == "M_NOT_FOUND" => {
                Lookup::Missing
            }
            Err(answer) => Lookup::Failed(answer),
        }
    }

    async fn history(&self, room: &RoomId, from: Option<&str>, limit: usize) -> Reply<BackfillPage> {
        let request = PageRequest { room, from, to: None, direction: Direction::Older, limit };
        let body = self.messages(&request).await?;
        parse_messages(&body, room, Direction::Older).map_err(|e| {
            tracing::debug!(target: "haos::http", reason = %e, "a page that cannot be read");
            Answer::Unreadable
        })
    }
}

impl Homeserver {
    /// Sends a write; returns the meaning of its answer.
    async fn answered(&self, request: &Request<'_>, expected: Expected) -> Answer {
        match self.authed(request).await {
            Ok(response) => response.answer(expected, self.now_ms()),
            Err(answer) => answer,
        }
    }
}
