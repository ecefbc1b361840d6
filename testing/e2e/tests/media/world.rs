use std::time::Duration;

use haos_e2e::{Fault, FaultKind, Proxy, Rule, Synapse, SynapseOptions};
use tokio::sync::OnceCell;

pub(crate) const PASSWORD: &str = "secret";

/// The server of all these tests. It ends with this process.
pub(crate) async fn shared() -> &'static Synapse {
    static SHARED: OnceCell<Synapse> = OnceCell::const_new();
    SHARED.get_or_init(async || Synapse::start(SynapseOptions::default()).await.unwrap()).await
}

/// Bytes of which no part is like another.
pub(crate) fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// From now on downloads are counted, and nothing else happens to any request.
pub(crate) fn count_downloads(proxy: &Proxy) {
    proxy.set_rules([Rule::new(Fault::Latency(Duration::ZERO)).method("GET").path("*/download/*")]);
}

pub(crate) fn downloads(proxy: &Proxy) -> u64 {
    proxy.fired(FaultKind::Latency)
}
