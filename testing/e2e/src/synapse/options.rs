use std::time::Duration;

use serde_json::{Map, Value};

/// How a Synapse departs from the harness' defaults, which let a client do anything at any pace.
#[derive(Clone, Debug, Default)]
pub struct SynapseOptions {
    /// How fast one user may send messages; past it the server answers 429. No limit by default.
    pub message_rate: Option<Rate>,
    /// How long an access token with a refresh token is good; past it the server answers 401 with
    /// `soft_logout`. For ever by default.
    pub access_token_life: Option<Duration>,
    /// The largest file that may be uploaded. 50 MiB by default, as Synapse has it.
    pub max_upload_bytes: Option<u64>,
    /// Lets [`Synapse::advance_clock`](crate::Synapse::advance_clock) work, which needs libfaketime.
    pub movable_clock: bool,
    /// More keys of `homeserver.yaml`, over all that was set otherwise.
    pub extra: Map<String, Value>,
}

/// A rate limit as Synapse has them: a bucket that empties steadily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The rate in the long run.
    pub per_second: f64,
    /// The number at once.
    pub burst: u32,
}

impl Rate {
    /// No limit that a test would meet.
    pub(super) const FREE: Self = Self { per_second: 100_000.0, burst: 100_000 };
}
