use std::collections::HashSet;

use super::sort_by;
use crate::{MediaInfo, MediaKey, MediaPolicy};

/// Lists the media that a policy removes: too large, then unused for too long, then the least recently used until the
/// rest fits. Spares pinned items and those that `in_outbox` names.
pub fn evict(
    items: &[MediaInfo],
    in_outbox: &HashSet<MediaKey>,
    policy: MediaPolicy,
    now_ms: i64,
) -> Vec<MediaKey> {
    let mut free: Vec<&MediaInfo> =
        items.iter().filter(|item| !item.pinned && !in_outbox.contains(&item.key)).collect();
    sort_by(&mut free, |a, b| (a.last_access_ms, &a.key).cmp(&(b.last_access_ms, &b.key)));
    let mut total: u64 = items.iter().map(|item| item.size).sum();

    let mut gone = Vec::new();
    let mut small_and_fresh = Vec::new();
    for item in free {
        let idle_ms = now_ms.saturating_sub(item.last_access_ms);
        if item.size > policy.max_item || idle_ms > policy.max_idle_ms {
            total -= item.size;
            gone.push(item.key.clone());
        } else {
            small_and_fresh.push(item);
        }
    }
    for item in small_and_fresh {
        if total <= policy.max_total {
            break;
        }
        total -= item.size;
        gone.push(item.key.clone());
    }
    gone
}
