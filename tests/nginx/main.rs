//! The site behind a real nginx, set up by the very file that operators copy (`deploy/nginx`): what it keeps
//! carries a crowd's polls, and what belongs to one visitor it never keeps.

#[path = "../support/database.rs"]
#[allow(dead_code, reason = "the tests of the site use more of it")]
mod database;
#[path = "../support/packages.rs"]
mod packages;
#[path = "../crash/server.rs"]
#[allow(dead_code, reason = "the crash tests use more of it")]
mod server;

mod assets;
mod crowd;
mod front;
mod limits;
mod privacy;
