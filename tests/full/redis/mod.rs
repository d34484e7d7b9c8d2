//! The board that servers share through Redis: the real binary with a real Redis that is stopped, killed, emptied and
//! started again, and a real PostgreSQL that counts its queries, while people buy and look.
//!
//! These tests start their own PostgreSQL, whatever `TEST_DATABASE_URL` names. Their names begin with
//! `own_postgres::`, by which `scripts/test` leaves them out of its second run.

mod redis_server;
mod sealed;
mod site;

mod own_postgres {
    mod lease;
    mod limits;
    mod news;
    mod outage;
    mod readings;
    mod tls;
    mod trust;
    mod two_sites;
}
