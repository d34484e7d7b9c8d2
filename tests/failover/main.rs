//! PostgreSQL fails over, on the real binary with a real primary and a real standby: the primary is killed and the
//! standby promoted, or it goes on answering and takes no writes, or it is frozen; Patroni and etcd do all of it by
//! themselves; and TLS on the way to it.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

#[path = "../crash/cluster.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod cluster;
#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
#[path = "../support/packages.rs"]
#[allow(dead_code, reason = "the tests of balancers use more of it")]
mod packages;
#[path = "../crash/rush.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod rush;
#[path = "../crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;
#[path = "../replicas/standby.rs"]
#[allow(dead_code, reason = "the tests of replicas use more of it")]
mod standby;
#[path = "../crash/visitor.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod visitor;

mod etcd;
mod node;
mod pair;
mod patroni_cluster;
mod program;

mod own_postgres {
    mod fenced;
    mod frozen;
    mod patroni;
    mod promoted;
    #[cfg(feature = "postgres-tls")]
    mod tls;
}
