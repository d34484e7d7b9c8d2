//! A part of the watchers, as a process of its own, because a process may open only some twenty thousand connections.
//! Each such process has an address of its own, because the ports of one address do not suffice for all watchers.
//!
//! Each watcher polls every five seconds, whether or not the server keeps up. The latency of a poll counts from the
//! time when the poll was due, so a server that stalls is also charged for the polls that it delayed.

use std::io::{BufRead as _, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Result;
use testkit::bench::histogram::Histogram;

/// The ports below this one are for services.
const FIRST_PORT: u16 = 1024;

/// The first argument of such a process.
pub const ROLE: &str = "--crowd";
const INTERVAL: Duration = Duration::from_secs(5);

/// The headers that a browser sends besides the ETag.
const HEADERS: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/140.0.0.0 Safari/537.36\r\nAccept: text/html\r\nAccept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-US,en;q=0.9\r\nHX-Request: true\r\nHX-Target: availability\r\n\
    Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";

struct Watcher {
    stream: TcpStream,
    due: Option<Instant>,
    etag: String,
    begun: Vec<u8>,
}

struct Crowd {
    poll: Poll,
    watchers: Vec<Watcher>,
    request: String,
    server: SocketAddr,
    own: IpAddr,
    /// The port of the next connection, if it is free.
    next_port: u16,
    polls: Histogram,
    changed: u64,
    late: u64,
    errors: u64,
}

/// Connects, says `ready`, waits for a line, watches, and prints what it saw.
///
/// Arguments: the server's address, the path, the number of this crowd, its watchers, its seconds.
pub fn run(arguments: &[String]) -> Result<()> {
    let [server, path, number, watchers, seconds] = arguments else { return Err("five arguments".into()) };
    let own = IpAddr::from(Ipv4Addr::new(127, 0, 1, number.parse()?));
    let mut crowd = Crowd::arrive(server.parse()?, path, own, watchers.parse()?)?;
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new())?;
    // The first round only fetches the ETags. The measurement begins after it.
    crowd.watch(INTERVAL)?;
    (crowd.polls, crowd.changed, crowd.late) = (Histogram::default(), 0, 0);
    println!("begun");
    crowd.watch(Duration::from_secs(seconds.parse()?))?;
    println!("{} {} {}", crowd.changed, crowd.late, crowd.errors);
    println!("{}", crowd.polls.to_line());
    Ok(())
}

impl Crowd {
    fn arrive(server: SocketAddr, path: &str, own: IpAddr, watchers: usize) -> Result<Self> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {server}\r\n{HEADERS}");
        let mut crowd = Self {
            poll: Poll::new()?,
            watchers: Vec::with_capacity(watchers),
            request,
            server,
            own,
            next_port: FIRST_PORT,
            polls: Histogram::default(),
            changed: 0,
            late: 0,
            errors: 0,
        };
        for number in 0..watchers {
            let watcher = crowd.connect(number)?;
            crowd.watchers.push(watcher);
        }
        Ok(crowd)
    }

    fn connect(&mut self, number: usize) -> Result<Watcher> {
        let socket = self.bind()?;
        socket.connect(&self.server.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        Ok(Watcher { stream, due: None, etag: String::new(), begun: Vec::new() })
    }

    /// A socket with a port that this process chooses. If the kernel searched for free ports, each search would take
    /// longer than the last, and fifty thousand searches would keep both cores busy.
    fn bind(&mut self) -> Result<socket2::Socket> {
        for _ in FIRST_PORT..u16::MAX {
            let address = SocketAddr::new(self.own, self.next_port);
            self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
            match socket.bind(&address.into()) {
                Err(error) if error.kind() == ErrorKind::AddrInUse => continue,
                result => result?,
            }
            return Ok(socket);
        }
        Err("all ports are taken".into())
    }

    fn watch(&mut self, duration: Duration) -> Result<()> {
        let count = u32::try_from(self.watchers.len())?;
        let begun = Instant::now();
        let due_at = |poll: u32| begun + INTERVAL * (poll / count) + INTERVAL * (poll % count) / count;
        let mut next = 0;
        let mut events = Events::with_capacity(4096);
        let mut buffer = vec![0; 64 * 1024];
        while begun.elapsed() < duration {
            while due_at(next) <= Instant::now() {
                self.ask((next % count) as usize, due_at(next))?;
                next += 1;
            }
            let wait = due_at(next).saturating_duration_since(Instant::now());
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                self.hear(event.token().0, &mut buffer)?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, number: usize, due: Instant) -> Result<()> {
        let watcher = &mut self.watchers[number];
        if watcher.due.is_some() {
            // The last poll still has no answer after a whole interval.
            self.late += 1;
            return Ok(());
        }
        let request = format!("{}If-None-Match: {}\r\n\r\n", self.request, watcher.etag);
        watcher.due = Some(due);
        match watcher.stream.write(request.as_bytes()) {
            Ok(written) if written == request.len() => Ok(()),
            _ => self.reconnect(number),
        }
    }

    fn hear(&mut self, number: usize, buffer: &mut [u8]) -> Result<()> {
        let watcher = &mut self.watchers[number];
        match watcher.stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Ok(length) if length > 0 => watcher.begun.extend_from_slice(&buffer[..length]),
            _ => return self.reconnect(number),
        }
        let Some(answer) = Answer::read(&watcher.begun) else { return Ok(()) };
        let Some(due) = watcher.due.take() else { return self.reconnect(number) };
        watcher.etag = answer.etag;
        // Free the memory: otherwise the buffers of fifty thousand watchers would take a gigabyte.
        watcher.begun = Vec::new();
        match answer.status {
            200 => self.changed += 1,
            304 => {}
            status => self.note(&format!("answer {status}")),
        }
        self.polls.add(due.elapsed());
        Ok(())
    }

    fn reconnect(&mut self, number: usize) -> Result<()> {
        self.note("a connection that the server has closed");
        self.watchers[number] = self.connect(number)?;
        Ok(())
    }

    /// Prints the first error, and counts all errors.
    fn note(&mut self, error: &str) {
        if self.errors == 0 {
            eprintln!("the first error of the watchers at {}: {error}", self.own);
        }
        self.errors += 1;
    }
}

/// A whole answer.
pub struct Answer {
    pub status: u16,
    pub etag: String,
}

impl Answer {
    /// `None` until the whole answer has arrived.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let text = std::str::from_utf8(&bytes[..head]).ok()?;
        let mut lines = text.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let (mut etag, mut body) = (String::new(), 0);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("etag") {
                value.trim().clone_into(&mut etag);
            } else if name.eq_ignore_ascii_case("content-length") && status != 304 {
                body = value.trim().parse().ok()?;
            }
        }
        (bytes.len() >= head + 4 + body).then_some(Self { status, etag })
    }
}
