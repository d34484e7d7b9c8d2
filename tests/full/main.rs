//! What needs other programs, or takes long: crashes, fail-over, proxies, Redis, replicas, the release before, and
//! requests that nobody well-meaning sends. Run by `scripts/test --all`.
//!
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
