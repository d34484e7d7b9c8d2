//! A primary, two standbys, and servers that read from them.

use std::thread;

use testkit::cluster::Cluster;
use testkit::database::TestDatabase;
use testkit::server::Server;
use testkit::standby::{BOARD_READ, Standby};
use testkit::wait::eventually;

pub struct Site {
    pub database: TestDatabase,
    pub standbys: [Standby; 2],
    pub primary: Cluster,
}

impl Site {
    pub fn start() -> Self {
        let primary = Cluster::start();
        let database = primary.database();
        // The standbys copy this setting. The tests count reads in their logs.
        database.execute("ALTER SYSTEM SET log_statement = 'all'");
        database.execute("SELECT pg_reload_conf()");
        let standbys = thread::scope(|scope| {
            let copies = [(), ()].map(|()| scope.spawn(|| Standby::of(&primary)));
            copies.map(|copy| copy.join().expect("a standby"))
        });
        Self { database, standbys, primary }
    }

    /// Starts a server that reads from both standbys, many times a second.
    pub fn server(&self) -> Server {
        let urls = self.standbys.each_ref().map(|it| it.url(&self.primary, &self.database.url)).join(",");
        let server = Server::start(
            &self.database,
            &[
                ("DATABASE_READ_URLS", &urls),
                ("BOARD_REFRESH_MS", "50"),
                ("RUST_LOG", "info,techkraft::request=warn"),
            ],
        );
        for standby in &self.standbys {
            eventually("both standbys are read from", || count(&server, standby, "is in use") == 1);
        }
        server
    }

    /// How often the board was read from the primary.
    pub fn primary_reads(&self) -> usize {
        self.primary.log().matches(BOARD_READ).count()
    }
}

/// How often a server has logged something about a standby.
pub fn count(server: &Server, standby: &Standby, what: &str) -> usize {
    count_of_port(server, standby.cluster.port, what)
}

pub fn count_of_port(server: &Server, port: u16, what: &str) -> usize {
    let logged = server.logged();
    logged.lines().filter(|line| line.contains(&format!(":{port}/")) && line.contains(what)).count()
}

/// Checks that no read of the board ever failed.
pub fn assert_board_was_always_read(server: &Server) {
    let logged = server.logged();
    assert!(!logged.contains("the board cannot be refreshed"), "{logged}");
}
