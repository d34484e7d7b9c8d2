//! What the desk promises, proved on the real binary while it is killed, while PostgreSQL is stopped under
//! it, while two of it share a database, and while the database does not answer. Tests whose subject is
//! PostgreSQL itself start a cluster of their own; the others use the database that `TEST_DATABASE_URL`
//! names, or SQLite. How each guard was tried is said beside its test.

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
