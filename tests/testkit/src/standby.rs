//! A PostgreSQL that follows another one by streaming replication.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::cluster::Cluster;

/// What the board's refresher asks. Pages and bookings ask otherwise.
pub const BOARD_READ: &str = r#"ORDER BY "ticket_types"."position""#;

pub struct Standby {
    pub cluster: Cluster,
}

impl Standby {
    /// A copy of the primary, taken now, that goes on following it.
    pub fn of(primary: &Cluster) -> Self {
        let cluster = Cluster::without_data();
        // Seen once: the primary ended the connection of a copy ("terminating connection due to administrator command").
        // No test stops it so, and reloading its settings does not either; what did is not known. A second copy is as
        // good. Should the primary itself have been stopped, that fails too, and its log tells.
        if let Err(why) = cluster.copy(primary) {
            eprintln!("copying the primary again: {why}");
            cluster
                .copy(primary)
                .unwrap_or_else(|why| panic!("{why}\nThe primary's log:\n{}", primary.log()));
        }
        cluster.start_again();
        Self { cluster }
    }

    /// The URL of the same database here.
    pub fn url(&self, primary: &Cluster, url: &str) -> String {
        url.replace(&format!(":{}/", primary.port), &format!(":{}/", self.cluster.port))
    }

    /// It keeps receiving the primary's changes, but its readers do not see them.
    pub fn pause(&self) {
        self.execute("SELECT pg_wal_replay_pause()");
    }

    pub fn resume(&self) {
        self.execute("SELECT pg_wal_replay_resume()");
    }

    /// How often the board was read from here. The primary's setting `log_statement = 'all'` was copied.
    pub fn reads(&self) -> usize {
        self.cluster.log().matches(BOARD_READ).count()
    }

    fn execute(&self, sql: &str) {
        let url = format!("postgres://techkraft@127.0.0.1:{}/postgres", self.cluster.port);
        PgConnection::establish(&url).expect("a connection").batch_execute(sql).expect(sql);
    }
}
