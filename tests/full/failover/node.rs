//! A PostgreSQL host under Patroni, set up with the same files that operators copy (`deploy/patroni`).

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use diesel::sql_types::{Bool, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};

use crate::failover::program::Program;
use testkit::cluster::{Cluster, signal};
use testkit::server::free_port;

const CONFIG: &str = "deploy/patroni/config.yml";
const ENVIRONMENT: &str = "deploy/patroni/patroni_env.conf";

pub struct Node {
    /// Declared before `postgres` so that it is dropped first: Patroni would start PostgreSQL again.
    patroni: Option<Program>,
    pub postgres: Cluster,
    pub name: &'static str,
    rest: SocketAddr,
    environment: Vec<(String, String)>,
}

#[derive(QueryableByName)]
struct IsStandby {
    #[diesel(sql_type = Bool)]
    is_standby: bool,
}

#[derive(QueryableByName)]
struct Sender {
    #[diesel(sql_type = Text)]
    pid: String,
}

impl Node {
    /// A node that is not started yet. Its certificates are in `tls` of its folder.
    pub fn prepared(name: &'static str, postgres: Cluster, etcd: &str) -> Self {
        let rest = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut node = Self { patroni: None, postgres, name, rest, environment: Vec::new() };
        node.environment = node.environment(etcd);
        let folder = node.postgres.folder().display().to_string();
        let mut text = fs::read_to_string(CONFIG).expect(CONFIG);
        // The tests and the servers connect without TLS, because the default build has none. `tls` tests TLS to
        // PostgreSQL.
        let certified = "hostssl all postgres 10.0.0.0/28 scram-sha-256 clientcert=verify-ca";
        for (shipped, tested, times) in [
            (certified, "host all postgres 10.0.0.0/28 scram-sha-256", 1),
            ("hostssl techkraft techkraft ", "host techkraft techkraft ", 1),
            ("10.0.0.0/24", "127.0.0.1/32", 1),
            ("10.0.0.0/28", "127.0.0.1/32", 4),
            ("/etc/techkraft-tls", &format!("{folder}/tls"), 3),
            ("/var/run/postgresql", &folder, 1),
        ] {
            assert_eq!(text.matches(shipped).count(), times, "{shipped} in {CONFIG}");
            text = text.replace(shipped, tested);
        }
        fs::write(node.postgres.folder().join("config.yml"), text).expect("written");
        node
    }

    /// The shipped environment, with this node's paths, addresses and passwords.
    fn environment(&self, etcd: &str) -> Vec<(String, String)> {
        let folder = self.postgres.folder();
        let mut places = vec![
            ("PATRONI_NAME", self.name.to_owned()),
            ("PATRONI_RESTAPI_LISTEN", self.rest.to_string()),
            ("PATRONI_RESTAPI_CONNECT_ADDRESS", self.rest.to_string()),
            ("PATRONI_POSTGRESQL_LISTEN", self.host()),
            ("PATRONI_POSTGRESQL_CONNECT_ADDRESS", self.host()),
            ("PATRONI_ETCD3_HOSTS", etcd.to_owned()),
            ("PATRONI_POSTGRESQL_DATA_DIR", self.postgres.data().display().to_string()),
            ("PATRONI_POSTGRESQL_BIN_DIR", self.postgres.programs.display().to_string()),
            ("PATRONI_POSTGRESQL_PGPASS", folder.join("pgpass").display().to_string()),
        ];
        let tls = folder.join("tls").display().to_string();
        let shipped = fs::read_to_string(ENVIRONMENT).expect(ENVIRONMENT);
        let lines =
            shipped.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.contains('#'));
        let environment = lines
            .map(|(name, value)| {
                let place = places.iter().position(|(it, _)| *it == name).map(|at| places.swap_remove(at).1);
                // The shipped file leaves passwords empty.
                let shipped =
                    if name.ends_with("_PASSWORD") { format!("made-for-{name}") } else { value.to_owned() };
                (name.to_owned(), place.unwrap_or_else(|| shipped.replace("/etc/techkraft-tls", &tls)))
            })
            .collect();
        assert!(places.is_empty(), "{places:?} in {ENVIRONMENT}");
        environment
    }

    pub fn start(&mut self) {
        let log = self.postgres.folder().join("patroni.log");
        let program =
            Program::start("patroni", self.postgres.is_root(), &log, |command| self.configure(command));
        self.patroni = Some(program);
    }

    /// Gives a command the configuration's path and the environment.
    pub fn configure(&self, command: &mut Command) {
        let folder = self.postgres.folder();
        command.arg(folder.join("config.yml")).envs(self.environment.iter().cloned());
        command.env("HOME", folder).current_dir(folder);
    }

    /// Stops streaming to the standby: commits from now on exist only here.
    pub fn stop_sending(&self) {
        let question = diesel::sql_query("SELECT pid::text AS pid FROM pg_stat_replication");
        let senders: Vec<Sender> = question.load(&mut self.connect()).expect("an answer");
        assert_eq!(senders.len(), 1, "one standby");
        signal("STOP", &senders.into_iter().map(|it| it.pid).collect::<Vec<_>>());
    }

    /// Kills Patroni and then PostgreSQL, as if the machine were gone. Patroni dies first so that it cannot react.
    pub fn kill(&mut self) {
        self.patroni.take().expect("it runs").kill();
        self.postgres.kill();
    }

    /// Whether Patroni reports that this node has a role, such as "primary" or "synchronous".
    pub fn is(&self, role: &str) -> bool {
        let tls = self.postgres.folder().join("tls/ca.crt");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--output", "/dev/null", "--max-time", "5", "--cacert"]).arg(tls);
        curl.arg(format!("https://{}/{role}", self.rest)).status().is_ok_and(|status| status.success())
    }

    /// Waits until the node is promoted; returns the time of the last check at which it was still a standby.
    pub fn promoted_at(&self, longest: Duration) -> Instant {
        let begun = Instant::now();
        let mut connection = self.connect();
        let mut is_standby = || {
            let question = diesel::sql_query("SELECT pg_is_in_recovery() AS is_standby");
            let answer: IsStandby = question.get_result(&mut connection).expect("an answer");
            answer.is_standby
        };
        let mut asked_at = Instant::now();
        while is_standby() {
            assert!(begun.elapsed() < longest, "nobody is promoted");
            thread::sleep(Duration::from_millis(10));
            asked_at = Instant::now();
        }
        asked_at
    }

    /// The address of its PostgreSQL.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.postgres.port)
    }

    /// A connection as the superuser `postgres`.
    pub fn connect(&self) -> PgConnection {
        let password = self.environment.iter().find(|(name, _)| name == "PATRONI_SUPERUSER_PASSWORD");
        let (_, password) = password.expect("it was shipped");
        PgConnection::establish(&format!("postgres://postgres:{password}@{}/postgres", self.host()))
            .expect("a connection")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}: {}", self.name, end_of(&self.postgres.folder().join("patroni.log")));
        }
    }
}

fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
