//! A body on its way here: at a pace, and up to a size.

use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use haos_queue::Answer;
use tracing::{debug, warn};

use super::Homeserver;
use super::exchange::cut_off;
use super::pace::Pace;
use crate::{Chunks, Reply};

impl Homeserver {
    /// The body in the portions in which it comes, decoded. Ends with an error where it comes too slowly, or
    /// where more than `limit` bytes come.
    pub(super) fn portions(&self, name: &'static str, response: reqwest::Response, limit: u64) -> Chunks {
        let (host, window_ms) = (self.host.clone(), self.options.stall_ms);
        let (bytes, window) = (Box::pin(response.bytes_stream()), host.sleep(window_ms));
        let state = Some((bytes, Pace::new(&self.options), window, 0_u64));
        let portions = unfold(state, move |state| {
            let host = host.clone();
            async move {
                let (mut bytes, mut pace, mut window, came) = state?;
                loop {
                    let next = tokio::select! {
                        biased;
                        next = bytes.next() => next?,
                        () = &mut window => {
                            if pace.goes_on() {
                                window = host.sleep(window_ms);
                                continue;
                            }
                            debug!(target: "haos::http", request = name, came, "the answer comes too slowly");
                            return Some((Err(Answer::NoAnswer), None));
                        }
                    };
                    let portion = match next {
                        Ok(portion) => portion,
                        // It was answered: the request had arrived.
                        Err(e) => return Some((Err(cut_off(name, e)), None)),
                    };
                    let came = came + portion.len() as u64;
                    if came > limit {
                        warn!(target: "haos::http", request = name, limit, "the answer is too large, and was not read");
                        return Some((Err(Answer::TooLarge { limit }), None));
                    }
                    pace.came(portion.len());
                    return Some((Ok(portion.to_vec()), Some((bytes, pace, window, came))));
                }
            }
        });
        Box::pin(portions.fuse())
    }

    pub(super) async fn read_whole(
        &self,
        name: &'static str,
        response: reqwest::Response,
        limit: u64,
    ) -> Reply<Vec<u8>> {
        let mut portions = self.portions(name, response, limit);
        let mut body = Vec::new();
        while let Some(portion) = portions.next().await {
            body.extend_from_slice(&portion?);
        }
        Ok(body)
    }
}
