//! Media on its way here (specification, client-server API, "Content repository").

use haos_queue::Answer;
use haos_store_api::MediaUri;

use super::Homeserver;
#[cfg(not(target_arch = "wasm32"))]
use super::answer::Heads;
use super::answer::refusal;
use super::exchange::{Came, Response};
use super::mxc::Mxc;
use super::path::Path;
use super::request::Request;
use crate::{Download, Reply, Variant};

/// How long the server may wait for media of its own that is not there yet. It is asked for to find out
/// exactly that.
const LOOK_MS: u64 = 100;

impl Homeserver {
    pub(super) async fn open_media(&self, uri: &MediaUri, variant: Variant) -> Reply<Download> {
        let wait_ms = self.options.request_ms;
        // The server gives up first: its answer says more than ours.
        let server_ms = wait_ms.saturating_sub(wait_ms / 4);
        let response = self.ask_media(uri, variant, server_ms).await?;
        let Response { status, heads, body } = response;
        match body {
            Came::Live(live) => {
                // A browser undoes compression and leaves the size of what was compressed; it notices by
                // itself what is cut off.
                let size = heads.length.filter(|_| cfg!(not(target_arch = "wasm32")));
                let limit = self.options.max_media_bytes;
                if size.is_some_and(|size| size > limit) {
                    return Err(Answer::TooLarge { limit });
                }
                Ok(Download { mime: heads.mime, size, chunks: self.portions("media", live, limit) })
            }
            Came::Whole(body) => Err(refusal(status, &heads, &body, self.now_ms())),
        }
    }

    /// Asks for media without its bytes.
    pub(super) async fn look_at_media(&self, uri: &MediaUri) -> Reply<()> {
        let response = self.ask_media(uri, Variant::Original, LOOK_MS).await?;
        match &response.body {
            Came::Live(_) => Ok(()),
            Came::Whole(body) => Err(refusal(response.status, &response.heads, body, self.now_ms())),
        }
    }

    /// In the session's name where the server speaks version 1.11 of the specification; in nobody's, on the
    /// path that was frozen then, where it does not.
    async fn ask_media(&self, uri: &MediaUri, variant: Variant, server_ms: u64) -> Reply<Response> {
        let Mxc { server, id } = Mxc::of(uri)?;
        let is_authed = self.features().await?.has_authenticated_media();
        let root = if is_authed { "/_matrix/client/v1/media" } else { "/_matrix/media/v3" };
        let path = match variant {
            Variant::Original => Path::new(root).part("/download").id(server).id(id),
            Variant::Thumbnail { width, height, crop } => Path::new(root)
                .part("/thumbnail")
                .id(server)
                .id(id)
                .query("width", width)
                .query("height", height)
                .query("method", if crop { "crop" } else { "scale" }),
        };
        let path = path.query("timeout_ms", server_ms);
        let response = if is_authed {
            self.authed(&Request::read("media", path).streamed()).await?
        } else {
            let path = path.query("allow_redirect", true);
            self.exchange(&Request::read("media", path).streamed(), None).await?
        };
        // Natively every header can be read; a real server names what it gives, and gives it as it is if that
        // is what was asked for.
        #[cfg(not(target_arch = "wasm32"))]
        if matches!(response.body, Came::Live(_)) {
            let Heads { disposition, is_encoded, mime, .. } = &response.heads;
            if *is_encoded || (!disposition && is_page(mime.as_deref())) {
                return Err(Answer::Unreadable);
            }
        }
        Ok(response)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn is_page(mime: Option<&str>) -> bool {
    mime.is_some_and(|mime| mime.trim_ascii_start().to_ascii_lowercase().starts_with("text/html"))
}
