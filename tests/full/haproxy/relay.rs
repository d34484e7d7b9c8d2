//! The way to a server, which can be cut: then nothing that is sent arrives, and nobody is told.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often it looks whether it is cut.
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
                // A connection that was begun before the way was cut may still be in the kernel's queue.
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
        // What is on its way stays on its way, the word that one end has hung up as well.
        while is_cut.load(Ordering::Acquire) {
            thread::sleep(LOOK_EVERY);
        }
        if length == 0 || to.write_all(&bytes[..length]).is_err() {
            let _ = to.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}
