//! The body of a request, which must come at its pace. All routes read through this, whatever they read with. While it comes it
//! has a place among those of its address, which it loses to a newcomer when there are too many.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::sleep_until;

use super::activity::AtWork;
use super::pace::Pace;
use crate::http::{Origin, Place};

type Fault = Box<dyn std::error::Error + Send + Sync>;
/// Ends with the reason why nothing more of the body is taken.
type Waits = Pin<Box<dyn Future<Output = &'static str> + Send>>;

/// See the module.
pub(super) struct Arriving {
    body: Incoming,
    pace: Pace,
    at_work: Arc<AtWork>,
    place: Option<Place<Origin>>,
    /// Runs while a frame is waited for.
    waits: Option<Waits>,
}

impl Arriving {
    /// The place is among those of requests that come; none where there is none.
    pub(super) fn new(body: Incoming, pace: Pace, at_work: Arc<AtWork>, place: Option<Place<Origin>>) -> Self {
        if let Some(place) = &place {
            place.gives_way(true);
        }
        let mut arriving = Self { body, pace, at_work, place, waits: None };
        arriving.look();
        arriving
    }

    fn look(&mut self) {
        if self.body.is_end_stream() {
            self.place = None;
            self.at_work.is_whole();
        }
    }

    fn waits(&self) -> Waits {
        let (due, place) = (self.pace.due(), self.place.as_ref().map(Place::given_away));
        Box::pin(async move {
            let Some(given_away) = place else { return "too many requests come at once" };
            tokio::select! {
                () = sleep_until(due) => "the request comes too slowly",
                () = given_away => "another request needs the room of this one",
            }
        })
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            let mut waits = self.waits.take().unwrap_or_else(|| self.waits());
            let over = waits.as_mut().poll(cx);
            // One that is over is not asked again: who reads on after the fault gets it again.
            self.waits = over.is_pending().then_some(waits);
            return over.map(|why| Some(Err(io::Error::new(io::ErrorKind::TimedOut, why).into())));
        };
        self.waits = None;
        match &frame {
            Some(Ok(frame)) => self.pace.came(frame.data_ref().map_or(0, |bytes| bytes.len())),
            None => self.at_work.is_whole(),
            Some(Err(_)) => {}
        }
        self.look();
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
