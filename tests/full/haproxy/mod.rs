//! Three hosts behind a real HAProxy, with the configuration and the release script of `deploy/`, while people look,
//! poll and book: good releases, bad releases, and lost hosts.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

mod balancer;
mod crowd;
mod fleet;
mod logs;
mod relay;

mod own_postgres {
    mod lost;
    mod release;
}
