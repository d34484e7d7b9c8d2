//! Session mode works; in a mode that shares connections, the program refuses to start and names the right mode.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use diesel::{Connection as _, PgConnection};
use testkit::cluster::{Cluster, run};
use testkit::packages;
use testkit::rush::order;
use testkit::server::{Server, assert_verified_by, free_port, techkraft};
use testkit::visitor::Visitor;

/// A PgBouncer in front of a cluster.
struct Pooler {
    child: Child,
    url: String,
}

impl Pooler {
    fn start(cluster: &Cluster, mode: &str) -> Self {
        packages::need("pgbouncer:pgbouncer");
        let port = free_port();
        let folder = cluster.folder().join(format!("pgbouncer-{port}"));
        fs::create_dir(&folder).expect("a folder");
        let config = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=techkraft\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\nmax_client_conn = 500\ndefault_pool_size = 60\nquery_wait_timeout = 5\n\
             ignore_startup_parameters = options\nlogfile = {}\n",
            cluster.port,
            folder.join("log").display()
        );
        let file = folder.join("pgbouncer.ini");
        fs::write(&file, config).expect("written");
        let mut command = Command::new("pgbouncer");
        if cluster.is_root() {
            // PgBouncer refuses to run as root. setpriv becomes PgBouncer, so that the child is PgBouncer itself.
            run(Command::new("chown").args(["-R", "postgres"]).arg(&folder));
            command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "pgbouncer"]);
        }
        command.arg("--quiet").arg(&file).env("PATH", packages::path()).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("pgbouncer runs");
        let url = format!("postgres://techkraft@127.0.0.1:{port}/postgres");
        let begun = Instant::now();
        while PgConnection::establish(&url).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{}",
                fs::read_to_string(folder.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, url }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_pooler_that_shares_connections_is_refused_with_the_mode_to_set() {
    let cluster = Cluster::start();
    let database = cluster.database();
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(&cluster, mode);
        // Other clients use the pooler too, so that the program does not always get the same connection.
        let _others: Vec<PgConnection> =
            (0..5).map(|_| PgConnection::establish(&pooler.url).expect("a client")).collect();
        for command in [&[][..], &["migrate"], &["verify"], &["set-admin-password"]] {
            let output = techkraft(&database)
                .env("DATABASE_URL", &pooler.url)
                .args(command)
                .stdin(Stdio::null())
                .output()
                .expect("the binary runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let line: Vec<&str> = said.lines().filter(|line| !line.contains(" WARN ")).collect();
            let line = line.join("\n");
            assert!(!output.status.success() && line.lines().count() == 1, "{mode} {command:?}: {line}");
            assert!(
                line.contains("pooler") && line.contains("pool_mode = session"),
                "{mode} {command:?}: {line}"
            );
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
}

#[test]
fn a_pooler_in_session_mode_sells() {
    let cluster = Cluster::start();
    let pooler = Pooler::start(&cluster, "session");
    let database = cluster.database();
    let server = Server::start(&database, &[("DATABASE_URL", &pooler.url)]);
    // PgBouncer does not accept a search_path, so the concert is in the schema `public`.
    let ids: Vec<Id> = database.rows("SELECT id FROM public.ticket_types ORDER BY position");
    let mut visitor = Visitor::new(server.address);
    for _ in 0..20 {
        assert_eq!(visitor.book(&order(ids[2].id, 1)).expect("an answer").status, 303);
    }
    assert_eq!(database.count("public.bookings"), 20);
    let mut verify = techkraft(&database);
    verify.env("DATABASE_URL", &pooler.url);
    assert_verified_by(verify);
}
