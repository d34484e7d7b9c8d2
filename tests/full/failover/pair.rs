//! A primary and its synchronous standby, and a server whose URL names both.

use std::time::{Duration, Instant};
use testkit::wait::eventually;

use testkit::cluster::{Cluster, run};
use testkit::database::TestDatabase;
use testkit::rush::Rush;
use testkit::server::Server;
use testkit::standby::Standby;
use testkit::visitor::{Answer, Visitor};

pub struct Pair {
    pub database: TestDatabase,
    pub standby: Standby,
    pub primary: Cluster,
}

impl Pair {
    pub fn start() -> Self {
        let primary = Cluster::start();
        let database = primary.database();
        let standby = Standby::of(&primary);
        // From now on a commit waits until the standby has it.
        database.execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
        database.execute("SELECT pg_reload_conf()");
        Self { database, standby, primary }
    }

    /// A server whose URL names both, the primary first.
    pub fn server(&self) -> Server {
        let both = format!(":{},127.0.0.1:{}/", self.primary.port, self.standby.cluster.port);
        let url = self.database.url.replace(&format!(":{}/", self.primary.port), &both);
        Server::start(
            &self.database,
            &[
                ("DATABASE_URL", &url),
                ("RUST_LOG", "info,techkraft::request=warn"),
                ("BOARD_REFRESH_MS", "100"),
            ],
        )
    }

    /// Promotes the standby, and returns the time from which it takes writes. The tests' own queries go there from
    /// now on.
    pub fn promote(&mut self) -> Instant {
        let standby = &self.standby.cluster;
        run(standby.command("pg_ctl").arg("-D").arg(standby.data()).args(["-w", "promote"]));
        let taken_at = Instant::now();
        self.database.url = self.standby.url(&self.primary, &self.database.url);
        // There is no standby any more that could confirm its commits.
        self.database.execute("ALTER SYSTEM RESET synchronous_standby_names");
        self.database.execute("SELECT pg_reload_conf()");
        taken_at
    }
}

/// Waits for the first confirmed booking after the first `before` ones; returns how long after `moment` it came.
pub fn first_confirmation_after(rush: &Rush, moment: Instant, before: usize) -> Duration {
    let confirmed = || rush.ledger.lock().expect("a lock").confirmed.get(before).map(|it| it.at);
    eventually("somebody books again", || confirmed().is_some());
    confirmed().expect("it was there").saturating_duration_since(moment)
}

pub fn confirmations(rush: &Rush) -> usize {
    rush.ledger.lock().expect("a lock").confirmed.len()
}

pub fn readiness(server: &Server) -> Answer {
    Visitor::new(server.address).get("/readyz").expect("an answer")
}
