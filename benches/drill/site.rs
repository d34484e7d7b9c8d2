//! The site of the drill: servers on one port, a PostgreSQL primary and its synchronous standby.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use testkit::cluster::{Cluster, run};
use testkit::database::TestDatabase;
use testkit::server::{Server, free_port, techkraft};
use testkit::standby::Standby;

pub struct Site {
    pub primary: Cluster,
    pub standby: Standby,
    pub database: TestDatabase,
    pub address: SocketAddr,
    /// The oldest first.
    servers: VecDeque<Server>,
}

impl Site {
    pub fn open() -> Self {
        let primary = Cluster::start();
        let mut database = primary.database();
        let standby = Standby::of(&primary);
        let admin = format!("postgres://techkraft@127.0.0.1:{}/postgres", primary.port);
        for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            PgConnection::establish(&admin).expect("a connection").batch_execute(sql).expect(sql);
        }
        let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port, standby.cluster.port);
        let one = format!("127.0.0.1:{}", primary.port);
        // libpq tries both hosts and uses the one that accepts writes.
        database.url = format!(
            "{}&target_session_attrs=read-write&connect_timeout=2",
            database.url.replace(&one, &hosts)
        );
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut site = Self { primary, standby, database, address, servers: VecDeque::new() };
        site.start_server();
        site.start_server();
        site
    }

    pub fn start_server(&mut self) {
        let mut server =
            Server::prepared(&self.database, &[("REUSE_PORT", "true"), ("DATABASE_POOL_SIZE", "8")]);
        server.listen_on(self.address);
        server.start_again();
        server.wait_until_it_listens();
        self.servers.push_back(server);
    }

    /// Starts a new server, then stops the oldest.
    pub fn replace_server(&mut self) {
        self.start_server();
        self.stop_server();
    }

    pub fn stop_server(&mut self) {
        if let Some(mut oldest) = self.servers.pop_front() {
            oldest.stop();
        }
    }

    pub fn stop_all(&mut self) {
        while !self.servers.is_empty() {
            self.stop_server();
        }
    }

    /// Kills a server with `kill -9`, and starts another after a second, as systemd would.
    pub fn kill_server(&mut self) {
        if let Some(mut oldest) = self.servers.pop_front() {
            oldest.kill();
        }
        thread::sleep(Duration::from_secs(1));
        self.start_server();
    }

    /// Kills the primary with `kill -9`. The standby is promoted after the delay, which is the time to notice the
    /// failure and to decide. Returns how long the promotion took.
    pub fn fail_over(&self, noticed_after: Duration) -> Duration {
        let pid = std::fs::read_to_string(self.primary.data().join("postmaster.pid")).expect("it runs");
        run(Command::new("kill").args(["-9", pid.lines().next().expect("its first line")]));
        thread::sleep(noticed_after);
        let begun = Instant::now();
        let standby = &self.standby.cluster;
        run(standby.command("pg_ctl").arg("-D").arg(standby.data()).args(["-w", "promote"]));
        begun.elapsed()
    }

    /// Runs a command of the binary; returns its output.
    pub fn command(&self, words: &[&str], path: &Path) -> String {
        let output = techkraft(&self.database).args(words).arg(path).output().expect("it runs");
        let said =
            [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned()).concat();
        assert!(output.status.success(), "{words:?}: {said}");
        said
    }
}
