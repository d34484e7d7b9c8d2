//! Idle connections.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::TestApp;

#[test]
fn an_idle_connection_is_closed_after_the_keep_alive_time() {
    let app = TestApp::spawn_with(|config| config.connections.keep_alive = Duration::from_secs(1));
    let mut stream = TcpStream::connect(app.address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    stream.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("the request is sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).expect("the server closes the connection within 10 s");
    assert!(received.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&received));
}
