//! `techkraft health`: asks the server that runs with these settings how it is, for containers and scripts that have no
//! other program to ask with.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::log_safe::one_line;
use crate::start_error::StartError;

/// A server that takes longer is not well.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks `path` of the server that listens at this address. Returns what it answers, in one line.
///
/// # Errors
/// One line: that nobody answers, or an answer other than 200.
pub fn ask(listens_at: SocketAddr, path: &str) -> Result<String, StartError> {
    let address = SocketAddr::new(reachable(listens_at.ip()), listens_at.port());
    let wrong = |what: String| StartError::new(format!("{address}: {what}"));
    let answer = get(address, path).map_err(|e| wrong(one_line(&e)))?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let said = answer.split("\r\n\r\n").nth(1).and_then(|body| body.lines().next()).unwrap_or_default();
    if status == "200" { Ok(one_line(&said)) } else { Err(wrong(one_line(&format!("{status} {said}")))) }
}

fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    // Anything may listen there, so no more is read than an answer of ours can have.
    stream.take(64 << 10).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Where a server that listens at all addresses of this machine is reached.
fn reachable(listens_at: IpAddr) -> IpAddr {
    match listens_at {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}
