use std::time::Duration;

/// How large the storm is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Messages whose enqueue is acknowledged, of all devices.
    pub(crate) messages: usize,
    pub(crate) rooms: usize,
    /// SIGKILLs of clients.
    pub(crate) kills: usize,
    /// Restarts of the server.
    pub(crate) restarts: usize,
    pub(crate) seed: u64,
    /// How long it may blow.
    pub(crate) limit: Duration,
}

impl Size {
    /// The number of messages to be accepted, unless the environment says otherwise.
    pub(crate) fn of_environment() -> Self {
        Self {
            messages: number("HAOS_E2E_MESSAGES", 2000) as usize,
            rooms: number("HAOS_E2E_ROOMS", 20) as usize,
            kills: number("HAOS_E2E_KILLS", 12) as usize,
            restarts: number("HAOS_E2E_RESTARTS", 2) as usize,
            seed: number("HAOS_E2E_SEED", 1),
            limit: Duration::from_secs(number("HAOS_E2E_LIMIT_S", 900)),
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}
