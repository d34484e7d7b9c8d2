//! A TCP client that can write and read byte by byte.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

pub const GET: &str = "GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Between two bytes of a slow client.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Client(pub TcpStream);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Self(stream)
    }

    /// Connects with a small receive buffer: the system accepts at most this many unread bytes.
    pub fn connect_with_window(address: SocketAddr, bytes: usize) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(bytes).expect("a socket");
        socket.connect(&address.into()).expect("it listens");
        Self(TcpStream::from(socket))
    }

    /// Whether the server has reset the connection, because it had more to send. Reads nothing.
    pub fn is_reset(&self) -> bool {
        self.0.take_error().expect("a socket").is_some()
    }

    /// Sends a request; returns the start of the answer, or an empty string if there is none within `wait`.
    pub fn ask(&mut self, request: &str, wait: Duration) -> String {
        if self.0.write_all(request.as_bytes()).is_err() {
            return String::new();
        }
        self.hear(wait)
    }

    pub fn hear(&mut self, wait: Duration) -> String {
        self.0.set_read_timeout(Some(wait)).expect("a socket");
        let mut bytes = [0; 64 * 1024];
        let length = self.0.read(&mut bytes).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Sends one byte ten times a second until the server closes the connection. Panics if the connection is still
    /// open after `longest`.
    pub fn dribble(&mut self, text: &str, longest: Duration) {
        let begun = Instant::now();
        for byte in text.as_bytes().iter().cycle() {
            assert!(begun.elapsed() < longest, "still connected after {longest:?}");
            if self.0.write_all(&[*byte]).is_err() || self.is_closed_within(PAUSE) {
                break;
            }
        }
    }

    /// Whether the server closes the connection within `wait`, without another word.
    pub fn is_closed_within(&mut self, wait: Duration) -> bool {
        self.0.set_read_timeout(Some(wait)).expect("a socket");
        match self.0.read(&mut [0; 1024]) {
            Ok(length) => length == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}
