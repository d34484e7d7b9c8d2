//! Clients that attack by how they send and receive, not by what they send.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

const HEAD: &str =
    "POST /bookings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";
pub const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const MOMENT: Duration = Duration::from_millis(50);

/// Whether the clients must stop.
pub static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Runs one client until the server ends the connection or the client is done.
pub type Client = fn(&mut TcpStream) -> std::io::Result<()>;

pub const CLIENTS: [(&str, Client); 21] = [
    ("says nothing", |stream| hear(stream)),
    ("half a head and nothing more", |stream| {
        say(stream, "GET / HTTP/1.1\r\nHost: loc").and_then(|()| hear(stream))
    }),
    ("a head byte by byte", |stream| dribble(stream, "GET / HTTP/1.1\r\nX-A: ", "a")),
    ("a body byte by byte", |stream| dribble(stream, &format!("{HEAD}Content-Length: 9000\r\n\r\n"), "a")),
    ("chunks byte by byte", |stream| {
        dribble(stream, &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"), "1\r\na\r\n")
    }),
    ("waits for 100, and then sends nothing", |stream| {
        say(stream, &format!("{HEAD}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"))
            .and_then(|()| hear(stream))
    }),
    ("headers without end", |stream| flood(stream, "GET / HTTP/1.1\r\n", "X-A: aaaaaaaaaaaaaaaa\r\n")),
    ("one header without end", |stream| flood(stream, "GET / HTTP/1.1\r\nX-A: ", "aaaaaaaaaaaaaaaa")),
    ("cookies without end", |stream| flood(stream, "GET / HTTP/1.1\r\nCookie: ", "buyer=a; ")),
    ("an address without end", |stream| flood(stream, "GET /", "aaaaaaaaaaaaaaaa")),
    ("empty lines without end", |stream| flood(stream, "", "\r\n\r\n\r\n\r\n")),
    ("an extension of a chunk without end", |stream| {
        flood(stream, &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n1;"), "aaaaaaaa")
    }),
    ("trailers without end", |stream| {
        flood(stream, &format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n"), "X-A: aaaaaaaa\r\n")
    }),
    ("a body that nobody reads, without end", |stream| {
        flood(
            stream,
            &HEAD
                .replace("/bookings", "/nowhere")
                .replace("\r\nHost", "\r\nTransfer-Encoding: chunked\r\nHost"),
            "\r\n8\r\naaaaaaaa",
        )
    }),
    ("requests without end, unread", |stream| flood(stream, "", GET)),
    ("many requests, read a byte at a time", |stream| {
        say(stream, &GET.repeat(100))?;
        loop {
            stream.read_exact(&mut [0])?;
            pause()?;
        }
    }),
    ("half-closed after a request", |stream| half_close(stream, GET)),
    ("half-closed in a head", |stream| half_close(stream, "GET / HTTP/1.1\r\nHost")),
    ("half-closed in a body", |stream| half_close(stream, &format!("{HEAD}Content-Length: 9\r\n\r\na"))),
    ("HTTP/1.0 that stays", |stream| {
        loop {
            say(stream, "GET /robots.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")?;
            stream.read_exact(&mut [0; 64])?;
            pause()?;
        }
    }),
    ("gone in the middle", |stream| {
        say(stream, &GET[..20])?;
        socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO))
    }),
];

/// Connects from a local address, with a small receive window, so that slow reading soon has an effect.
pub fn connect(server: SocketAddr, own: [u8; 4]) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(&SocketAddr::from((own, 0)).into())?;
    socket.connect_timeout(&server.into(), Duration::from_secs(5))?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// Waits for a moment; fails when the clients must stop.
fn pause() -> std::io::Result<()> {
    thread::sleep(MOMENT);
    if IS_OVER.load(Ordering::Relaxed) { Err(std::io::ErrorKind::Interrupted.into()) } else { Ok(()) }
}

fn say(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())
}

/// Reads until the server ends the connection.
fn hear(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn dribble(stream: &mut TcpStream, start: &str, again: &str) -> std::io::Result<()> {
    say(stream, start)?;
    for byte in again.bytes().cycle() {
        stream.write_all(&[byte])?;
        pause()?;
    }
    Ok(())
}

fn flood(stream: &mut TcpStream, start: &str, again: &str) -> std::io::Result<()> {
    say(stream, start)?;
    let much = again.repeat(1000);
    loop {
        say(stream, &much)?;
    }
}

fn half_close(stream: &mut TcpStream, text: &str) -> std::io::Result<()> {
    say(stream, text)?;
    stream.shutdown(Shutdown::Write)?;
    hear(stream)
}
