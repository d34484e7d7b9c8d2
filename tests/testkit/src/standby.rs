//! A PostgreSQL that follows another one by streaming replication.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::cluster::Cluster;

/// Part of the query that refreshes the board. Pages and bookings use other queries.
pub const BOARD_READ: &str = r#"ORDER BY "ticket_types"."position""#;

pub struct Standby {
    pub cluster: Cluster,
}

impl Standby {
    /// A new copy of the primary that follows it from now on.
    pub fn of(primary: &Cluster) -> Self {
        let cluster = Cluster::without_data();
        // Seen once: the primary ended the connection of a copy ("terminating connection due to administrator
        // command"). The reason is unknown: no test stops the primary in this way, and reloading its settings does
        // not do it. So this copies a second time. If the primary itself was stopped, the second copy fails too, and
        // the error contains its log.
        if let Err(why) = cluster.copy(primary) {
            eprintln!("copying the primary again: {why}");
            cluster
                .copy(primary)
                .unwrap_or_else(|why| panic!("{why}\nThe primary's log:\n{}", primary.log()));
        }
        cluster.start_again();
        Self { cluster }
    }

    /// The URL of the same database on this standby.
    pub fn url(&self, primary: &Cluster, url: &str) -> String {
        url.replace(&format!(":{}/", primary.port), &format!(":{}/", self.cluster.port))
    }

    /// From now on the standby still receives the primary's changes, but its readers do not see them.
    pub fn pause(&self) {
        self.execute("SELECT pg_wal_replay_pause()");
    }

    pub fn resume(&self) {
        self.execute("SELECT pg_wal_replay_resume()");
    }

    /// How often the board was read from this standby. The primary must log all statements; the standby copies that
    /// setting.
    pub fn reads(&self) -> usize {
        self.cluster.log().matches(BOARD_READ).count()
    }

    fn execute(&self, sql: &str) {
        let url = format!("postgres://techkraft@127.0.0.1:{}/postgres", self.cluster.port);
        PgConnection::establish(&url).expect("a connection").batch_execute(sql).expect(sql);
    }
}
