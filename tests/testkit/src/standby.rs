//! A PostgreSQL that follows another one by streaming replication.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::cluster::{Cluster, run};

/// What the board's refresher asks. Pages and bookings ask otherwise.
pub const BOARD_READ: &str = r#"ORDER BY "ticket_types"."position""#;

pub struct Standby {
    pub cluster: Cluster,
}

impl Standby {
    /// A copy of the primary, taken now, that goes on following it.
    pub fn of(primary: &Cluster) -> Self {
        let cluster = Cluster::without_data();
        let port = primary.port.to_string();
        run(cluster
            .command("pg_basebackup")
            .args(["-h", "127.0.0.1", "-U", "techkraft", "-p", &port, "-D"])
            .arg(cluster.data())
            .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]));
        cluster.start_again();
        Self { cluster }
    }

    /// The URL of the same database here.
    pub fn url(&self, primary: &Cluster, url: &str) -> String {
        url.replace(&format!(":{}/", primary.port), &format!(":{}/", self.cluster.port))
    }

    /// It goes on receiving what the primary does, and its readers see nothing of it.
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
