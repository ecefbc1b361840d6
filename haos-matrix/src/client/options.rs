use haos_queue::OutboxOptions;
use haos_queue::pressure::PressureOptions;
use haos_store_api::EventType;

use crate::{HttpOptions, SyncOptions};

/// How a [`Client`](crate::Client) behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The outbox.
    pub outbox: OutboxOptions,
    /// The sync engine.
    pub sync: SyncOptions,
    /// Requests: timeouts and limits.
    pub http: HttpOptions,
    /// Which media are kept, and what a store that fills up gives up for unsent messages. Default: as
    /// [`PressureOptions::default`], and pinned messages are never pruned.
    pub pressure: PressureOptions,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let pins = EventType::new("m.room.pinned_events").ok();
        Self {
            outbox: OutboxOptions::default(),
            sync: SyncOptions::default(),
            http: HttpOptions::default(),
            pressure: PressureOptions { pins, ..PressureOptions::default() },
        }
    }
}
