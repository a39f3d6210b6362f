//! The bytes of a TLS handshake, bounded: else half a handshake of the largest size would be kept for each connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A client's part of a handshake has some two thousand bytes, with a session to resume some more.
const BYTES_MAX: usize = 16 * 1024;

/// See the module.
pub(super) struct Hello<S> {
    stream: S,
    /// Bytes that may still come; none once the handshake is done.
    left: Option<usize>,
}

impl<S> Hello<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, left: Some(BYTES_MAX) }
    }

    /// The handshake is done.
    pub(super) fn is_done(&mut self) {
        self.left = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hello<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Some(left) = &mut self.left {
            let came = buf.filled().len().saturating_sub(before);
            match left.checked_sub(came) {
                Some(rest) => *left = rest,
                None => return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a handshake is too long"))),
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hello<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn handshake_is_bounded_and_what_follows_is_not() {
        let (mut far, near) = duplex(64 * 1024);
        far.write_all(&vec![1; 40_000]).await.unwrap();
        let mut near = Hello::new(near);
        near.read_exact(&mut vec![0; BYTES_MAX]).await.unwrap();
        let error = near.read_exact(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        near.is_done();
        near.read_exact(&mut vec![0; 20_000]).await.unwrap();
    }
}
