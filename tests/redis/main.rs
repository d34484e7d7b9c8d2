//! The board that servers share, on the real binary: with a real Redis that is stopped, killed, emptied and
//! started again, and a real PostgreSQL that counts what it is asked, while people buy and look.
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
#[path = "../crash/visitor.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod visitor;

mod redis_server;
mod site;

mod own_postgres {
    mod lease;
    mod limits;
    mod news;
    mod outage;
    mod readings;
    mod two_sites;
}
