use haos_queue::RetryPolicy;

use super::SyncFilter;
use crate::{AnswerLimits, KeepLimits};

const SECOND_MS: u64 = 1000;

/// How an engine syncs. The defaults fit a chat client of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOptions {
    /// The parts that the server leaves out of its answers.
    pub filter: SyncFilter,
    /// How the very first sync goes about it.
    pub first: FirstSync,
    /// How long a request waits at the server for news (30 s).
    pub poll_ms: u64,
    /// Do not tell others that the user is online (off).
    pub quiet: bool,
    /// When a failed request is tried again: [`RetryPolicy::delay_ms`] of the failures in a row.
    pub retry: RetryPolicy,
    /// How long beyond its own waiting a request may take (60 s).
    pub request_ms: u64,
    /// How long a sync without a token may take: servers gather it for minutes (15 minutes).
    pub initial_ms: u64,
    /// Events a page of history (50).
    pub page: usize,
    /// Pages that one [`Engine::backfill`](super::Engine::backfill) may fetch (20).
    pub scroll_pages: u32,
    /// The holes that are filled without being asked for.
    pub fill: FillOptions,
    /// How much of one answer is read. A sync with more is asked for once more with the newest event of each
    /// room and without receipts; if that is too much as well, it is tried again every 15 minutes or so.
    pub limits: AnswerLimits,
    /// How much is kept of what the server sends unasked.
    pub keep: KeepLimits,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            filter: SyncFilter::default(),
            first: FirstSync::RoomListFirst,
            poll_ms: 30 * SECOND_MS,
            quiet: false,
            retry: RetryPolicy::default(),
            request_ms: 60 * SECOND_MS,
            initial_ms: 900 * SECOND_MS,
            page: 50,
            scroll_pages: 20,
            fill: FillOptions::default(),
            limits: AnswerLimits::default(),
            keep: KeepLimits::default(),
        }
    }
}

/// How the very first sync, into a store without rooms, goes about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FirstSync {
    /// The list of rooms by sliding sync, where the server offers it, with the newest message of each; then
    /// the classic sync, which brings the rest on top of it.
    #[default]
    RoomListFirst,
    /// The classic sync alone.
    Classic,
}

/// The holes in timelines that an engine fills while it is live and nobody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillOptions {
    /// At most this number of pages a minute (20); 0: none at all.
    pub pages_per_minute: u32,
    /// At most this number of pages a room, until a sync leaves a new hole anywhere (4).
    pub pages_per_room: u32,
    /// Only holes with fewer messages than this above them (100).
    pub depth: u64,
    /// Only in this number of rooms, latest activity first (30).
    pub rooms: usize,
}

impl Default for FillOptions {
    fn default() -> Self {
        Self { pages_per_minute: 20, pages_per_room: 4, depth: 100, rooms: 30 }
    }
}

impl FillOptions {
    /// Nothing is filled but on demand.
    pub fn off() -> Self {
        Self { pages_per_minute: 0, ..Self::default() }
    }
}
