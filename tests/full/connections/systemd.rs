//! The server's notifications to systemd.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use testkit::blockade::Transaction;
use testkit::database::TestDatabase;
use testkit::rush::order;
use testkit::server::Server;
use testkit::visitor::Visitor;

struct Systemd {
    socket: UnixDatagram,
    path: String,
}

impl Systemd {
    fn beside(database: &TestDatabase) -> Self {
        let path = database.folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
        Self { socket, path: path.to_string_lossy().into_owned() }
    }

    fn hears(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let mut bytes = [0; 1024];
            let length = self.socket.recv(&mut bytes).unwrap_or_else(|e| panic!("never {words:?}: {e}"));
            if String::from_utf8_lossy(&bytes[..length]).lines().any(|line| line == words) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "never {words:?}");
        }
    }
}

#[test]
fn systemd_hears_that_it_is_ready_alive_and_stopping() {
    let database = TestDatabase::create();
    let systemd = Systemd::beside(&database);
    let mut server =
        Server::prepared(&database, &[("NOTIFY_SOCKET", &systemd.path), ("WATCHDOG_USEC", "600000")]);
    server.start_again();
    systemd.hears("READY=1");
    assert!(Visitor::new(server.address).get("/healthz").is_ok_and(|answer| answer.status == 200));
    for _ in 0..3 {
        systemd.hears("WATCHDOG=1");
    }
    // A desk that waits for its database is not stuck: a restart would not help.
    let rush = testkit::rush::tier_ids(&database);
    let blockade = Transaction::blocking_writes(&database);
    Visitor::new(server.address).send_order(&order(rush[0], 1)).expect("sent");
    std::thread::sleep(Duration::from_secs(1));
    systemd.hears("WATCHDOG=1");
    blockade.end("ROLLBACK");
    server.signal("-TERM");
    systemd.hears("STOPPING=1");
    assert!(server.wait_until_it_ends().success());
}
