//! Three etcd members, so that a quorum is left when one of them is lost. They use the same file that operators copy
//! (`deploy/etcd`).

use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use crate::failover::program::Program;
use testkit::server::free_port;

const SHIPPED: &str = "deploy/etcd/default";

pub struct Etcd {
    folder: PathBuf,
    /// Each member's port for clients, and its port for the other members.
    ports: Vec<(u16, u16)>,
    members: Vec<Program>,
}

impl Etcd {
    /// Starts three members in a folder, with the certificates in its `tls`.
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

    /// The addresses for clients, separated by commas.
    pub fn hosts(&self) -> String {
        let hosts: Vec<String> = self.ports.iter().map(|(client, _)| format!("127.0.0.1:{client}")).collect();
        hosts.join(",")
    }

    fn run(&self, member: usize) -> Program {
        let url = |port: u16| format!("https://127.0.0.1:{port}");
        let (client, peer) = self.ports[member];
        let all: Vec<String> =
            (0..3).zip(&self.ports).map(|(it, (_, peer))| format!("etcd{it}={}", url(*peer))).collect();
        let name = format!("etcd{member}");
        let data = self.folder.join(&name);
        let mut places = vec![
            ("ETCD_NAME", name.clone()),
            ("ETCD_DATA_DIR", data.display().to_string()),
            ("ETCD_LISTEN_CLIENT_URLS", url(client)),
            ("ETCD_ADVERTISE_CLIENT_URLS", url(client)),
            ("ETCD_LISTEN_PEER_URLS", url(peer)),
            ("ETCD_INITIAL_ADVERTISE_PEER_URLS", url(peer)),
            ("ETCD_INITIAL_CLUSTER", all.join(",")),
        ];
        let tls = self.folder.join("tls").display().to_string();
        let text = fs::read_to_string(SHIPPED).expect(SHIPPED);
        let lines =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        let environment: Vec<(String, String)> = lines
            .map(|(name, value)| {
                let place = places.iter().position(|(it, _)| *it == name).map(|at| places.swap_remove(at).1);
                (name.to_owned(), place.unwrap_or_else(|| value.replace("/etc/techkraft-tls", &tls)))
            })
            .collect();
        assert!(places.is_empty(), "{places:?} in {SHIPPED}");
        Program::start("etcd", false, &data.with_extension("log"), |command| {
            command.envs(environment).args(["--log-level", "warn"]);
            // Long enough for a busy machine that runs everything at once.
            command.args(["--heartbeat-interval", "250", "--election-timeout", "2500"]);
        })
    }
}
