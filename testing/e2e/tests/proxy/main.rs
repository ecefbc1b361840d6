//! Each fault of the proxy against a small server, byte by byte.
#![allow(clippy::unwrap_used, reason = "a failure is a panic")]

mod faults;
mod outage;
mod recording;
mod streaming;
mod upstream;
mod wire;

use haos_e2e::Proxy;

use upstream::Upstream;

/// A server and a proxy in front of it, without rules.
async fn road() -> (Upstream, Proxy) {
    let upstream = Upstream::start().await;
    let proxy = Proxy::start(upstream.address()).await.unwrap();
    (upstream, proxy)
}
