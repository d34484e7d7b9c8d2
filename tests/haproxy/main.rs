//! Three hosts behind a real HAProxy, with the configuration and the release script of `deploy/`, while people
//! look, poll and book: releases that are well and releases that are not, and hosts that are lost.
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
mod packages;
#[path = "../support/previous_release.rs"]
mod previous_release;
#[path = "../crash/rush.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod rush;
#[path = "../crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;
#[path = "../crash/visitor.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod visitor;

mod balancer;
mod crowd;
mod fleet;
mod relay;

mod own_postgres {
    mod lost;
    mod release;
}
