#[cfg(feature = "e2ee")]
use std::sync::Arc;

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
    /// What loads the code for encryption, where it comes apart from the rest. Default: nothing, and the keys of this
    /// device are made and uploaded with its first sync.
    #[cfg(feature = "e2ee")]
    pub key_code: Option<Arc<dyn crate::KeyCode>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let pins = EventType::new("m.room.pinned_events").ok();
        Self {
            outbox: OutboxOptions::default(),
            sync: SyncOptions::default(),
            http: HttpOptions::default(),
            pressure: PressureOptions { pins, ..PressureOptions::default() },
            #[cfg(feature = "e2ee")]
            key_code: None,
        }
    }
}
