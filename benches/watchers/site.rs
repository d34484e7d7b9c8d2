//! The server under load. If one process may not hold all connections, several processes share the port.

use std::net::SocketAddr;
use std::path::Path;

use crate::Result;
use testkit::bench::machine::resident_mib;
use testkit::bench::server::BenchServer;
use testkit::server::free_port;

/// How many descriptors a server needs besides those of its watchers: for buyers, the database and files.
const RESERVE: usize = 700;

pub struct Site {
    pub address: SocketAddr,
    pub servers: Vec<BenchServer>,
    /// The most descriptors that a process may open on this machine.
    pub descriptors: usize,
}

impl Site {
    pub fn start(url: &str, folder: &Path, watchers: usize) -> Result<Self> {
        let descriptors = techkraft::connections::raise().unwrap_or(usize::MAX);
        // A server with more connections than this closes those that have not sent a request yet.
        let each = room(descriptors) * 4 / 5;
        // The kernel distributes connections at random, so each server keeps some room.
        let count = (watchers + watchers / 20).div_ceil(each);
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let bind = address.to_string();
        let settings = [
            ("REUSE_PORT", "true"),
            ("BIND", bind.as_str()),
            ("WORKERS", workers(count)),
            // The watchers keep their interval whatever the server names, so that as many polls are measured as the
            // report says. With a fixed interval the ETag in the flat-out part also stays the same.
            ("POLL_SECONDS_BUSY", "5"),
        ];
        let servers =
            (0..count).map(|_| BenchServer::start(url, folder, &settings)).collect::<Result<Vec<_>>>()?;
        Ok(Self { address, servers, descriptors })
    }

    pub fn pids(&self) -> Vec<u32> {
        self.servers.iter().map(BenchServer::pid).collect()
    }

    pub fn resident_mib(&self) -> Result<f64> {
        self.pids().into_iter().map(resident_mib).sum()
    }
}

/// How many connections a process with that many descriptors has room for.
pub fn room(descriptors: usize) -> usize {
    descriptors.saturating_sub(RESERVE).max(1)
}

/// Several processes need no more threads than the machine has cores.
fn workers(servers: usize) -> &'static str {
    if servers > 1 { "1" } else { "2" }
}
