//! Tests that need other programs or take long: crashes, failover, proxies, Redis, replicas, the previous release,
//! and hostile requests.
//!
//! `scripts/test --all` runs all of them with SQLite, and those that depend on the database again with PostgreSQL.
//! Tests under a module `own_postgres` start a PostgreSQL of their own, so the second run leaves them out.

mod connections;
mod crash;
mod deploy;
mod failover;
mod haproxy;
mod hostile;
mod keys;
mod nginx;
mod pooler;
mod previous_release;
mod redis;
mod replicas;
mod stripe_sdk;
mod waiting_room;
