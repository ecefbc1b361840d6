use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::road::Road;

/// A listener with the connections it accepted. They end with it.
#[derive(Debug)]
pub(super) struct Gate {
    close: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Gate {
    /// Lets requests onto `road`.
    pub(super) fn open(listener: TcpListener, road: Arc<Road>) -> Self {
        let (close, closing) = oneshot::channel();
        Self { close, ended: tokio::spawn(accept(listener, road, closing)) }
    }

    /// Lets requests onto `road` at an address that was open before.
    pub(super) async fn open_at(address: SocketAddr, road: Arc<Road>) -> io::Result<Self> {
        Ok(Self::open(TcpListener::bind(address).await?, road))
    }

    /// Afterwards a connection is refused, and those that were open are closed.
    pub(super) async fn close(self) {
        // Both fail only if the task is gone, and the listener with it.
        let _ = self.close.send(());
        let _ = self.ended.await;
    }
}

async fn accept(listener: TcpListener, road: Arc<Road>, mut closing: oneshot::Receiver<()>) {
    let mut live = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    live.spawn(serve(stream, Arc::clone(&road)));
                }
                // Out of file descriptors, or a client that is gone already: others may still come.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = live.join_next() => {}
            _ = &mut closing => break,
        }
    }
    drop(listener);
    live.shutdown().await;
}

async fn serve(stream: TcpStream, road: Arc<Road>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| road.pass(request));
    // An error is a fault that was wanted, or a client that is gone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
