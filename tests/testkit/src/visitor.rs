//! A simple HTTP client for buyers: one connection that is kept, and form posts as a browser sends them. It is small
//! because hundreds run at once, and low-level because tests check what happens to connections.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer may take, so that a server that never answers fails a test instead of hanging it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

pub struct Visitor {
    pub address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    cookies: BTreeMap<String, String>,
}

/// A response, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
    }

    /// The path of the booking that a form post led to.
    pub fn location(&self) -> &str {
        self.header("location")
    }
}

/// An order as a checkout's form sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub ticket_type_id: i64,
    pub quantity: i32,
    pub request_key: String,
}

impl Purchase {
    /// Each order has a buyer of its own, because a ticket type may limit the tickets of one person.
    pub fn email(&self) -> String {
        format!("{}@example.org", &self.request_key[..24])
    }
}

impl Visitor {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, cookies: BTreeMap::new() }
    }

    /// Sends an order and waits for its answer.
    pub fn book(&mut self, purchase: &Purchase) -> io::Result<Answer> {
        self.send_order(purchase)?;
        self.receive()
    }

    /// Only sends an order: its answer is [`Visitor::receive`]d later, or never.
    pub fn send_order(&mut self, purchase: &Purchase) -> io::Result<()> {
        let form = [
            ("ticket_type", purchase.ticket_type_id.to_string()),
            ("quantity", purchase.quantity.to_string()),
            ("name", "Ada Lovelace".to_owned()),
            ("email", purchase.email()),
            ("request_key", purchase.request_key.clone()),
        ];
        self.send_form("/bookings", &form)
    }

    pub fn post(&mut self, path: &str, form: &[(&str, String)]) -> io::Result<Answer> {
        self.send_form(path, form)?;
        let answer = self.receive()?;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }

    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address))?;
        self.receive()
    }

    /// Disconnects, even with open requests: cleanly, after which the server may still answer, or abruptly,
    /// like a browser that crashes or a phone that is switched off.
    pub fn leave(&mut self, abruptly: bool) {
        if let (Some(connection), true) = (self.connection.take(), abruptly) {
            let socket = socket2::SockRef::from(connection.get_ref());
            socket.set_linger(Some(Duration::ZERO)).expect("a socket");
        }
    }

    fn send_form(&mut self, path: &str, form: &[(&str, String)]) -> io::Result<()> {
        let fields: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let body = fields.join("&");
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = cookies.join("; ");
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// Sends this text as the request.
    pub fn send(&mut self, request: &str) -> io::Result<()> {
        if self.connection.is_none() {
            let stream = TcpStream::connect_timeout(&self.address, ANSWERED_WITHIN)?;
            stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
            stream.set_nodelay(true)?;
            self.connection = Some(BufReader::new(stream));
        }
        let stream = self.connection.as_mut().expect("just connected").get_mut();
        stream.write_all(request.as_bytes()).inspect_err(|_| self.connection = None)
    }

    /// Reads one answer. After an error the next request opens a new connection.
    pub fn receive(&mut self) -> io::Result<Answer> {
        let mut connection = self.connection.take().ok_or(io::ErrorKind::NotConnected)?;
        let answer = read_answer(&mut connection)?;
        if answer.header("connection") != "close" {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

fn read_answer(connection: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut line = || -> io::Result<String> {
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    };
    let status = line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, length)| length.parse().ok()).unwrap_or(0)];
    connection.read_exact(&mut body)?;
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    value
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
