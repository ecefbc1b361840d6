//! A web server on the loopback: folders, and what a handler answers.

mod exchange;
mod files;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use self::exchange::{SiteAnswer, SiteRequest};

use self::files::Mount;
use crate::{Error, Result, port};

/// Answers a request, or leaves it to the folders with `None`.
pub type Handler =
    dyn Fn(SiteRequest) -> Pin<Box<dyn Future<Output = Option<SiteAnswer>> + Send>> + Send + Sync;

/// The content of a site.
#[derive(Clone)]
#[must_use = "options do nothing until a site is started with them"]
pub struct SiteOptions {
    pub(super) mounts: Vec<Mount>,
    pub(super) isolated: bool,
    pub(super) cached: bool,
    pub(super) handler: Option<Arc<Handler>>,
}

impl SiteOptions {
    /// The files of a folder, at `/`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { mounts: Vec::new(), isolated: false, cached: false, handler: None }.mount("/", folder)
    }

    /// The files of another folder below `prefix`, which begins and ends with a slash. The longest prefix
    /// that fits a path counts.
    pub fn mount(mut self, prefix: &str, folder: impl Into<PathBuf>) -> Self {
        self.mounts.push(Mount { prefix: prefix.to_owned(), folder: folder.into() });
        self.mounts.sort_by_key(|mount| std::cmp::Reverse(mount.prefix.len()));
        self
    }

    /// Pages are isolated from other origins (COOP, COEP): timers are precise then.
    pub fn isolated(self, isolated: bool) -> Self {
        Self { isolated, ..self }
    }

    /// Files may be kept by the browser's cache, compiled code with them. Default: not.
    pub fn cached(self, cached: bool) -> Self {
        Self { cached, ..self }
    }

    /// Answers what the handler wants to; it is asked before the folders.
    pub fn handler<F, A>(self, handler: F) -> Self
    where
        F: Fn(SiteRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Option<SiteAnswer>> + Send + 'static,
    {
        let handler: Arc<Handler> = Arc::new(move |request| Box::pin(handler(request)));
        Self { handler: Some(handler), ..self }
    }
}

impl fmt::Debug for SiteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteOptions")
            .field("mounts", &self.mounts)
            .field("isolated", &self.isolated)
            .field("cached", &self.cached)
            .finish_non_exhaustive()
    }
}

/// A site that is served. It and its connections end when this is dropped.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Site {
    /// Serves at a port of the loopback by chance: an origin that browsers hold for secure.
    ///
    /// # Errors
    /// No port could be had.
    pub async fn start(options: SiteOptions) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("the site does not start", e);
        let listener = port::listen().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { address, serving: tokio::spawn(accept(listener, Arc::new(options))) })
    }

    /// The address of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Scheme, host and port: whose data a page's is.
    pub fn origin(&self) -> String {
        self.url("")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn accept(listener: TcpListener, options: Arc<SiteOptions>) {
    // They end with this task.
    let mut live = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    live.spawn(serve(stream, Arc::clone(&options)));
                }
                // Out of file descriptors, or a client that is gone already: others may still come.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = live.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, options: Arc<SiteOptions>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| exchange::answer(&options, request));
    // An error is an answer that was to be lost, or a client that is gone.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
