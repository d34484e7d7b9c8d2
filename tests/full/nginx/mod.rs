//! The site behind a real nginx, set up by the very file that operators copy (`deploy/nginx`): what it keeps
//! carries a crowd's polls, and what belongs to one visitor it never keeps.

mod assets;
mod crowd;
mod front;
mod limits;
mod logs;
mod privacy;
