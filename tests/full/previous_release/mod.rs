//! The release before this one on this one's schema, the real binaries both: side by side while a site changes
//! over, and alone when a release is taken back. On the database that `TEST_DATABASE_URL` names, or SQLite.

mod additions;
mod paying;
mod side_by_side;
mod site;
mod taken_back;
