//! The previous release on this release's schema, with the real binaries of both: side by side during an upgrade, and
//! alone after a rollback. On the database that `TEST_DATABASE_URL` names, or SQLite.

mod additions;
mod paying;
mod side_by_side;
mod site;
mod taken_back;
