use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};

use super::answer::Closed;
use crate::http::BoxError;

/// The first half of a body, then the end of the connection.
pub(super) struct Truncated {
    body: Incoming,
    /// Bytes still to pass; unknown until the first ones come, where the answer does not tell its length.
    left: Option<u64>,
    flushed: bool,
}

impl Truncated {
    pub(super) fn new(body: Incoming) -> Self {
        let left = body.size_hint().exact().map(|length| length / 2);
        Self { body, left, flushed: false }
    }
}

impl Body for Truncated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == Some(0) {
            if self.flushed {
                return Poll::Ready(Some(Err(Closed.into())));
            }
            // An error throws away what is buffered: the connection gets a turn to write it first.
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(e)) => return Poll::Ready(Some(Err(e.into()))),
            None => return Poll::Ready(Some(Err(Closed.into()))),
        };
        let mut data = frame.into_data().unwrap_or_default();
        let left = self.left.unwrap_or(data.len() as u64 / 2);
        data.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.left = Some(left - data.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(data))))
    }
}
