//! A primary, two standbys, and servers that read from them.

use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::database::TestDatabase;
use crate::server::Server;
use crate::standby::Standby;

/// What the board's refresher asks; pages and bookings ask otherwise.
const BOARD_READ: &str = r#"ORDER BY "ticket_types"."position""#;

/// Long enough for any replica to be left out or taken back on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Site {
    pub database: TestDatabase,
    pub standbys: [Standby; 2],
    pub primary: Cluster,
}

impl Site {
    pub fn start() -> Self {
        let primary = Cluster::start();
        let database = primary.database();
        // Copied to the standbys: by their logs, reads are counted.
        database.execute("ALTER SYSTEM SET log_statement = 'all'");
        database.execute("SELECT pg_reload_conf()");
        let standbys = thread::scope(|scope| {
            let copies = [(), ()].map(|()| scope.spawn(|| Standby::of(&primary)));
            copies.map(|copy| copy.join().expect("a standby"))
        });
        Self { database, standbys, primary }
    }

    /// A server that reads from both standbys, many times a second.
    pub fn server(&self) -> Server {
        let urls = self.standbys.each_ref().map(|it| it.url(&self.primary, &self.database.url)).join(",");
        let server = Server::start(
            &self.database,
            &[
                ("DATABASE_READ_URLS", &urls),
                ("REPLICA_MAX_LAG_MS", "1000"),
                ("BOARD_REFRESH_MS", "50"),
                ("RUST_LOG", "info,techkraft::request=warn"),
            ],
        );
        for standby in &self.standbys {
            eventually("both standbys are read from", || count(&server, standby, "is read from") == 1);
        }
        server
    }

    /// How often the board was read from the primary.
    pub fn primary_reads(&self) -> usize {
        self.primary.log().matches(BOARD_READ).count()
    }
}

impl Standby {
    /// How often the board was read from here.
    pub fn reads(&self) -> usize {
        self.cluster.log().matches(BOARD_READ).count()
    }
}

/// How often a server has said something of a standby.
pub fn count(server: &Server, standby: &Standby, what: &str) -> usize {
    count_of_port(server, standby.cluster.port, what)
}

pub fn count_of_port(server: &Server, port: u16, what: &str) -> usize {
    let logged = server.logged();
    logged.lines().filter(|line| line.contains(&format!(":{port}/")) && line.contains(what)).count()
}

/// Every reading of the board found somebody to answer it, at once.
pub fn assert_board_was_always_read(server: &Server) {
    let logged = server.logged();
    assert!(!logged.contains("the board shows what it knows"), "{logged}");
}

pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
    println!("{:>6} ms: {what}", begun.elapsed().as_millis());
}
