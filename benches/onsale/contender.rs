//! What is measured: a server with its database, or pgbench.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::Result;
use crate::crowd::Crowd;
use crate::plan::Plan;
use crate::{holds, no_database, pgbench, postgres, unbatched};
use testkit::bench::database::SaleDatabase;
use testkit::bench::form::Form;
use testkit::bench::machine::{Usage, resident_mib};
use testkit::bench::server::BenchServer;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    PostgresBatched,
    SqliteBatched,
    PostgresWithoutMail,
    SqliteWithoutMail,
    PostgresTwoLines,
    SqliteTwoLines,
    PostgresHolds,
    SqliteHolds,
    NoDatabase,
    PostgresUnbatched,
    SqliteUnbatched,
    Pgbench,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::PostgresBatched => "PostgreSQL",
            Self::SqliteBatched => "SQLite",
            Self::PostgresWithoutMail => "PostgreSQL, no outbox",
            Self::SqliteWithoutMail => "SQLite, no outbox",
            Self::PostgresTwoLines => "PostgreSQL, two lines",
            Self::SqliteTwoLines => "SQLite, two lines",
            Self::PostgresHolds => "PostgreSQL, holds",
            Self::SqliteHolds => "SQLite, holds",
            Self::NoDatabase => "no database",
            Self::PostgresUnbatched => "PostgreSQL, unbatched",
            Self::SqliteUnbatched => "SQLite, unbatched",
            Self::Pgbench => "pgbench",
        }
    }
}

/// The results of one round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    pub bookings_per_second: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub errors: u64,
    pub server_cores: f64,
    /// Processor cores that the PostgreSQL cluster's processes used.
    pub postgres_cores: f64,
    /// Processor cores that the load generator used, which shares the machine.
    pub load_cores: f64,
    pub server_rss_mib: f64,
    /// Whether all counts added up afterward. `None` for a server that stores no bookings.
    pub verify: Option<bool>,
}

pub struct Contender {
    pub kind: Kind,
    database: SaleDatabase,
    /// `None` for pgbench.
    server: Option<BenchServer>,
    postmaster: u32,
}

/// All contenders, with seeded databases and running servers. Idle servers cost nothing.
pub fn all(folder: &Path, cluster: &postgres::BenchCluster) -> Result<Vec<Contender>> {
    let sqlite = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let kinds = [
        (Kind::PostgresBatched, cluster.create_database("batched")?),
        (Kind::PostgresWithoutMail, cluster.create_database("without_mail")?),
        (Kind::SqliteBatched, sqlite("batched.db")),
        (Kind::SqliteWithoutMail, sqlite("without_mail.db")),
        (Kind::PostgresTwoLines, cluster.create_database("two_lines")?),
        (Kind::SqliteTwoLines, sqlite("two_lines.db")),
        (Kind::PostgresHolds, cluster.create_database("holds")?),
        (Kind::SqliteHolds, sqlite("holds.db")),
        // On SQLite, because there the remaining reads cost least.
        (Kind::NoDatabase, sqlite("no_database.db")),
        (Kind::PostgresUnbatched, cluster.create_database("unbatched")?),
        (Kind::SqliteUnbatched, sqlite("unbatched.db")),
        (Kind::Pgbench, cluster.create_database("pgbench")?),
    ];
    let open = |(kind, url): (Kind, String)| {
        let database = SaleDatabase::prepare(&url, folder)?;
        if matches!(kind, Kind::PostgresWithoutMail | Kind::SqliteWithoutMail) {
            database.drop_confirmations()?;
        }
        let server = match kind {
            Kind::Pgbench => None,
            Kind::NoDatabase => Some(BenchServer::start_own(&url, folder, no_database::ARGUMENT)?),
            Kind::PostgresHolds | Kind::SqliteHolds => {
                Some(BenchServer::start_own(&url, folder, holds::ARGUMENT)?)
            }
            Kind::PostgresUnbatched | Kind::SqliteUnbatched => {
                Some(BenchServer::start_own(&url, folder, unbatched::ARGUMENT)?)
            }
            _ => Some(BenchServer::start(&url, folder, &[])?),
        };
        Ok(Contender { kind, database, server, postmaster: cluster.postmaster })
    };
    kinds.into_iter().map(open).collect()
}

impl Contender {
    /// One round on an empty sale; all counts are verified afterward.
    pub fn measure(&mut self, connections: usize, plan: &Plan) -> Result<Round> {
        self.database.begin_sale()?;
        let Some(server) = &self.server else {
            return pgbench::measure(&self.database, connections, plan, self.postmaster);
        };
        let mut crowd = Crowd::arrive(server.address, connections, self.form(server.address))?;
        crowd.press(plan.warm_up)?;
        let servers = [server.pid()];
        let (begun, before) = (Instant::now(), Usage::of(&servers, self.postmaster)?);
        let mut answers = crowd.press(plan.measured)?;
        let (seconds, used) =
            (begun.elapsed().as_secs_f64(), Usage::of(&servers, self.postmaster)?.since(&before));
        let server_rss_mib = resident_mib(server.pid())?;
        let all = crowd.leave()?;
        if matches!(self.kind, Kind::PostgresWithoutMail | Kind::SqliteWithoutMail) {
            self.database.confirm()?;
        }
        let verify = match self.kind {
            Kind::NoDatabase => None,
            _ => Some(self.database.is_true(all.confirmed, all.errors)?),
        };
        self.database.end_sale()?;
        let latencies = &mut answers.latencies_us;
        latencies.sort_unstable();
        Ok(Round {
            bookings_per_second: latencies.len() as f64 / seconds,
            p50_ms: percentile_ms(latencies, 0.50),
            p95_ms: percentile_ms(latencies, 0.95),
            p99_ms: percentile_ms(latencies, 0.99),
            errors: all.errors,
            server_cores: used.server_seconds / seconds,
            postgres_cores: used.postgres_seconds / seconds,
            load_cores: used.own_seconds / seconds,
            server_rss_mib,
            verify,
        })
    }

    /// The form that all buyers send.
    fn form(&self, server: SocketAddr) -> Form {
        let SaleDatabase { ticket_type_id, other_ticket_type_id, .. } = self.database;
        match self.kind {
            Kind::PostgresTwoLines | Kind::SqliteTwoLines => {
                Form::of_two_types([ticket_type_id, other_ticket_type_id], server)
            }
            _ => Form::new(ticket_type_id, server),
        }
    }
}

/// A percentile in milliseconds, from sorted microseconds.
pub fn percentile_ms(sorted_us: &[u32], share: f64) -> f64 {
    let index = (sorted_us.len() as f64 * share) as usize;
    sorted_us.get(index.min(sorted_us.len().saturating_sub(1))).map_or(f64::NAN, |us| f64::from(*us) / 1000.0)
}
