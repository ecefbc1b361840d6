use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A request as the server heard it, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Bytes,
}

/// Answers `/echo` with the body, `/parts` with two chunks of which the second waits for a release,
/// `/silence` never.
pub(crate) struct Upstream {
    address: SocketAddr,
    state: Arc<Served>,
    serving: tokio::task::JoinHandle<()>,
}

struct Served {
    seen: Mutex<Vec<Seen>>,
    /// Bytes of bodies so far.
    heard: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (heard, released) = (watch::Sender::new(0), watch::Sender::new(false));
        let state = Arc::new(Served { seen: Mutex::default(), heard, released });
        let serving = tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { address, state, serving }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Returns when that many bytes of bodies have come.
    pub(crate) async fn hears(&self, bytes: usize) {
        let mut heard = self.state.heard.subscribe();
        crate::wire::soon(heard.wait_for(|heard| *heard >= bytes)).await.unwrap();
    }

    pub(crate) fn release(&self) {
        self.state.released.send_replace(true);
    }

    /// Ends it with its connections.
    pub(crate) async fn end(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

async fn serve(listener: TcpListener, state: Arc<Served>) {
    let mut live = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        live.spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&state)));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    mut request: Request<Incoming>,
    state: Arc<Served>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let mut body = Vec::new();
    while let Some(frame) = request.body_mut().frame().await {
        let data = frame?.into_data().unwrap_or_default();
        body.extend_from_slice(&data);
        state.heard.send_modify(|heard| *heard += data.len());
    }
    let (method, target) = (request.method().to_string(), request.uri().to_string());
    let body = Bytes::from(body);
    state.seen.lock().unwrap().push(Seen { method, target, body: body.clone() });
    Ok(match request.uri().path() {
        "/silence" => std::future::pending().await,
        "/parts" => {
            let mut released = state.released.subscribe();
            let released = async move {
                let _ = released.wait_for(|released| *released).await;
            };
            Response::new(Parts { told: 0, released: Box::pin(released) }.boxed())
        }
        _ => Response::builder().header("x-echo", "yes").body(Full::new(body).boxed()).unwrap(),
    })
}

/// Two chunks, the second when it is released.
struct Parts {
    told: usize,
    released: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = match self.told {
            0 => "first!",
            1 => {
                ready!(self.released.as_mut().poll(cx));
                "second"
            }
            _ => return Poll::Ready(None),
        };
        self.told += 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(chunk.as_bytes())))))
    }
}
