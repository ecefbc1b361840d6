use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::{Request, Response, header};

use super::answer::Closed;
use crate::http::{self, BoxError};

/// The outcome of a request on its way to the server.
pub(super) enum Forwarded {
    /// The server answered; the body is still coming.
    Answer(Response<Incoming>),
    /// Nobody listens there.
    Down,
    /// The server, or the client, went away in the middle.
    Broken,
}

/// Asks the server what the client asked, body by body as it comes.
pub(super) async fn forward(
    upstream: SocketAddr,
    mut request: Request<BoxBody<Bytes, BoxError>>,
) -> Forwarded {
    let Ok(mut server) = http::connect(upstream).await else { return Forwarded::Down };
    // These speak of one connection, and there are two.
    for name in [header::CONNECTION, header::EXPECT] {
        request.headers_mut().remove(name);
    }
    match server.send_request(request).await {
        Ok(mut answer) => {
            answer.headers_mut().remove(header::CONNECTION);
            Forwarded::Answer(answer)
        }
        Err(_) => Forwarded::Broken,
    }
}

/// Reads an answer to its end and forgets it.
pub(super) async fn drain(mut answer: Response<Incoming>) -> Result<(), Closed> {
    while let Some(frame) = answer.body_mut().frame().await {
        frame.map_err(|_| Closed)?;
    }
    Ok(())
}
