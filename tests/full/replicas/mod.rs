//! Read replicas: the real binary with a real PostgreSQL and two standbys that follow it by streaming replication.
//! The standbys take turns, fall behind, freeze, die and come back, while people buy and look.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

mod looker;
mod site;

mod own_postgres {
    mod buyer;
    mod freeze;
    mod lag;
    mod loss;
    mod start;
    mod turns;
}
