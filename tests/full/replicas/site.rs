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
            eventually("both standbys are read from", || is_in_use(&server, standby));
        }
        server
    }

    /// How often the board was read from the primary.
    pub fn primary_reads(&self) -> usize {
        self.primary.log().matches(BOARD_READ).count()
    }
}

/// Whether a server reads from a standby now, according to its log.
pub fn is_in_use(server: &Server, standby: &Standby) -> bool {
    uses(server, standby).last() == Some(&true)
}

/// Whether a server read from a standby, after each of the changes that it has logged. On a busy machine a standby that
/// is well may be left out for a while, too.
pub fn uses(server: &Server, standby: &Standby) -> Vec<bool> {
    let (logged, place) = (server.logged(), format!(":{}/", standby.cluster.port));
    let lines = logged.lines().filter(|line| line.contains(&place));
    let changes = lines.filter(|line| line.contains("is left out") || line.contains("is in use"));
    changes.map(|line| line.contains("is in use")).collect()
}

/// How often a server has logged something about a standby at this port.
pub fn count_of_port(server: &Server, port: u16, what: &str) -> usize {
    let logged = server.logged();
    logged.lines().filter(|line| line.contains(&format!(":{port}/")) && line.contains(what)).count()
}

/// Checks that no read of the board ever failed.
pub fn assert_board_was_always_read(server: &Server) {
    let logged = server.logged();
    assert!(!logged.contains("the board cannot be refreshed"), "{logged}");
}
