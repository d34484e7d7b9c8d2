//! The way in, on the real binary: clients that are slow on purpose, connections without number, servers
//! that share a port, and servers that stop.

#[path = "../support/blockade.rs"]
mod blockade;
#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
#[path = "../crash/rush.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod rush;
#[path = "../crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;
#[path = "../crash/visitor.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod visitor;

mod client;
mod crowded;
mod draining;
mod shared_port;
mod slow_clients;
mod systemd;
mod takeover;
