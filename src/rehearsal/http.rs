//! How a simulated buyer reaches the site: HTTP over connections from this machine, as a proxy makes them. It
//! understands only what this site's own server answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connections::network_share;

/// The most connections at once, whatever the server takes.
const CONNECTIONS_MAX: usize = 256;
/// Longer than the server's own deadlines are by default.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);
/// More than the largest page has.
const BODY_MAX: usize = 8 << 20;

/// The site, as buyers reach it.
pub(super) struct Shop {
    address: SocketAddr,
    /// The host name that the site expects in a request.
    host: String,
    /// Proves that this program itself sends the request: see `guard::client_address`.
    own_key: String,
    idle: Mutex<Vec<BufReader<TcpStream>>>,
    turns: Semaphore,
}

/// One request of a buyer.
pub(super) struct ShopRequest<'a> {
    pub path: &'a str,
    /// The fields of a form, encoded. `None`: a page is requested.
    pub form: Option<&'a str>,
    pub cookies: &'a str,
    /// The network that it comes from, as rate limits count it.
    pub from: &'a str,
    pub etag: Option<&'a str>,
}

/// What the site answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ShopAnswer {
    pub status: u16,
    /// Names and values; an empty value: the cookie is to be forgotten.
    pub cookies: Vec<(String, String)>,
    pub etag: Option<String>,
    pub retry_after: Option<u64>,
    pub body: String,
    length: Option<usize>,
    is_chunked: bool,
    closes: bool,
}

/// How many connections all buyers together hold. They come from one address, so the server counts them as one network.
/// A quarter of its share stays free: the server may still count connections that have just been closed.
fn connections(room: usize) -> usize {
    (network_share(room) * 3 / 4).min(CONNECTIONS_MAX)
}

impl Shop {
    /// `room`: how many connections the server takes.
    pub(super) fn new(address: SocketAddr, host: String, own_key: String, room: usize) -> Self {
        let (idle, turns) = (Mutex::default(), Semaphore::new(connections(room)));
        Self { address, host, own_key, idle, turns }
    }

    /// Sends a request. A connection that the server has closed meanwhile is replaced.
    ///
    /// # Errors
    /// What the system said.
    pub(super) async fn send(&self, request: &ShopRequest<'_>) -> io::Result<ShopAnswer> {
        let _turn = self.turns.acquire().await.map_err(io::Error::other)?;
        let idle = self.idle.lock().pop();
        if let Some(connection) = idle
            && let Ok(answer) = self.exchange(connection, request).await
        {
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        self.exchange(BufReader::new(stream), request).await
    }

    async fn exchange(
        &self,
        mut connection: BufReader<TcpStream>,
        request: &ShopRequest<'_>,
    ) -> io::Result<ShopAnswer> {
        let exchange = async {
            connection.get_mut().write_all(self.text(request).as_bytes()).await?;
            let answer = read(&mut connection).await?;
            Ok::<_, io::Error>((connection, answer))
        };
        let (connection, answer) = timeout(ANSWER_WITHIN, exchange).await??;
        if !answer.closes {
            self.idle.lock().push(connection);
        }
        Ok(answer)
    }

    fn text(&self, request: &ShopRequest<'_>) -> String {
        let ShopRequest { path, form, cookies, from, etag } = request;
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\nuser-agent: rehearsal\r\n\
             x-forwarded-for: {from}\r\nx-rehearsal-key: {}\r\n",
            self.host, self.own_key
        );
        if !cookies.is_empty() {
            text.push_str(&format!("cookie: {cookies}\r\n"));
        }
        if let Some(etag) = etag {
            text.push_str(&format!("if-none-match: {etag}\r\n"));
        }
        match form {
            Some(form) => text.push_str(&format!(
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            )),
            None => text.push_str("\r\n"),
        }
        text
    }
}

/// Reads one answer.
async fn read(connection: &mut BufReader<TcpStream>) -> io::Result<ShopAnswer> {
    let mut answer = ShopAnswer::default();
    let line = read_line(connection).await?;
    let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    answer.status = status.ok_or_else(|| invalid("no status"))?;
    loop {
        let line = read_line(connection).await?;
        match line.split_once(':') {
            Some((name, value)) => answer.read_header(&name.to_ascii_lowercase(), value.trim()),
            None => break,
        }
    }
    let body = if answer.is_chunked {
        read_chunks(connection).await?
    } else {
        let is_empty = matches!(answer.status, 204 | 304);
        read_exactly(connection, answer.length.filter(|_| !is_empty).unwrap_or(0)).await?
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Ok(answer)
}

impl ShopAnswer {
    fn read_header(&mut self, name: &str, value: &str) {
        match name {
            "content-length" => self.length = value.parse().ok(),
            "transfer-encoding" => self.is_chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => self.closes = value.eq_ignore_ascii_case("close"),
            "etag" => self.etag = Some(value.to_owned()),
            "retry-after" => self.retry_after = value.parse().ok(),
            "set-cookie" => {
                let pair = value.split(';').next().unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    self.cookies.push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            _ => {}
        }
    }
}

/// Without the line's end.
async fn read_line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

async fn read_exactly(connection: &mut BufReader<TcpStream>, length: usize) -> io::Result<Vec<u8>> {
    if length > BODY_MAX {
        return Err(invalid("too long"));
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    Ok(body)
}

async fn read_chunks(connection: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(connection).await?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(|_| invalid("no length of a chunk"))?;
        if body.len() + length > BODY_MAX {
            return Err(invalid("too long"));
        }
        body.extend(read_exactly(connection, length).await?);
        read_line(connection).await?;
        if length == 0 {
            return Ok(body);
        }
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Answers the requests of one connection with these texts.
    async fn answered(texts: &'static [&'static str]) -> Vec<ShopAnswer> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shop = Shop::new(address, "tickets.example".into(), "key".into(), 1_000);
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut asked = [0; 4096];
            for text in texts {
                let length = stream.read(&mut asked).await.expect("a request");
                let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                assert!(asked.starts_with("GET /a HTTP/1.1\r\nhost: tickets.example\r\n"), "{asked}");
                stream.write_all(text.as_bytes()).await.expect("an answer");
            }
        };
        let ask = async {
            let request = ShopRequest { path: "/a", form: None, cookies: "a=b", from: "fd00::1", etag: None };
            let mut answers = Vec::new();
            for _ in texts {
                answers.push(shop.send(&request).await.expect("an answer"));
            }
            answers
        };
        tokio::join!(serve, ask).1
    }

    #[test]
    fn buyers_keep_within_the_share_of_one_network() {
        assert_eq!([100, 3_750, 50_000].map(connections), [24, 112, 256]);
        assert!([1, 500, 5_000].into_iter().all(|room| connections(room) < network_share(room)));
    }

    #[tokio::test]
    async fn answers_of_both_shapes_are_read_from_one_connection() {
        let answers = answered(&[
            "HTTP/1.1 303 See Other\r\nLocation: /b\r\nSet-Cookie: place=x; Path=/\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\netag: \"x\"\r\n\r\n",
            "HTTP/1.1 503 Busy\r\nretry-after: 2\r\ncontent-length: 2\r\n\r\nno",
        ])
        .await;
        assert_eq!(answers[0].status, 303);
        assert_eq!(answers[0].cookies, [("place".to_owned(), "x".to_owned())]);
        assert_eq!((answers[1].status, answers[1].body.as_str()), (200, "abcde"));
        assert_eq!((answers[2].status, answers[2].etag.as_deref()), (304, Some("\"x\"")));
        assert_eq!((answers[3].retry_after, answers[3].body.as_str()), (Some(2), "no"));
    }
}
