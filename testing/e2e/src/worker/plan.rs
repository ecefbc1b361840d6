use std::fmt;

use haos_matrix::{ClientOptions, FillOptions, HttpOptions, SyncFilter, SyncOptions};
use haos_queue::{OutboxOptions, RetryPolicy};
use haos_store::Secret;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The settings of a worker: its first line. Times are short, so that a test with many faults ends.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerPlan {
    /// `sqlite:PATH` or `sled:PATH`.
    pub store: String,
    /// 64 hexadecimal digits, for a sealed store.
    pub key_hex: Option<String>,
    /// The homeserver's url, usually a proxy's.
    pub homeserver: String,
    /// The user's name, for a first login.
    pub user: String,
    /// The password of that test account.
    pub password: String,
    /// The name of a new device.
    pub device_name: String,
    /// How much the client's clock is off.
    pub clock_offset_ms: i64,
    /// How long a request may take (5 s).
    pub request_ms: u64,
    /// How long a sync waits for news (3 s).
    pub poll_ms: u64,
    /// The first delay after a failure (50 ms).
    pub retry_ms: u64,
    /// The longest (1 s).
    pub retry_cap_ms: u64,
    /// How long a sent row waits for its echo before the server is asked for it (3 s).
    pub echo_ms: u64,
    /// How long an attempt without an answer may still be processed, where absence is to be proven (2 s).
    pub settle_ms: u64,
    /// How old an ambiguous row may be for its transaction id to be known for sure (20 h).
    pub ambiguity_ms: u64,
    /// Events a room and sync (20).
    pub timeline_limit: u32,
    /// Events a page of history (50).
    pub page: usize,
    /// Pages of holes a minute that are filled unasked; 0: none (600).
    pub fill_pages_per_minute: u32,
    /// How long a command that waits may wait (120 s).
    pub limit_ms: u64,
}

impl Default for WorkerPlan {
    fn default() -> Self {
        Self {
            store: String::new(),
            key_hex: None,
            homeserver: String::new(),
            user: String::new(),
            password: String::new(),
            device_name: "haos-e2e".to_owned(),
            clock_offset_ms: 0,
            request_ms: 5000,
            poll_ms: 3000,
            retry_ms: 50,
            retry_cap_ms: 1000,
            echo_ms: 3000,
            settle_ms: 2000,
            ambiguity_ms: OutboxOptions::default().ambiguity_ms,
            timeline_limit: SyncFilter::default().timeline_limit,
            page: SyncOptions::default().page,
            fill_pages_per_minute: 600,
            limit_ms: 120_000,
        }
    }
}

impl WorkerPlan {
    /// The key of its store, if that is sealed.
    ///
    /// # Errors
    /// It is not 64 hexadecimal digits.
    pub(crate) fn secret(&self) -> Result<Option<Secret>> {
        self.key_hex.as_deref().map(key).transpose()
    }

    /// How the client behaves by this plan.
    pub fn options(&self) -> ClientOptions {
        let retry = RetryPolicy {
            base_ms: self.retry_ms,
            cap_ms: self.retry_cap_ms,
            old_cap_ms: self.retry_cap_ms,
            ..RetryPolicy::default()
        };
        let outbox = OutboxOptions {
            retry,
            request_ms: self.request_ms,
            echo_ms: self.echo_ms,
            settle_ms: self.settle_ms,
            ambiguity_ms: self.ambiguity_ms,
            ..OutboxOptions::default()
        };
        let fill = FillOptions { pages_per_minute: self.fill_pages_per_minute, ..FillOptions::default() };
        let sync = SyncOptions {
            filter: SyncFilter { timeline_limit: self.timeline_limit, ..SyncFilter::default() },
            poll_ms: self.poll_ms,
            request_ms: self.request_ms,
            initial_ms: self.limit_ms,
            retry,
            page: self.page,
            fill,
            ..SyncOptions::default()
        };
        let http = HttpOptions {
            connect_ms: self.request_ms,
            request_ms: self.request_ms,
            sync_grace_ms: self.request_ms,
            first_sync_ms: self.limit_ms,
            stall_ms: self.request_ms,
            ..HttpOptions::default()
        };
        ClientOptions { outbox, sync, http, ..ClientOptions::default() }
    }
}

impl fmt::Debug for WorkerPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, homeserver, user, device_name, clock_offset_ms, .. } = self;
        f.debug_struct("WorkerPlan")
            .field("store", store)
            .field("homeserver", homeserver)
            .field("user", user)
            .field("device_name", device_name)
            .field("clock_offset_ms", clock_offset_ms)
            .finish_non_exhaustive()
    }
}

fn key(hex: &str) -> Result<Secret> {
    let wrong = || Error::new("key_hex", "64 hexadecimal digits are needed");
    let mut bytes = [0; 32];
    if hex.len() != 2 * bytes.len() || !hex.is_ascii() {
        return Err(wrong());
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).map_err(|_| wrong())?;
    }
    Ok(Secret::key(bytes))
}
