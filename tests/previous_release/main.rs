//! The release before this one on this one's schema, the real binaries both: side by side while a site changes
//! over, and alone when a release is taken back. On the database that `TEST_DATABASE_URL` names, or SQLite.

#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
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

mod additions;
mod side_by_side;
mod site;
mod taken_back;
