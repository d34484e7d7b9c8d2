//! How many answers a second the server gives at full speed: the fragment as a 200 and as a 304, compared with the
//! simplest page of the same server and with the same bytes in a file that nginx serves.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::Result;
use crate::crowd::Answer;
use crate::nginx::Nginx;
use crate::site::Site;
use crate::vigil::SLUG;
use testkit::bench::database::SaleDatabase;

pub const CONNECTIONS: [usize; 2] = [64, 512];
const WARM_UP: Duration = Duration::from_millis(300);

/// A server and the request that it answers.
pub struct Contender {
    pub name: &'static str,
    address: SocketAddr,
    request: String,
    status: u16,
    /// Answers a second, round by round, for each of [`CONNECTIONS`].
    pub rounds: [Vec<f64>; CONNECTIONS.len()],
}

pub fn measure(url: &str, folder: &Path, duration: Duration, rounds: usize) -> Result<Vec<Contender>> {
    SaleDatabase::prepare(url, folder)?;
    let site = Site::start(url, folder, 1)?;
    let path = format!("/events/{SLUG}/availability");
    let (fragment, body) = ask_once(site.address, &path)?;
    let nginx = Nginx::start(folder, &body)?;
    let (file, _) = ask_once(nginx.address, "/availability")?;
    let mut contenders = [
        Contender::new("hello", site.address, "/robots.txt", None),
        Contender::new("fragment_200", site.address, &path, None),
        Contender::new("fragment_304", site.address, &path, Some(&fragment.etag)),
        Contender::new("nginx_200", nginx.address, "/availability", None),
        Contender::new("nginx_304", nginx.address, "/availability", Some(&file.etag)),
    ];
    for round in 1..=rounds {
        for (place, &connections) in CONNECTIONS.iter().enumerate() {
            eprintln!("flat out, round {round} of {rounds}, {connections} connections");
            for contender in &mut contenders {
                let rate = contender.press(connections, duration)?;
                contender.rounds[place].push(rate);
            }
        }
    }
    Ok(contenders.into())
}

fn request(address: SocketAddr, path: &str, etag: Option<&str>) -> String {
    let condition = etag.map(|etag| format!("If-None-Match: {etag}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: br\r\n{condition}\r\n")
}

/// An answer and its body.
fn ask_once(address: SocketAddr, path: &str) -> Result<(Answer, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request(address, path, None).as_bytes())?;
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Err(format!("{path}: no answer").into());
        }
        bytes.extend_from_slice(&buffer[..length]);
        if let Some(answer) = Answer::read(&bytes) {
            let head = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or_default();
            return Ok((answer, bytes.split_off(head + 4)));
        }
    }
}

impl Contender {
    fn new(name: &'static str, address: SocketAddr, path: &str, etag: Option<&str>) -> Self {
        let status = if etag.is_some() { 304 } else { 200 };
        Self { name, address, request: request(address, path, etag), status, rounds: Default::default() }
    }

    /// Returns how many answers a second that many connections get. Each connection sends its next request as soon as
    /// it has its answer.
    fn press(&self, connections: usize, duration: Duration) -> Result<f64> {
        let mut poll = Poll::new()?;
        let mut askers =
            (0..connections).map(|number| self.connect(&poll, number)).collect::<Result<Vec<_>>>()?;
        let mut events = Events::with_capacity(connections);
        let mut buffer = vec![0; 64 * 1024];
        let (mut begun, mut answers, mut is_warm) = (Instant::now(), 0_u64, false);
        while begun.elapsed() < duration {
            if !is_warm && begun.elapsed() > WARM_UP {
                (begun, answers, is_warm) = (Instant::now(), 0, true);
            }
            poll.poll(&mut events, Some(duration))?;
            for event in &events {
                let asker = &mut askers[event.token().0];
                match asker.stream.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                    result => asker.missing = self.hear(asker.missing, &buffer[..result?])?,
                }
                if asker.missing == 0 {
                    answers += 1;
                    asker.stream.write_all(self.request.as_bytes())?;
                }
            }
        }
        Ok(answers as f64 / begun.elapsed().as_secs_f64())
    }

    fn connect(&self, poll: &Poll, number: usize) -> Result<Asker> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        stream.write_all(self.request.as_bytes())?;
        Ok(Asker { stream, missing: 0 })
    }

    /// How much of an answer is missing after these bytes.
    fn hear(&self, missing: usize, bytes: &[u8]) -> Result<usize> {
        if missing > 0 {
            return Ok(missing.saturating_sub(bytes.len()));
        }
        let is_well = bytes.starts_with(format!("HTTP/1.1 {}", self.status).as_bytes());
        if !is_well {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
            return Err(format!("{} answers {start:?}", self.name).into());
        }
        let whole = whole_length(bytes).ok_or("a head in pieces")?;
        Ok(whole.saturating_sub(bytes.len()))
    }
}

/// Head and body of an answer whose head is there.
fn whole_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    if bytes.starts_with(b"HTTP/1.1 304") {
        return Some(head);
    }
    let name = b"\r\ncontent-length: ";
    let at = bytes[..head].windows(name.len()).position(|it| it.eq_ignore_ascii_case(name))? + name.len();
    let digits = bytes[at..].iter().take_while(|it| it.is_ascii_digit());
    Some(head + digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}

struct Asker {
    stream: mio::net::TcpStream,
    missing: usize,
}
