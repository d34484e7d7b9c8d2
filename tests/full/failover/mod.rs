//! PostgreSQL fails over, on the real binary with a real primary and a real standby: the primary is killed and the
//! standby promoted, or it goes on answering and takes no writes, or it is frozen; Patroni and etcd do all of it by
//! themselves; and TLS on the way to it.
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
