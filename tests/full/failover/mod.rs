//! PostgreSQL fails over: the real binary with a real primary and a real standby. The primary is killed and the
//! standby promoted; or the primary still answers but takes no writes; or it is frozen. Patroni and etcd fail over by
//! themselves. TLS to PostgreSQL is tested, too.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

mod authority;
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
