//! The bytes of an upload, on their way out.

#[cfg(target_arch = "wasm32")]
use haos_queue::Answer;
use haos_queue::Body;
#[cfg(not(target_arch = "wasm32"))]
use haos_store_api::ByteRange;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Response};
use tracing::debug;

use super::Homeserver;
use crate::Reply;

/// How much is read from the store at once.
#[cfg(not(target_arch = "wasm32"))]
const PORTION: u64 = 256 << 10;

type Sent = Option<Result<Response, reqwest::Error>>;

/// Sends a request with these bytes; none if it stood still for too long.
pub(super) async fn send(home: &Homeserver, builder: RequestBuilder, body: &Body<'_>) -> Reply<Sent> {
    let mime = body.mime.as_deref().and_then(|mime| HeaderValue::from_str(mime).ok());
    let mime = mime.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    body.sent(0);
    flow(home, builder.header(CONTENT_TYPE, mime), body).await
}

/// Portion after portion, as the connection takes them.
#[cfg(not(target_arch = "wasm32"))]
async fn flow(home: &Homeserver, builder: RequestBuilder, body: &Body<'_>) -> Reply<Sent> {
    use std::pin::pin;
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::stream::unfold;
    use reqwest::header::CONTENT_LENGTH;
    use tokio::sync::mpsc::channel;

    let (portions, taken) = channel::<std::io::Result<Vec<u8>>>(1);
    let stream = unfold(taken, async |mut taken| taken.recv().await.map(|portion| (portion, taken)));
    let builder = builder.header(CONTENT_LENGTH, body.size).body(reqwest::Body::wrap_stream(stream));
    let gone = AtomicU64::new(0);
    let pump = async {
        let portions = portions;
        let mut offset = 0;
        loop {
            // A free place says that the connection has taken what came before.
            let place = portions.reserve().await;
            // After the last portion the connection asks for no more, and its end is gone.
            if place.is_ok() || offset >= body.size {
                gone.store(offset, Ordering::Relaxed);
                body.sent(offset);
            }
            let (Ok(place), true) = (place, offset < body.size) else { return };
            let end = offset.saturating_add(PORTION).min(body.size);
            match body.read(ByteRange { start: offset, end }).await {
                Ok(bytes) if bytes.len() as u64 == end - offset => place.send(Ok(bytes)),
                other => {
                    let reason = other.err().map(|e| e.to_string());
                    debug!(target: "haos::http", offset, reason, "the bytes to upload cannot be read");
                    // The request ends here and now: less came than it said.
                    return place.send(Err(std::io::ErrorKind::UnexpectedEof.into()));
                }
            }
            offset = end;
        }
    };
    let (mut pump, mut sending) = (pin!(pump), pin!(builder.send()));
    let mut pumping = true;
    loop {
        let before = gone.load(Ordering::Relaxed);
        tokio::select! {
            biased;
            sent = &mut sending => return Ok(Some(sent)),
            () = &mut pump, if pumping => pumping = false,
            () = home.host.sleep(home.options.stall_ms) => {
                if gone.load(Ordering::Relaxed) == before {
                    return Ok(None);
                }
            }
        }
    }
}

/// All at once: fetch takes no stream in most browsers, and tells of no progress. What is shown goes by the
/// clock, at a pace that every usable connection has, and bounds how long an upload may take by its size.
#[cfg(target_arch = "wasm32")]
async fn flow(home: &Homeserver, builder: RequestBuilder, body: &Body<'_>) -> Reply<Sent> {
    use std::pin::pin;

    /// How often progress is told.
    const TICK_MS: u64 = 5_000;
    /// Bytes a tick: 8 KiB a second.
    const PACE: u64 = 40 << 10;

    let bytes = body.read(haos_store_api::ByteRange::ALL).await;
    let Ok(bytes) = bytes.map_err(|e| debug!(target: "haos::http", reason = %e, "the bytes cannot be read"))
    else {
        return Err(Answer::Unsent);
    };
    let mut sending = pin!(builder.body(bytes).send());
    let (mut shown, mut quiet_ms) = (0, 0);
    loop {
        tokio::select! {
            biased;
            sent = &mut sending => return Ok(Some(sent)),
            () = home.host.sleep(TICK_MS) => {}
        }
        if shown + PACE < body.size {
            shown += PACE;
            body.sent(shown);
            continue;
        }
        quiet_ms += TICK_MS;
        if quiet_ms >= home.options.stall_ms {
            return Ok(None);
        }
    }
}
