//! Two PostgreSQL hosts under Patroni, and three etcd members.

use std::process::Command;
use std::time::Duration;
use testkit::wait::within;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};

use crate::failover::authority::Authority;
use crate::failover::etcd::Etcd;
use crate::failover::node::Node;
use testkit::cluster::{Cluster, run};
use testkit::database::TestDatabase;
use testkit::packages;
use testkit::server::Server;

/// A loaded machine may need this long for initdb, for a copy of the data, or to start a Python program.
pub const PROMOTED_WITHIN: Duration = Duration::from_secs(90);

pub struct Patroni {
    pub database: TestDatabase,
    pub nodes: [Node; 2],
    pub etcd: Etcd,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Patroni {
    /// The first node is the primary, the second its synchronous standby.
    pub fn start() -> Self {
        packages::need(
            "patroni:patroni import=idna:python3-idna patronictl:patroni etcd:etcd-server openssl:openssl curl:curl",
        );
        let places = [Cluster::without_data(), Cluster::without_data()];
        let authority = Authority::new();
        for place in &places {
            authority.furnish(&place.folder().join("tls"), place.folder());
        }
        let etcd = Etcd::start_in(places[0].folder());
        let [first, second] = places;
        let mut first = Node::prepared("db1", first, &etcd.hosts());
        let mut second = Node::prepared("db2", second, &etcd.hosts());
        first.start();
        within(PROMOTED_WITHIN, "the first host is the primary", || first.is("primary"));
        let mut connection = first.connect();
        connection.batch_execute("CREATE ROLE techkraft LOGIN PASSWORD 'techkraft'").expect("a role");
        connection.batch_execute("CREATE DATABASE techkraft OWNER techkraft").expect("a database");
        second.start();
        within(PROMOTED_WITHIN, "the second host is its synchronous standby", || second.is("synchronous"));
        let hosts = format!("{},{}", first.host(), second.host());
        let url = format!("postgres://techkraft:techkraft@{hosts}/techkraft?target_session_attrs=read-write");
        Self { database: TestDatabase::on(&url), nodes: [first, second], etcd }
    }

    /// A server whose URL names both nodes.
    pub fn server(&self) -> Server {
        let settings = [("RUST_LOG", "info,techkraft::request=warn"), ("BOARD_REFRESH_MS", "100")];
        Server::start(&self.database, &settings)
    }

    /// Switches over as an operator does before removing a host.
    pub fn switch_over(&self) {
        let [first, second] = &self.nodes;
        let mut command = Command::new("patronictl");
        first.configure(command.arg("-c"));
        run(command.args(["switchover", "--primary", first.name, "--candidate", second.name, "--force"]));
    }

    /// The number of bookings on each node, including the standby.
    pub fn bookings(&self) -> [i64; 2] {
        let [first, second] = self.nodes.each_ref().map(Node::host);
        let both = format!("{first},{second}");
        [first, second].map(|host| {
            let url = self.database.url.replace(&both, &host).replace("=read-write", "=any");
            let mut connection = PgConnection::establish(&url).expect("a connection");
            let counted = diesel::sql_query("SELECT count(*) FROM bookings").get_result(&mut connection);
            counted.map(|it: Count| it.count).expect("a count")
        })
    }
}
