use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Body as _, Incoming};

use super::answer::{Answer, Closed, bad_gateway, portal, redirect, too_many_requests};
use super::fault::{Fault, FaultKind};
use super::forward::{Forwarded, drain, forward};
use super::rule::{Rule, judge};
use super::tape::Tape;
use super::truncated::Truncated;

/// The road of every request: rules, faults, the server, and the counting.
#[derive(Debug)]
pub(super) struct Road {
    upstream: SocketAddr,
    rules: Mutex<Vec<Rule>>,
    fired: [AtomicU64; FaultKind::ALL.len()],
    forwarded: AtomicU64,
    tape: Tape,
}

impl Road {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            rules: Mutex::default(),
            fired: Default::default(),
            forwarded: AtomicU64::new(0),
            tape: Tape::default(),
        }
    }

    pub(super) fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fired(&self, kind: FaultKind) -> u64 {
        self.fired[kind as usize].load(Relaxed)
    }

    pub(super) fn forwarded(&self) -> u64 {
        self.forwarded.load(Relaxed)
    }

    pub(super) fn tape(&self) -> &Tape {
        &self.tape
    }

    fn count(&self, fault: Fault) {
        self.fired[fault.kind() as usize].fetch_add(1, Relaxed);
    }

    /// The answer, or the end of the connection. A fault is counted when it takes effect.
    pub(super) async fn pass(&self, request: Request<Incoming>) -> Result<Answer, Closed> {
        let faults = judge(&mut self.rules(), request.method().as_str(), request.uri().path());
        for fault in faults {
            match fault {
                Fault::Latency(delay) => {
                    self.count(fault);
                    tokio::time::sleep(delay).await;
                }
                Fault::ResetBefore => {
                    self.count(fault);
                    return Err(Closed);
                }
                Fault::Status429 { retry_after } => {
                    self.count(fault);
                    return Ok(too_many_requests(retry_after));
                }
                Fault::Status502 => {
                    self.count(fault);
                    return Ok(bad_gateway());
                }
                Fault::Portal => {
                    self.count(fault);
                    return Ok(portal());
                }
                Fault::Redirect => {
                    self.count(fault);
                    return Ok(redirect());
                }
                Fault::DropResponse | Fault::Truncate | Fault::HangAfter { .. } => {
                    return self.ask(request, Some(fault)).await;
                }
            }
        }
        self.ask(request, None).await
    }

    /// Lets the server process it; `fault` then befalls the answer.
    async fn ask(&self, request: Request<Incoming>, fault: Option<Fault>) -> Result<Answer, Closed> {
        let answer = match forward(self.upstream, self.tape.record(request)).await {
            Forwarded::Answer(answer) => answer,
            Forwarded::Down => return Ok(bad_gateway()),
            Forwarded::Broken => return Err(Closed),
        };
        self.forwarded.fetch_add(1, Relaxed);
        match fault {
            Some(Fault::DropResponse) => {
                drain(answer).await?;
                self.count(Fault::DropResponse);
                Err(Closed)
            }
            Some(fault @ Fault::HangAfter { at_most }) => {
                drain(answer).await?;
                self.count(fault);
                tokio::time::sleep(at_most).await;
                Err(Closed)
            }
            Some(Fault::Truncate) if !answer.body().is_end_stream() => {
                self.count(Fault::Truncate);
                Ok(answer.map(|body| Truncated::new(body).boxed()))
            }
            _ => Ok(answer.map(|body| body.map_err(Into::into).boxed())),
        }
    }
}
