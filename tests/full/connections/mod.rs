//! Connections to the real binary: clients that are slow on purpose, very many connections, servers that share a
//! port, and servers that stop.

mod client;
mod crowded;
mod draining;
mod one_network;
mod shared_port;
mod slow_clients;
mod systemd;
mod takeover;
