//! What is left of a request's body when it is refused before its end. Who still writes a body while the line is closed gets an error
//! of the line and never reads why, so the rest is taken beside the answer, within bounds.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// A longer rest is left, and its sender sees the line close: more than any body that is taken at all.
const BYTES_MAX: usize = 24 * 1024 * 1024;
/// So is a slower one: on a bad line its sender has better things to send.
const WAIT: Duration = Duration::from_secs(5);

/// A body, for its reader and for whoever takes the rest.
pub(super) struct Rest(Arc<Mutex<Body>>);

impl Rest {
    /// A body for the reader, and its rest.
    pub(super) fn of(body: Body) -> (Body, Self) {
        let shared = Arc::new(Mutex::new(body));
        (Body::new(Self(Arc::clone(&shared))), Self(shared))
    }

    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what its reader left, and keeps nothing of it.
    pub(super) async fn discard(self) {
        let taking = async {
            let mut length = 0usize;
            while length <= BYTES_MAX && !self.body().is_end_stream() {
                let frame = poll_fn(|cx| Pin::new(&mut *self.body()).poll_frame(cx)).await;
                let Some(Ok(frame)) = frame else { break };
                length = length.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            }
        };
        // Taken or not, the answer is the same.
        let _ = tokio::time::timeout(WAIT, taking).await;
    }
}

impl HttpBody for Rest {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::BodyExt;
    use tokio::time::{Instant, Sleep};

    use super::*;

    /// Pieces that come one after the other, each a moment after the one before.
    struct Slow {
        pieces: VecDeque<Bytes>,
        moment: Duration,
        next: Pin<Box<Sleep>>,
    }

    impl Slow {
        fn of(pieces: usize, bytes: usize, moment: Duration) -> Body {
            let next = Box::pin(tokio::time::sleep(moment));
            Body::new(Self { pieces: vec![Bytes::from(vec![7; bytes]); pieces].into(), moment, next })
        }
    }

    impl HttpBody for Slow {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            std::task::ready!(self.next.as_mut().poll(cx));
            let due = Instant::now() + self.moment;
            self.next.as_mut().reset(due);
            Poll::Ready(self.pieces.pop_front().map(|piece| Ok(Frame::data(piece))))
        }

        fn is_end_stream(&self) -> bool {
            self.pieces.is_empty()
        }
    }

    // Time passes at once when all wait.
    #[tokio::test(start_paused = true)]
    async fn rest_of_a_refused_body_is_taken_within_bounds() {
        let moment = Duration::from_millis(10);
        let (mut read, rest) = Rest::of(Slow::of(5, 100, moment));
        assert_eq!(read.frame().await.unwrap().unwrap().into_data().unwrap().len(), 100);
        let shared = Arc::clone(&rest.0);
        drop(read);
        rest.discard().await;
        assert!(shared.lock().unwrap().is_end_stream(), "to its end");

        let (read, rest) = Rest::of(Slow::of(100, BYTES_MAX / 10, moment));
        let shared = Arc::clone(&rest.0);
        drop(read);
        rest.discard().await;
        assert!(!shared.lock().unwrap().is_end_stream(), "a long one is left");

        let (began, (_, rest)) = (Instant::now(), Rest::of(Slow::of(5, 100, Duration::from_secs(60))));
        rest.discard().await;
        assert_eq!(began.elapsed(), WAIT, "a slow one is not waited for");
    }
}
