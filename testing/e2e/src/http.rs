use std::error::Error as StdError;
use std::net::SocketAddr;

use bytes::Bytes;
use hyper::body::Body;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An error of any kind.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// A connection of its own for one request: no pool that would hide which connection died, or retry.
pub(crate) async fn connect<B>(address: SocketAddr) -> Result<SendRequest<B>, BoxError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the request and its answer; its error is theirs.
    tokio::spawn(connection);
    Ok(sender)
}
