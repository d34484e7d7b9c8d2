//! The desk's guarantees, tested on the real binary while it is killed, while its PostgreSQL is stopped, while two
//! servers share a database, and while the database does not answer. Tests about PostgreSQL itself start a cluster of
//! their own; the others use the database that `TEST_DATABASE_URL` names, or SQLite. The comment at each test says
//! without which safeguard the test was seen to fail.

mod backups;
mod cancellations;
mod event_cancellation;
mod failover;
pub mod faults;
mod heap_only;
mod holder_messages;
mod key_reuse;
mod killed;
mod killed_mixed;
mod late_replay;
mod locks;
mod mails;
mod one_statement;
mod own_postgres;
mod paying;
mod shedding;
mod sold_out;
mod two_servers;
