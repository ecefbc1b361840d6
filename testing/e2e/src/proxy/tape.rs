use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::{Request, header};

use crate::http::BoxError;

/// A request as a client sent it, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// Its method, target with the query, and headers, without the one that proves who asks.
    pub head: String,
    /// Its body.
    pub body: Vec<u8>,
}

/// What passed, once somebody wants it.
#[derive(Debug, Default)]
pub(super) struct Tape(Mutex<Option<Vec<Arc<Mutex<Recorded>>>>>);

impl Tape {
    pub(super) fn start(&self) {
        self.lock().get_or_insert_default();
    }

    pub(super) fn recorded(&self) -> Vec<Recorded> {
        let recorded = self.lock();
        recorded.iter().flatten().map(|request| locked(request).clone()).collect()
    }

    /// The request for the server, which is recorded as it passes.
    pub(super) fn record(&self, request: Request<Incoming>) -> Request<BoxBody<Bytes, BoxError>> {
        let mut recorded = self.lock();
        let Some(recorded) = &mut *recorded else {
            return request.map(|body| body.map_err(Into::into).boxed());
        };
        let entry = Arc::new(Mutex::new(Recorded { head: head(&request), body: Vec::new() }));
        recorded.push(entry.clone());
        request.map(|body| {
            let taped = body.map_err(Into::into).map_frame(move |frame| {
                if let Some(data) = frame.data_ref() {
                    locked(&entry).body.extend_from_slice(data);
                }
                frame
            });
            taped.boxed()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Arc<Mutex<Recorded>>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked(request: &Mutex<Recorded>) -> MutexGuard<'_, Recorded> {
    request.lock().unwrap_or_else(PoisonError::into_inner)
}

fn head(request: &Request<Incoming>) -> String {
    let headers = request.headers().iter().filter(|(name, _)| *name != header::AUTHORIZATION);
    let headers =
        headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let first = format!("{} {}", request.method(), request.uri());
    std::iter::once(first).chain(headers).collect::<Vec<_>>().join("\n")
}
