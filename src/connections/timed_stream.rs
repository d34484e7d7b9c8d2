//! A connection with a deadline for each request. Without it, clients that send a byte now and then, or never read the
//! response, would hold a connection forever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

/// A TCP stream with a clock that runs from a request's first byte to its response's first byte, and while the client
/// does not read the response.
pub(super) struct TimedStream {
    stream: TcpStream,
    limit: Duration,
    /// When the pending request or unread response began.
    waits_since: Option<Instant>,
    /// Created once and reset only when it fires: resetting it for each request would cost more than the response.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, limit: Duration) -> Self {
        Self { stream, limit, waits_since: None, alarm: None }
    }

    /// Pending, or a time-out error once the deadline has passed.
    fn pending_in_time<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let Some(since) = self.waits_since else { return Poll::Pending };
        let deadline = since + self.limit;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        // It may fire for a request that was answered long ago.
        loop {
            ready!(alarm.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            alarm.as_mut().reset(deadline.into());
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.pending_in_time(context),
            read => {
                self.waits_since.get_or_insert_with(Instant::now);
                read
            }
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => {
                self.waits_since.get_or_insert_with(Instant::now);
                self.pending_in_time(context)
            }
            written => {
                self.waits_since = None;
                written
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
