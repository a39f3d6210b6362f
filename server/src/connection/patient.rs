//! A stream whose other side must read at a least rate: a write that waits too long is an error. Without it, who asks for much
//! and reads nothing, or a byte now and then, holds the answer in memory for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::pace::time_for;

/// A write that waits.
struct Waits {
    since: Instant,
    over: Pin<Box<Sleep>>,
}

/// See the module. Waiting uses patience up, and what is taken gives it back.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    bytes_per_second: u32,
    left: Duration,
    waits: Option<Waits>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration, bytes_per_second: u32) -> Self {
        Self { stream, patience, bytes_per_second, left: patience, waits: None }
    }

    /// What a write has come to; `taken` says how many bytes went out.
    fn bounded<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        taken: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = &polled {
            if let Some(waits) = self.waits.take() {
                self.left = self.left.saturating_sub(waits.since.elapsed());
            }
            let taken = done.as_ref().map_or(0, taken);
            self.left = self.left.saturating_add(time_for(taken, self.bytes_per_second)).min(self.patience);
            return polled;
        }
        let left = self.left;
        let waits = self.waits.get_or_insert_with(|| Waits { since: Instant::now(), over: Box::pin(sleep(left)) });
        if waits.over.as_mut().poll(cx).is_ready() {
            waits.over.as_mut().reset(Instant::now());
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side reads too slowly")));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.bounded(cx, polled, |taken| *taken)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.bounded(cx, polled, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.bounded(cx, polled, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn write_that_nobody_reads_ends() {
        let (near, mut far) = duplex(16);
        let mut near = Patient::new(near, Duration::from_millis(50), 500);
        near.write_all(&[1; 16]).await.unwrap();
        let error = near.write_all(&[2; 16]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        far.read_exact(&mut [0; 16]).await.unwrap();
    }

    #[tokio::test]
    async fn slow_reader_is_waited_for() {
        let (near, mut far) = duplex(16);
        let mut near = Patient::new(near, Duration::from_secs(60), 500);
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            far.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        near.write_all(&[1; 4_096]).await.unwrap();
        near.shutdown().await.unwrap();
        drop(near);
        assert_eq!(reading.await.unwrap(), 4_096);
    }

    // Each byte began the time anew, so one byte a minute held an answer for ever.
    #[tokio::test(start_paused = true)]
    async fn reader_of_a_byte_now_and_then_is_not_waited_for() {
        let (near, mut far) = duplex(16);
        let mut near = Patient::new(near, Duration::from_secs(90), 500);
        tokio::spawn(async move {
            while far.read_exact(&mut [0]).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
        });
        let begin = Instant::now();
        let error = near.write_all(&[1; 4_096]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
    }
}
