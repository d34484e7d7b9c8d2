//! HAProxy with the shipped configuration, but its own ports and folder.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use testkit::server::free_port;
use testkit::{guard, packages};

const SHIPPED: &str = "deploy/haproxy/haproxy.cfg";

pub struct Balancer {
    pub address: SocketAddr,
    pub socket: PathBuf,
    guard: Child,
}

impl Balancer {
    /// Starts HAProxy for these places, named as in the configuration. When it ends, so do the processes whose ids
    /// are in the folder's `*.pid` files.
    pub fn start(folder: &Path, places: &[(&str, SocketAddr)]) -> Self {
        Self::start_logging(folder, places, None)
    }

    /// Like [`Balancer::start`], but sends the log to an address.
    pub fn start_logging(folder: &Path, places: &[(&str, SocketAddr)], log: Option<SocketAddr>) -> Self {
        packages::need("haproxy:haproxy socat:socat curl:curl python3:python3");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let socket = folder.join("haproxy.sock");
        let mut text = fs::read_to_string(SHIPPED).expect(SHIPPED);
        let mut replace = |shipped: &str, tested: &str, times| {
            assert_eq!(text.matches(shipped).count(), times, "{shipped} in {SHIPPED}");
            text = text.replace(shipped, tested);
        };
        replace("bind :80\n", &format!("bind {address}\n"), 1);
        replace("/run/haproxy/admin.sock", &socket.display().to_string(), 1);
        replace("/var/lib/haproxy/", &format!("{}/", folder.display()), 1);
        if let Some(log) = log {
            replace("log /dev/log local0", &format!("log {log} local0"), 1);
        }
        // A busy test machine may starve a server that is well.
        replace("timeout check 1s", "timeout check 3s", 1);
        // A test machine does not have file descriptors for more connections.
        replace("maxconn 60000", "maxconn 2000", 1);
        // The tests may run as a user that cannot become another user.
        replace("    user haproxy\n    group haproxy\n", "", 1);
        for (place, at) in places {
            let (host, color) = place.split_once('-').expect("a host and a color");
            let number = host.trim_start_matches("web");
            let port = if color == "blue" { 3001 } else { 3002 };
            replace(&format!("server {place} 10.0.0.{number}:{port}"), &format!("server {place} {at}"), 2);
        }
        fs::write(folder.join("haproxy.cfg"), text).expect("written");
        let balancer = Self { address, socket, guard: guard(folder) };
        let begun = Instant::now();
        // The command socket appears only after the port is open.
        while TcpStream::connect(address).is_err() || UnixStream::connect(&balancer.socket).is_err() {
            let log = fs::read_to_string(folder.join("haproxy.txt")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "haproxy does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        balancer
    }

    /// Sends a command and returns the answer.
    pub fn ask(&self, command: &str) -> String {
        let mut socket = UnixStream::connect(&self.socket).expect("haproxy runs");
        writeln!(socket, "{command}").expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Whether HAProxy regards a place as up.
    pub fn is_up(&self, place: &str) -> bool {
        let states = self.ask("show servers state techkraft");
        let line = states.lines().find(|line| line.split(' ').nth(3) == Some(place)).expect(place);
        line.split(' ').nth(5) == Some("2")
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A shell that runs HAProxy until this process has ended.
fn guard(folder: &Path) -> Child {
    let script = r#"haproxy -W -f "$0/haproxy.cfg" >"$0/haproxy.txt" 2>&1 <&- & cat; kill $!
        for pid in "$0"/*.pid; do kill -KILL "$(cat "$pid")" 2>/dev/null; done; wait"#;
    guard::shell(script, folder).env("PATH", packages::path()).spawn().expect("a shell")
}
