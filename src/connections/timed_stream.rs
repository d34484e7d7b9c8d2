//! A connection with a deadline and a size for each request, and a least pace for each response. Without them, clients
//! that send a byte now and then, send without end, or read as slowly as they can, would hold a connection, and its
//! memory, forever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::body_allowance::BodyAllowance;
use super::read_pace::ReadPace;
use super::table::Connection;
use crate::resource::{LONG_BODY_BYTES_MAX, UPLOAD_BYTES_MAX};

/// The most bytes of a head that are read: three times the 16 KiB that it may have, so that a longer one still gets an
/// error page. It is added to the limits of a body, and also leaves room there for the chunk headers of a form that
/// arrives in tiny chunks.
const HEAD_MAX: usize = 48 * 1024;
/// Most bytes of a request with its body, and of what a client sends behind it before it gets a response.
const UNANSWERED_MAX: usize = HEAD_MAX + LONG_BODY_BYTES_MAX;
/// The same with a file.
const UNANSWERED_WITH_FILE_MAX: usize = HEAD_MAX + UPLOAD_BYTES_MAX;
/// A file may take this many times longer to arrive than anything else.
const FILE_LIMIT_FACTOR: u32 = 4;
/// How long a request that is too long may still wait for a response of its own: a body that is too long is
/// refused by its handler.
const OVERFLOW_GRACE: Duration = Duration::from_secs(1);
/// The answers to what nothing else has answered: a head without end, or a body that is hardly anything but
/// the headers of its chunks.
const HEAD_TOO_LARGE: &[u8] =
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
const BODY_TOO_LARGE: &[u8] =
    b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// How much of what a client still sends is read before the connection is closed. If bytes stayed unread, the
/// system would throw away the response.
const DISCARDED_MAX: usize = 1024 * 1024;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// How many bytes of [`END_OF_HEAD`] have been seen after `bytes`, if `seen` of them had been seen before.
/// Once all four have been seen, the number stays at four.
fn after(seen: u8, bytes: &[u8]) -> u8 {
    // Nearly always: a request without a body.
    if bytes.ends_with(END_OF_HEAD) {
        return 4;
    }
    bytes.iter().fold(seen, |seen, byte| match (seen, byte) {
        (4, _) => 4,
        (0 | 2, b'\r') | (1 | 3, b'\n') => seen + 1,
        (_, b'\r') => 1,
        _ => 0,
    })
}

/// A TCP stream with two clocks. One runs from a request's first byte to its response's first byte. The other,
/// [`ReadPace`], runs while the client does not take the response.
pub(super) struct TimedStream {
    stream: TcpStream,
    connection: Connection,
    allowance: BodyAllowance,
    limit: Duration,
    /// When the pending request began.
    waits_since: Option<Instant>,
    /// Whether a response has been sent: what arrives after it may be the rest of a body that nobody reads.
    has_answered: bool,
    /// Bytes received since the last response.
    unanswered: usize,
    /// How many bytes of [`END_OF_HEAD`] they end with; all four once it was seen.
    end_of_head: u8,
    /// Since when `unanswered` is at its maximum.
    overflows_since: Option<Instant>,
    pace: ReadPace,
    /// Created once, and reset only when it fires or would fire too late: resetting it for each request would cost more
    /// than the response.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, connection: Connection, limit: Duration) -> Self {
        Self {
            stream,
            connection,
            allowance: BodyAllowance::default(),
            limit,
            waits_since: None,
            has_answered: false,
            unanswered: 0,
            end_of_head: 0,
            overflows_since: None,
            pace: ReadPace::new(limit),
            alarm: None,
        }
    }

    /// The allowance that gives a request room for a file.
    pub(super) fn allowance(&self) -> BodyAllowance {
        self.allowance.clone()
    }

    /// Pending, or ready once the deadline has passed.
    fn poll_deadline(&mut self, context: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        if alarm.deadline() > deadline.into() {
            alarm.as_mut().reset(deadline.into());
        }
        // It may fire for a request that was answered long ago.
        loop {
            ready!(alarm.as_mut().poll(context));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(deadline.into());
        }
    }

    /// Resets the connection: what the client has not read would stay with the system otherwise.
    fn time_out<T>(&self) -> io::Result<T> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Called when nothing has arrived: waits for the deadline, or until the connection is to end.
    fn poll_waiting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let limit = if self.allowance.is_given() { self.limit * FILE_LIMIT_FACTOR } else { self.limit };
        match self.waits_since {
            Some(since) => self.poll_deadline(context, since + limit).map(|()| self.time_out()),
            // Ended as if the client had ended it, so that a response in progress still arrives.
            None => self.connection.poll_cut(context).map(Ok),
        }
    }

    /// The client has sent as much as it may. Nothing more is read until it gets a response.
    fn poll_overflow(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let since = *self.overflows_since.get_or_insert_with(Instant::now);
        ready!(self.poll_deadline(context, since + OVERFLOW_GRACE));
        let refusal = if self.has_head() { BODY_TOO_LARGE } else { HEAD_TOO_LARGE };
        if !self.has_answered && self.stream.try_write(refusal).is_ok() {
            self.discard();
        }
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }

    fn has_head(&self) -> bool {
        usize::from(self.end_of_head) == END_OF_HEAD.len()
    }

    fn discard(&self) {
        let (mut buffer, mut discarded) = ([0; 8 * 1024], 0);
        while discarded < DISCARDED_MAX {
            match self.stream.try_read(&mut buffer) {
                Ok(length) if length > 0 => discarded += length,
                _ => break,
            }
        }
    }

    /// The client has room for that many bytes of a response.
    fn took(&mut self, bytes: usize, context: &Context<'_>) {
        self.waits_since = None;
        self.has_answered = true;
        self.unanswered = 0;
        self.end_of_head = 0;
        if self.overflows_since.take().is_some() {
            // Reading was given up, so nothing else would wake this connection when more arrives.
            context.waker().wake_by_ref();
        }
        self.pace.took(bytes);
        self.connection.set_waiting();
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.allowance.take_used() {
            // The file was within its own limits. The response has the time that any other has.
            self.unanswered = 0;
            self.waits_since = Some(Instant::now());
        }
        let most = match () {
            () if self.allowance.is_given() => UNANSWERED_WITH_FILE_MAX,
            () if self.has_head() => UNANSWERED_MAX,
            () => HEAD_MAX,
        };
        if self.unanswered >= most {
            return self.poll_overflow(context);
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Pending => self.poll_waiting(context),
            read => {
                let bytes = &buffer.filled()[before..];
                self.unanswered += bytes.len();
                self.end_of_head = after(self.end_of_head, bytes);
                if self.waits_since.is_none() {
                    self.waits_since = Some(Instant::now());
                    self.connection.set_busy();
                }
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
                let deadline = self.pace.deadline(Instant::now());
                self.poll_deadline(context, deadline).map(|()| self.time_out())
            }
            Poll::Ready(Ok(written)) => {
                self.took(written, context);
                Poll::Ready(Ok(written))
            }
            error => error,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_seen_however_it_is_cut_up() {
        let head = b"POST / HTTP/1.1\r\nHost: x\r\r\n\r\nname=a\r\n";
        for at in 0..head.len() {
            let (first, second) = head.split_at(at);
            assert_eq!(after(after(0, first), second), 4, "{at}");
        }
        assert_eq!(head.iter().fold(0, |seen, byte| after(seen, &[*byte])), 4);
        assert!(after(0, b"GET / HTTP/1.1\r\nX: \r\n\r") < 4);
    }
}
