//! A TCP relay to a server that can be cut: then no data arrives, and neither end gets an error.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often a cut connection checks whether it is still cut.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub struct Relay {
    pub address: SocketAddr,
    is_cut: Arc<AtomicBool>,
}

impl Relay {
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Self { address: listener.local_addr().expect("an address"), is_cut: Arc::default() };
        let is_cut = Arc::clone(&relay.is_cut);
        thread::spawn(move || {
            for incoming in listener.incoming().flatten() {
                // A connection that was opened before the cut may still be in the kernel's queue.
                let Ok(outgoing) = TcpStream::connect(server) else { continue };
                for (from, to) in [(&incoming, &outgoing), (&outgoing, &incoming)] {
                    let (from, to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
                    let is_cut = Arc::clone(&is_cut);
                    let thread = thread::Builder::new().stack_size(128 * 1024);
                    thread.spawn(move || carry(from, to, &is_cut)).expect("a thread");
                }
            }
        });
        relay
    }

    pub fn set_cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Release);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut bytes).unwrap_or(0);
        // Data in transit is held back, and so is the news that one end has closed the connection.
        while is_cut.load(Ordering::Acquire) {
            thread::sleep(LOOK_EVERY);
        }
        if length == 0 || to.write_all(&bytes[..length]).is_err() {
            let _ = to.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}
