//! A PostgreSQL that follows another one by streaming replication.

use std::fs;
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::cluster::{Cluster, run};

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

    /// None of its processes runs until this is dropped; its connections stay open, and new ones are taken
    /// by the kernel.
    pub fn freeze(&self) -> Frozen {
        let pid = fs::read_to_string(self.cluster.data().join("postmaster.pid")).expect("it runs");
        let postmaster = pid.lines().next().expect("its first line").to_owned();
        // The postmaster first: it must not make new ones.
        signal("STOP", std::slice::from_ref(&postmaster));
        let mut processes = children(&postmaster);
        signal("STOP", &processes);
        processes.push(postmaster);
        Frozen { processes }
    }

    fn execute(&self, sql: &str) {
        let url = format!("postgres://techkraft@127.0.0.1:{}/postgres", self.cluster.port);
        PgConnection::establish(&url).expect("a connection").batch_execute(sql).expect(sql);
    }
}

pub struct Frozen {
    processes: Vec<String>,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("CONT", &self.processes);
    }
}

fn signal(name: &str, processes: &[String]) {
    let mut command = Command::new("sh");
    run(command.args(["-c", r#"kill -s "$0" "$@""#, name]).args(processes));
}

fn children(parent: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux").flatten();
    let is_child = |process: &String| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The parent comes second after the name, which may hold anything.
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(parent)
    };
    processes.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(is_child).collect()
}
