//! The way in, on the real binary: clients that are slow on purpose, connections without number, and
//! servers that share a port.

#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
#[path = "../crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;

mod client;
mod crowded;
mod shared_port;
mod slow_clients;
