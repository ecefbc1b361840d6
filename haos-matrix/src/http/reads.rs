use async_trait::async_trait;
use haos_queue::Answer;
use haos_store_api::{Direction, EventId, Json, MediaUri, RoomId};

use super::Homeserver;
use super::path::{Path, room_path};
use super::request::Request;
use super::tokens::logged_out;
use crate::{Download, PageRequest, Reply, Server, SyncRequest, Variant};

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Server for Homeserver {
    async fn sync(&self, request: &SyncRequest) -> Reply<Vec<u8>> {
        let path = Path::new("/_matrix/client/v3/sync")
            .query_if("filter", request.filter.as_deref())
            .query_if("since", request.since.as_deref())
            .query_if("set_presence", request.quiet.then_some("offline"))
            .query("timeout", request.timeout_ms);
        let wait_ms = self.sync_wait_ms(request.since.is_none(), request.timeout_ms);
        self.ask_json(&Request::read("sync", path).large().waiting(wait_ms)).await
    }

    async fn sliding_sync(&self, pos: Option<&str>, timeout_ms: u64, body: &Json) -> Reply<Vec<u8>> {
        let path = Path::new("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync")
            .query_if("pos", pos)
            .query("timeout", timeout_ms);
        let wait_ms = self.sync_wait_ms(pos.is_none(), timeout_ms);
        self.ask_json(&Request::post("sliding_sync", path, body).large().waiting(wait_ms)).await
    }

    async fn offers_sliding_sync(&self) -> Reply<bool> {
        Ok(self.features().await?.has_sliding_sync())
    }

    async fn upload_filter(&self, filter: &Json) -> Reply<String> {
        let Some(session) = self.session() else { return Err(logged_out()) };
        let path = Path::new("/_matrix/client/v3/user").id(session.user.as_str()).part("/filter");
        let body = self.ask(&Request::post("filter", path, filter)).await?;
        super::answer::member(&body, "filter_id").ok_or(Answer::Unreadable)
    }

    async fn messages(&self, request: &PageRequest<'_>) -> Reply<Vec<u8>> {
        let direction = match request.direction {
            Direction::Older => "b",
            Direction::Newer => "f",
        };
        let path = room_path(request.room)
            .part("/messages")
            .query("dir", direction)
            .query_if("from", request.from)
            .query_if("to", request.to)
            .query("limit", request.limit);
        self.ask_json(&Request::read("messages", path).large()).await
    }

    async fn context(&self, room: &RoomId, event: &EventId, limit: usize) -> Reply<Vec<u8>> {
        let path = room_path(room).part("/context").id(event.as_str()).query("limit", limit);
        self.ask_json(&Request::read("context", path).large()).await
    }

    async fn members(&self, room: &RoomId, at: Option<&str>) -> Reply<Vec<u8>> {
        let path = room_path(room).part("/members").query_if("at", at);
        self.ask_json(&Request::read("members", path).large()).await
    }

    async fn download(&self, uri: &MediaUri, variant: Variant) -> Reply<Download> {
        self.open_media(uri, variant).await
    }

    #[cfg(feature = "e2ee")]
    async fn call(&self, request: &crate::KeyRequest) -> Reply<Vec<u8>> {
        let path = Path::new("/_matrix/client");
        let path = request.path.iter().fold(path, |path, part| path.id(part));
        let path = path.query_if("version", request.version.as_deref());
        let made = match request.verb {
            crate::KeyVerb::Get => Request::read(request.name, path),
            crate::KeyVerb::Post => Request::post(request.name, path, &request.body),
            crate::KeyVerb::Put => Request::put(request.name, path, &request.body),
        };
        self.ask_json(&made.large()).await
    }
}

impl Homeserver {
    /// How long a sync's answer may take to begin.
    fn sync_wait_ms(&self, is_first: bool, timeout_ms: u64) -> u64 {
        let usual_ms = timeout_ms.saturating_add(self.options.sync_grace_ms);
        if is_first { usual_ms.max(self.options.first_sync_ms) } else { usual_ms }
    }
}
