//! Read replicas, on the real binary with a real PostgreSQL and two standbys that follow it by streaming
//! replication: they take turns, fall behind, freeze, die and come back, while people buy and look.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

#[path = "../crash/cluster.rs"]
#[allow(dead_code, reason = "the tests of crashes and of fail-over use more of it")]
mod cluster;
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

mod looker;
mod site;
mod standby;

mod own_postgres {
    mod buyer;
    mod freeze;
    mod lag;
    mod loss;
    mod start;
    mod turns;
}
