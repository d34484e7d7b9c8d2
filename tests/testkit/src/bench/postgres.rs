//! A PostgreSQL for only this run, as durable as in production.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::bench::Result;

/// The script runs until its standard input is closed. So the cluster is removed at the end, after an error, and even
/// when this process is killed.
const SCRIPT: &str = "
    set -euo pipefail
    source scripts/lib/packages.sh
    source scripts/lib/postgres.sh
    need_packages pg_ctl:postgresql pgbench:postgresql
    trap stop_postgres EXIT
    start_postgres
    echo \"postmaster $(head -n 1 \"$POSTGRES_FOLDER/data/postmaster.pid\")\"
    echo \"$POSTGRES_URL\"
    read -r _ || true";

pub struct BenchCluster {
    pub postmaster: u32,
    url: String,
    shell: Child,
}

impl BenchCluster {
    pub fn start() -> Result<Self> {
        let mut shell = Command::new("bash")
            .args(["-c", SCRIPT])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = BufReader::new(shell.stdout.take().ok_or("bash has no output")?);
        let mut cluster = Self { postmaster: 0, url: String::new(), shell };
        for line in output.lines() {
            let line = line?;
            if let Some(pid) = line.strip_prefix("postmaster ") {
                cluster.postmaster = pid.trim().parse()?;
            } else if line.starts_with("postgres://") {
                cluster.url = line;
                return Ok(cluster);
            }
        }
        Err("PostgreSQL did not start".into())
    }

    /// Creates a database and returns its URL.
    pub fn create_database(&self, name: &str) -> Result<String> {
        PgConnection::establish(&self.url)?.batch_execute(&format!("CREATE DATABASE {name}"))?;
        let server = self.url.rsplit_once('/').map_or(self.url.as_str(), |(server, _)| server);
        Ok(format!("{server}/{name}"))
    }
}

impl Drop for BenchCluster {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        drop(self.shell.wait());
    }
}
