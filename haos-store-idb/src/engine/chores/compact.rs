//! Compaction: small segments become full ones, and the overlay is folded in. Content does not change, and
//! neither does the revision.

use std::collections::BTreeMap;

use haos_store_api::backend::Key;
use haos_store_api::{Position, Result};

use super::super::keys::{self, SegmentKey};
use super::super::kv::{HEAD, Kv, Table};
use super::super::segment::{self, MOST_ROWS, Overlay, Row, runs};

/// Segments read in one step.
const STEP: usize = 64;

/// The outcome of a step.
#[derive(Debug, Default)]
pub(crate) struct Compacted {
    /// The place at which the next step begins.
    pub(crate) next: Option<Position>,
    pub(crate) freed: u64,
    pub(crate) rows: u64,
}

/// A piece of a room between two full segments without overlays.
#[derive(Default)]
struct Pool {
    segments: Vec<SegmentKey>,
    overlays: Vec<Overlay>,
}

/// Compacts up to a step's segments of a room, from a position downwards.
pub(crate) async fn compact_room<K: Kv>(kv: &K, room: &Key, from: Option<Position>) -> Result<Compacted> {
    let newest = from.unwrap_or(Position::MAX);
    let limit = u32::try_from(STEP + 1).ok();
    let segments = kv.keys(Table::Timeline, &keys::segments(room, Position::MIN, newest), limit).await?;
    let mut segments: Vec<SegmentKey> = segments.iter().filter_map(|key| SegmentKey::decode(key)).collect();
    let more = segments.len() > STEP;
    segments.truncate(STEP);
    let oldest = segments.last().filter(|_| more).map_or(Position::MIN, |key| key.oldest);
    let next = oldest.older(1).filter(|_| more);
    let values = kv.range(Table::Timeline, &keys::overlays(room, oldest, newest), None).await?;
    let overlays = values.iter().map(|value| Overlay::decode(value)).collect::<Result<Vec<_>>>()?;

    let mut done = Compacted { next, ..Compacted::default() };
    let mut head = super::head(kv).await?;
    let mut folded = 0;
    for pool in pools(segments, overlays) {
        let mut rows = BTreeMap::new();
        for key in &pool.segments {
            let value = kv.get(Table::Timeline, &key.encode()).await?.unwrap_or_default();
            rows.extend(segment::rows(&value)?.into_iter().map(|row| (row.at, row)));
        }
        for overlay in &pool.overlays {
            match &overlay.row {
                Some(row) => rows.insert(overlay.at, row.clone()),
                None => rows.remove(&overlay.at),
            };
        }
        let runs = runs(rows.into_values().collect(), |_, _| true);
        if pool.overlays.is_empty() && runs.len() >= pool.segments.len() {
            continue;
        }
        write(kv, room, &pool, &runs)?;
        done.rows += runs.iter().map(|run| run.len() as u64).sum::<u64>();
        done.freed += pool
            .overlays
            .iter()
            .filter_map(|overlay| overlay.beneath)
            .map(|beneath| u64::from(beneath.bytes))
            .sum::<u64>();
        folded += pool.overlays.len() as u64;
    }
    if folded > 0 {
        head.overlays = head.overlays.saturating_sub(folded);
        head.stale = head.stale.saturating_sub(done.freed);
        kv.put_named(HEAD, &head.encode())?;
    }
    Ok(done)
}

/// Splits the records, newest first, at full segments without overlays.
fn pools(segments: Vec<SegmentKey>, overlays: Vec<Overlay>) -> Vec<Pool> {
    let mut pools = vec![Pool::default()];
    let mut overlays = overlays.into_iter().peekable();
    for key in segments {
        let mut above = Vec::new();
        while let Some(overlay) = overlays.next_if(|overlay| overlay.at > key.newest) {
            above.push(overlay);
        }
        let mut over = Vec::new();
        while let Some(overlay) = overlays.next_if(|overlay| overlay.at >= key.oldest) {
            over.push(overlay);
        }
        let is_full = usize::from(key.count) >= MOST_ROWS && over.is_empty();
        if let Some(pool) = pools.last_mut() {
            pool.overlays.extend(above);
            pool.overlays.extend(over);
            if !is_full {
                pool.segments.push(key);
            }
        }
        if is_full {
            pools.push(Pool::default());
        }
    }
    if let Some(pool) = pools.last_mut() {
        pool.overlays.extend(overlays);
    }
    pools.retain(|pool| pool.segments.len() > 1 || !pool.overlays.is_empty());
    pools
}

fn write<K: Kv>(kv: &K, room: &Key, pool: &Pool, runs: &[Vec<Row>]) -> Result<()> {
    for key in &pool.segments {
        kv.delete(Table::Timeline, &key.encode())?;
    }
    for overlay in &pool.overlays {
        kv.delete(Table::Timeline, &keys::overlay(room, overlay.at))?;
    }
    for run in runs {
        let (key, ids, value) = segment::segment(*room, run);
        kv.put_indexed(&key.encode(), &ids, &value)?;
    }
    Ok(())
}
