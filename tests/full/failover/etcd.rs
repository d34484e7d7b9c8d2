//! Three of etcd: a quorum that outlives one of them.

use std::iter;
use std::path::{Path, PathBuf};

use crate::failover::program::Program;
use testkit::server::free_port;

pub struct Etcd {
    folder: PathBuf,
    /// Each one's port for clients, and for the two others.
    ports: Vec<(u16, u16)>,
    members: Vec<Program>,
}

impl Etcd {
    pub fn start_in(folder: &Path) -> Self {
        let ports = iter::repeat_with(|| (free_port(), free_port())).take(3).collect();
        let mut etcd = Self { folder: folder.to_owned(), ports, members: Vec::new() };
        etcd.members = (0..3).map(|member| etcd.run(member)).collect();
        etcd
    }

    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    pub fn start_again(&mut self, member: usize) {
        self.members[member] = self.run(member);
    }

    /// Where clients find it.
    pub fn hosts(&self) -> String {
        let hosts: Vec<String> = self.ports.iter().map(|(client, _)| format!("127.0.0.1:{client}")).collect();
        hosts.join(",")
    }

    fn run(&self, member: usize) -> Program {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let (client, peer) = self.ports[member];
        let all: Vec<String> =
            (0..3).zip(&self.ports).map(|(it, (_, peer))| format!("etcd{it}={}", url(*peer))).collect();
        let name = format!("etcd{member}");
        let data = self.folder.join(&name);
        Program::start("etcd", false, &data.with_extension("log"), |command| {
            command.args(["--name", &name, "--data-dir"]).arg(&data);
            command.args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)]);
            command.args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
            command.args(["--initial-cluster", &all.join(","), "--log-level", "warn"]);
            // Patient with a machine that runs everything at once.
            command.args(["--heartbeat-interval", "250", "--election-timeout", "2500"]);
        })
    }
}
