//! Sends bytes to the server, and parses the answers strictly by HTTP/1.1.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The server never makes anybody wait this long, even on a busy machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long a connection may stay open after the server has announced that it closes it.
const MOMENT: Duration = Duration::from_secs(3);

/// Sent at the end if the server left the connection open: the answer shows that both sides agree on where the last
/// request ended. No other request is answered with this status.
const PROBE: &[u8] = b"GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n";
const PROBED: u16 = 301;

/// A complete answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Everything that came back on one connection.
#[derive(Debug, Default)]
pub struct Heard {
    pub answers: Vec<Answer>,
    /// The server closed the connection without announcing it.
    pub was_cut: bool,
    /// The server announced that it would close the connection, and did not.
    pub was_left_open: bool,
    /// A violation of HTTP, or an answer that did not end in time.
    pub wrong: Option<String>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(its, _)| its == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether this is an empty answer of the HTTP server itself, before the request reaches the application.
    pub fn is_below_the_app(&self) -> bool {
        self.body.is_empty() && [100, 400, 408, 431].contains(&self.status)
    }

    fn closes(&self) -> bool {
        self.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"))
    }
}

/// Sends the bytes on a new connection, and reads until no more answers come.
pub fn exchange(server: SocketAddr, bytes: &[u8]) -> Heard {
    let stream = TcpStream::connect(server).expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    stream.set_write_timeout(Some(ANSWER_WITHIN)).expect("a socket");
    let is_head = bytes.starts_with(b"HEAD ");
    let begun = Instant::now();
    let mut talk = Talk { stream, unread: Vec::new(), begun, is_head, is_over: false, is_left_open: false };
    // The server may stop reading before the end, so an error is fine.
    drop(talk.stream.write_all(bytes));
    let mut heard = Heard::default();
    if let Err(wrong) = talk.hear(&mut heard) {
        heard.wrong = Some(wrong);
    }
    heard
}

struct Talk {
    stream: TcpStream,
    unread: Vec<u8>,
    begun: Instant,
    /// The first request is a HEAD, so its answer has no body.
    is_head: bool,
    /// The server has announced that it closes the connection.
    is_over: bool,
    is_left_open: bool,
}

impl Talk {
    fn hear(&mut self, heard: &mut Heard) -> Result<(), String> {
        let mut is_probed = false;
        while let Some(answer) = self.answer()? {
            let (closes, is_interim) = (answer.closes(), answer.status < 200);
            if is_probed && answer.status == PROBED {
                return Ok(());
            }
            heard.answers.push(answer);
            self.is_over |= closes;
            if !is_interim && !is_probed && !self.is_over {
                is_probed = true;
                drop(self.stream.write_all(PROBE));
            }
        }
        heard.was_left_open = self.is_left_open;
        // After an answer to a malformed request, the connection ends without further notice.
        heard.was_cut = !self.is_over && !heard.answers.last().is_some_and(Answer::is_below_the_app);
        Ok(())
    }

    /// The next answer; `None` when the connection ends before it begins.
    fn answer(&mut self) -> Result<Option<Answer>, String> {
        let Some(head) = self.until(b"\r\n\r\n")? else { return Ok(None) };
        let mut answer = read_head(&head)?;
        let is_final = answer.status >= 200;
        if is_final && !std::mem::take(&mut self.is_head) && ![204, 304].contains(&answer.status) {
            answer.body = self.body(&answer)?;
        }
        Ok(Some(answer))
    }

    fn body(&mut self, answer: &Answer) -> Result<Vec<u8>, String> {
        if answer.header("transfer-encoding").is_none() {
            let length = answer.header("content-length").and_then(|it| it.parse().ok());
            return self.exactly(length.ok_or("neither a length nor chunks")?);
        }
        let mut body = Vec::new();
        loop {
            let size = self.until(b"\r\n")?.ok_or("no chunk")?;
            let size = std::str::from_utf8(&size).ok().and_then(|it| usize::from_str_radix(it, 16).ok());
            let size = size.ok_or("no size of a chunk")?;
            body.extend(self.exactly(size)?);
            self.until(b"\r\n")?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// The bytes before the mark, without the mark; `None` if the connection ends first.
    fn until(&mut self, mark: &[u8]) -> Result<Option<Vec<u8>>, String> {
        loop {
            if let Some(at) = self.unread.windows(mark.len()).position(|it| it == mark) {
                let rest = self.unread.split_off(at + mark.len());
                let mut found = std::mem::replace(&mut self.unread, rest);
                found.truncate(at);
                return Ok(Some(found));
            }
            if !self.read()? {
                let is_nothing = self.unread.is_empty();
                return if is_nothing { Ok(None) } else { Err(format!("half an answer: {}", self.unread())) };
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, String> {
        while self.unread.len() < length {
            if !self.read()? {
                return Err(format!("{} of {length} bytes: {}", self.unread.len(), self.unread()));
            }
        }
        let rest = self.unread.split_off(length);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    /// Reads more bytes; false at the end of the connection.
    fn read(&mut self) -> Result<bool, String> {
        let time_limit =
            if self.is_over { MOMENT } else { ANSWER_WITHIN.saturating_sub(self.begun.elapsed()) };
        let left = time_limit.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(left)).expect("a socket");
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(length) => {
                self.unread.extend_from_slice(&buffer[..length]);
                Ok(length > 0)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.is_left_open = self.is_over;
                if self.is_over {
                    return Ok(false);
                }
                Err(format!("no end after {ANSWER_WITHIN:?}"))
            }
            // The server closed the connection while we were still sending.
            Err(_) => Ok(false),
        }
    }

    fn unread(&self) -> String {
        String::from_utf8_lossy(&self.unread[..self.unread.len().min(200)]).into_owned()
    }
}

fn read_head(head: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(head);
    let wrong = || format!("no head of an answer: {text:?}");
    if text.chars().any(|c| c.is_control() && c != '\r' && c != '\n') {
        return Err(wrong());
    }
    let mut lines = text.split("\r\n");
    let status =
        lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 ")));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok()).ok_or_else(wrong)?;
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(": ").ok_or_else(wrong)?;
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !is_name || value.contains(['\r', '\n']) {
            return Err(wrong());
        }
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Ok(Answer { status, headers, body: Vec::new() })
}
