//! What the desk promises, proved on the real binary while it is killed, while PostgreSQL is stopped under
//! it, while two of it share a database, and while the database does not answer. Tests whose subject is
//! PostgreSQL itself start a cluster of their own; the others use the database that `TEST_DATABASE_URL`
//! names, or SQLite. How each guard was tried is said beside its test.

#[path = "../support/blockade.rs"]
mod blockade;
#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;

mod backups;
mod cancellations;
#[path = "../support/small_disk.rs"]
mod small_disk;
#[path = "../support/smtp_server.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod smtp_server;

#[allow(dead_code, reason = "the tests of fail-over use more of it")]
mod cluster;
mod failover;
mod faults;
mod heap_only;
mod key_reuse;
mod killed;
mod late_replay;
mod mails;
mod rush;
#[allow(dead_code, reason = "the tests of the way in use more of it")]
mod server;
mod shedding;
mod sold_out;
mod two_servers;
mod visitor;
