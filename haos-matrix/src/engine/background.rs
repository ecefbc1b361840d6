use std::collections::HashMap;
use std::convert::Infallible;

use haos_queue::Verdict;
use haos_store_api::{Gap, Membership, Result, RoomId, RoomQuery};

use super::gap::{is_final, newer};
use super::{Engine, FetchError, FillOptions};

const MINUTE_MS: u64 = 60_000;

impl Engine {
    /// Fills holes near the end of timelines while the engine is live, as slowly as the options say.
    pub(super) async fn fill_holes(&self) -> Infallible {
        let inner = &*self.inner;
        let Some(pause_ms) = MINUTE_MS.checked_div(u64::from(inner.options.fill.pages_per_minute)) else {
            return std::future::pending().await;
        };
        let (mut live, mut holes) = (inner.live.subscribe(), inner.holes.subscribe());
        let (mut spent, mut failures) = (HashMap::new(), 0_u32);
        loop {
            if live.wait_for(|live| *live).await.is_err() {
                return std::future::pending().await;
            }
            if holes.has_changed().unwrap_or(false) {
                holes.mark_unchanged();
                spent.clear();
            }
            let mut asked_ms = 0;
            let failed = match self.next_hole(&spent).await {
                Ok(None) => {
                    let _ = holes.changed().await;
                    spent.clear();
                    continue;
                }
                Ok(Some((room, gap))) => {
                    *spent.entry(room.clone()).or_insert(0) += 1;
                    match self.fill(&room, &gap).await {
                        // It is noted, and says nothing about the others.
                        Err(FetchError::Answer(answer)) => {
                            if let Verdict::RateLimited { wait_ms } = answer.verdict(false) {
                                asked_ms = wait_ms;
                            }
                            !is_final(&answer)
                        }
                        filled => filled.is_err(),
                    }
                }
                Err(_) => true,
            };
            failures = if failed { failures.saturating_add(1) } else { 0 };
            let host = inner.outbox.host();
            let backoff_ms =
                if failed { inner.options.retry.delay_ms(failures, 0, host.random()) } else { 0 };
            host.sleep(pause_ms.max(backoff_ms).max(asked_ms)).await;
        }
    }

    /// The hole to fill next: in the room with the latest activity, from the newest on.
    async fn next_hole(&self, spent: &HashMap<RoomId, u32>) -> Result<Option<(RoomId, Gap)>> {
        let inner = &*self.inner;
        let options = &inner.options.fill;
        let query = RoomQuery { membership: Some(Membership::Join), ..RoomQuery::latest(options.rooms) };
        for room in inner.store.rooms(query).await? {
            let pages = spent.get(&room.id).copied().unwrap_or_default();
            for gap in inner.store.gaps(&room.id).await?.into_iter().rev() {
                if self.refused().contains_key(&(room.id.clone(), gap.token.clone())) {
                    continue;
                }
                let above = match newer(&*inner.store, &room.id, gap.position).await? {
                    Some(event) => inner.store.count(&room.id, Some(&event)).await?.saturating_add(1),
                    None => 0,
                };
                if !is_worth(pages, above, options) {
                    break;
                }
                return Ok(Some((room.id, gap)));
            }
        }
        Ok(None)
    }
}

/// Tells if a hole with `above` messages above it is filled, in a room that had `pages` pages.
fn is_worth(pages: u32, above: u64, options: &FillOptions) -> bool {
    pages < options.pages_per_room && above < options.depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_deep_nor_for_ever() {
        let options = FillOptions::default();
        assert!(is_worth(0, 0, &options) && is_worth(3, 99, &options));
        assert!(!is_worth(4, 0, &options) && !is_worth(0, 100, &options));
    }
}
